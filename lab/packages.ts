import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:net";
import { execa } from "execa";
import { tryLock } from "./lock.ts";
import { bound } from "./namespaces.ts";
import { cacheRoot, repo } from "./paths.ts";
import { waitFor } from "./phase.ts";

/**
 * Debian packages of the lab, the same for every kind of compute; the last two lines are what its tests and its builds
 * need beside Node.js and Go.
 */
const packages = [
  ..."mariadb-server mariadb-client rabbitmq-server memcached".split(" "),
  ..."keystone glance-api placement-api nova-api nova-conductor nova-scheduler nova-compute nova-compute-qemu".split(
    " ",
  ),
  ..."neutron-server neutron-linuxbridge-agent neutron-l3-agent neutron-dhcp-agent neutron-metadata-agent".split(
    " ",
  ),
  ..."octavia-api octavia-worker octavia-health-manager octavia-housekeeping".split(" "),
  ..."python3-openstackclient python3-octaviaclient python3-pymysql python3-memcache uwsgi-core uwsgi-plugin-python3".split(
    " ",
  ),
  ..."libvirt-daemon-system libvirt-clients libvirt-daemon-driver-lxc libvirt-daemon-driver-qemu".split(" "),
  ..."qemu-system-x86 qemu-utils qemu-block-extra genisoimage dnsmasq-base haproxy sudo".split(" "),
  ..."ebtables ipset iptables conntrack bridge-utils iputils-arping iproute2 procps tcpdump".split(" "),
  ..."mmdebstrap e2fsprogs debian-archive-keyring ca-certificates curl openssh-client".split(" "),
  "ansible-core",
  ..."gcc libc6-dev libcap2-bin".split(" "),
];

const policy = "/usr/sbin/policy-rc.d";
const policyBefore = `${policy}.before-lab`;
const policyMark = "# openstack-kubernetes lab: no service starts while its packages are installed";

/** Takes the lab's policy away and brings back the host's own, also after an installation that was killed. */
async function restorePolicy(): Promise<void> {
  const ours = (await readFile(policy, "utf8").catch(() => "")).includes(policyMark);
  if (existsSync(policyBefore)) await rename(policyBefore, policy);
  else if (ours) await rm(policy);
}

async function forbidServices(): Promise<void> {
  if (existsSync(policy)) await copyFile(policy, policyBefore);
  await writeFile(policy, `#!/bin/sh\n${policyMark}\nexit 101\n`, { mode: 0o755 });
}

/** Which of the packages are not fully installed? */
async function missingPackages(): Promise<string[]> {
  const format = "${db:Status-Status} ${Package}\n";
  const { stdout } = await execa("dpkg-query", ["--show", `--showformat=${format}`, ...packages], {
    reject: false,
  });
  const lines = new Set(stdout.split("\n"));
  return packages.filter((name) => !lines.has(`installed ${name}`));
}

/** Installs what is missing of the lab's packages, without starting a service on the host; one lab at a time does. */
export async function installPackages(log: string): Promise<void> {
  let lock: Server | undefined;
  await waitFor("Another lab's installation of packages", 1800, async () => {
    lock = await tryLock("osk-lab-packages");
    return lock !== undefined;
  });
  try {
    await installMissing(log);
  } finally {
    lock!.close();
  }
}

async function installMissing(log: string): Promise<void> {
  await restorePolicy();
  if ((await missingPackages()).length === 0) return;
  const archives = `${cacheRoot()}/debian-packages`;
  await mkdir(`${archives}/partial`, { recursive: true });
  const options = {
    env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
    stdout: { file: log, append: true },
    stderr: { file: log, append: true },
    stdin: "ignore",
  } as const;
  const run = async (...command: string[]): Promise<void> => {
    const [file, ...args] = bound(...command);
    await execa(file, args, options);
  };
  await forbidServices();
  try {
    await run("dpkg", "--force-confold", "--configure", "-a");
    await run("debconf-set-selections", `${repo}/lab/openstack/debconf.txt`);
    await run("apt-get", "update");
    await run(
      ...["apt-get", "install", "--yes", "--no-install-recommends", "--fix-broken"],
      ...["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"],
      ...["-o", "Dpkg::Options::=--force-unsafe-io", "-o", `Dir::Cache::archives=${archives}`],
      ...["-o", "Acquire::Retries=3", "-o", "APT::Keep-Downloaded-Packages=true"],
      ...packages,
    );
  } finally {
    await restorePolicy();
  }
}
