import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import type { Compute } from "./compute.ts";
import { guestImage } from "./guest-image.ts";
import { type Daemon, daemonLog, inLab, startDaemon } from "./namespaces.ts";
import { administer, answers, config, inOrder, state, wsgi } from "./openstack.ts";
import { lab, run } from "./paths.ts";
import { phase } from "./phase.ts";

/** The network between Octavia and its amphorae, and the address of its router on the external network. */
const management = { network: "192.168.199.0/24", router: "172.24.4.99" };

/** What Octavia is told that only this lab knows: ids of the network and of the security group of its amphorae. */
const idsFile = state("octavia", "ids.conf");
const settings = [...config("octavia.conf"), `--config-file=${idsFile}`];

const api: Daemon = wsgi("octavia-api", 9876, "octavia-wsgi", {}, settings);
const daemons: Daemon[] = [
  api,
  ...["octavia-worker", "octavia-health-manager", "octavia-housekeeping"].map((name) => ({
    name,
    command: [name, ...settings],
  })),
];

/** Was Octavia started in this lab? */
export const octaviaRuns = (): boolean => existsSync(lab("state", "octavia", "ids.conf"));

/** Makes what Octavia needs beside its services, unless it is there: schema, certificates, network, endpoint. */
async function prepare(): Promise<void> {
  const folder = lab("state", "octavia");
  if (octaviaRuns()) return;
  await mkdir(folder, { recursive: true });
  await inOrder(
    "octavia-setup",
    ["octavia-db-manage", ...config("octavia.conf"), "upgrade", "head"],
    [run("openstack", "octavia", "certificates"), state("octavia")],
  );
  // Its file comes last of all and says that the rest is there.
  await administer("octavia", management.network, management.router, idsFile);
}

/** Starts Octavia in a lab whose OpenStack runs, or what of it does not run, with the amphora image in Glance. */
export async function startOctavia(compute: Compute): Promise<void> {
  const log = lab("log", "amphora-image.log");
  const image = async () => {
    const folder = await phase("amphora image", () => guestImage(compute, "amphora", log), log);
    await administer("image", compute, folder, "amphora");
  };
  const services = async () => {
    await prepare();
    await inLab("ip", ["route", "replace", management.network, "via", management.router]);
    await Promise.all(daemons.map(startDaemon));
    await answers(api.name, 9876);
  };
  await Promise.all([image(), phase("Octavia's services", services, daemonLog("octavia-setup"))]);
}
