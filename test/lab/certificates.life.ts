import { copyFile, cp } from "node:fs/promises";
import { join } from "node:path";
import type { V1NodeList } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { on, type Machine } from "../../lab/client/machines.ts";
import { tryInLab } from "../../lab/client/run.ts";
import { labSettings, mustSucceed, Stack, type EngineRun } from "../../lab/client/stack.ts";
import { fillMirror } from "../../lab/mirror/mirror.ts";
import { controlAddress } from "../../lab/paths.ts";
import { phase } from "../../lab/phase.ts";
import {
  apiClientLines,
  restartApiClient,
  startApiClient,
  trustedByApiClient,
} from "./helpers/api-client.ts";
import { apiAskedDuring, tally } from "./helpers/asking.ts";
import { isNodeReady, oneOfEachRole, reach, type ReachedCluster } from "./helpers/cluster.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import { Kubectl } from "./helpers/kubectl.ts";
import { pastSigner } from "./helpers/past-signer.ts";
import { askedDuring, replicasReady, startReplicas } from "./helpers/replicas.ts";

// Each part begins where the one before it has ended.

const name = "e2e-certificates";
const base = await labSettings();
const names = oneOfEachRole(base);
const [controlPlane, worker] = names;
const minute = 60_000;
const pki = "/etc/kubernetes/pki";

const settings = (certificates: object = {}) => ({
  ...base,
  cluster: { ...base.cluster, name },
  nodes: Object.fromEntries(names.map((node) => [node, base.nodes[node]!])),
  network: { ...base.network, access: { docker: [`${controlAddress}/32`] } },
  certificates,
});

/** The same keys for all that sign. */
const epochs = (of: { trusted: number[]; signing: number }) =>
  Object.fromEntries(
    ["kubernetes", "etcd", "front-proxy", "docker", "service-account"].map((signer) => [signer, of]),
  );

let before: string[];
let stack: Stack;
let cluster: ReachedCluster;

beforeAll(async () => {
  await fillMirror(base.cluster);
  stack = await Stack.create(name, settings());
  before = await inventory();
  await phase(`${name}: pulumi up`, async () => mustSucceed(stack, await stack.up()));
  cluster = await reach(stack, names);
  await startReplicas(cluster.kubectl);
  await startApiClient(cluster.kubectl);
  await clientFiles();
}, 20 * minute);

afterAll(() => stack?.destroyRest());

const machine = (node: string): Machine => cluster.machines[node]!;
const client = (file: string) => join(stack.folder, "client", file);
const clientFiles = () => stack.program("node", "cli/client-files.ts", name, "--output", client("."));

const up = (what: string, ...flags: string[]): Promise<EngineRun> =>
  phase(`${name}: pulumi up, ${what}`, async () => mustSucceed(stack, await stack.up(...flags)));

/** What became of the requests through a service, of a client with the client files, and of a pod, while a step went on. */
async function asked(what: string, step: () => Promise<unknown>) {
  const earlier = (await apiClientLines(cluster.kubectl)).length;
  const service = await askedDuring(cluster.outputs.inventory[controlPlane]!.floatingAddress, () =>
    apiAskedDuring(client("kubeconfig"), step),
  );
  const byClient = service.result;
  const byPod = tally((await apiClientLines(cluster.kubectl)).slice(earlier));
  const counts = Object.entries({ service, client: byClient, pod: byPod }).map(
    ([who, { answered, failed }]) => `${who} ${answered} and ${failed.length}`,
  );
  console.log(`${what}: requests answered and failed: ${counts.join(", ")}`);
  for (const { answered } of [service, byClient, byPod]) expect(answered).toBeGreaterThan(10);
  return { service, client: byClient, pod: byPod };
}

/** The fingerprint of the certificate that a server presents, by a machine's own connection. */
const presented = async (node: string, port: number) =>
  on(
    machine(node),
    `openssl s_client -connect ${cluster.outputs.inventory[node]!.address}:${port} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint`,
  );

/** Whether Docker on the worker knows a client with these files, which knows it too. */
async function dockerAnswers(folder: string): Promise<void> {
  const { floatingAddress } = cluster.outputs.inventory[worker]!;
  const files = ["cacert ca.pem", "cert cert.pem", "key key.pem"].map(
    (file) => `--${file.replace(" ", ` ${folder}/`)}`,
  );
  const answer = await tryInLab(
    `curl -sS -m 20 ${files.join(" ")} https://${floatingAddress}:2376/version`.split(" "),
  );
  expect(`${answer.stdout}${answer.stderr}`).toContain('"ApiVersion"');
}

/** Another one as soon as the program was started anew. */
const processOf = (program: string) => on(machine(controlPlane), `pgrep -of "^${program} "`);

const certificatesIn = (text: string) => text.split("-----BEGIN CERTIFICATE-----").length - 1;

/** The cluster works in all that certificates are for: nodes, logs and exec, new pods, names of new services. */
async function works(service: string): Promise<void> {
  const { kubectl } = cluster;
  const { items } = await kubectl.get<V1NodeList>("nodes");
  expect(items.map(isNodeReady)).toEqual(names.map(() => true));
  await replicasReady(kubectl);
  await kubectl.run(["create", "service", "clusterip", service, "--tcp=80", "--namespace=replicas"]);
  await eventually(60, async () =>
    expect(
      await kubectl.run([
        ...["exec", "deployment/asks", "--namespace=api-client", "--"],
        ...["dig", "+short", "+time=5", `${service}.replicas.svc.cluster.local`],
      ]),
    ).toMatch(/^10\./),
  );
}

describe("life-06: certificates", () => {
  it("are renewed in place with their keys, and no request fails", async () => {
    const ports: [string, number][] = [
      [controlPlane, 6443],
      [controlPlane, 2379],
      [controlPlane, 10250],
      [worker, 10250],
      [worker, 2376],
    ];
    const all = () => Promise.all(ports.map(([node, port]) => presented(node, port)));
    const processes = () => Promise.all(["kube-apiserver", "etcd", "kube-controller-manager"].map(processOf));
    const keyOf = () => on(machine(worker), `sudo sha256sum ${pki}/kubelet.key`);
    const [served, started, key] = [await all(), await processes(), await keyOf()];
    const { service, client, pod } = await asked("certificates renewed", async () => {
      await up("certificates renewed", "--replace", "**tls:index/locallySignedCert:LocallySignedCert::**");
      await clientFiles();
      // The API server looks at its files once a minute.
      await eventually(90, async () => {
        const now = await all();
        expect(now.filter((fingerprint, index) => fingerprint === served[index])).toEqual([]);
      });
    });
    expect(service.failed).toEqual([]);
    expect(client.failed).toEqual([]);
    expect(pod.failed).toEqual([]);
    expect(await processes()).toEqual(started);
    expect(await keyOf()).toBe(key);
    await works("renewed");
  });

  /** What a request is told whose certificate or token does not count, or that finds such a one. */
  const untrusted = /x509|certificate|Unauthorized|provide credentials|\b401\b/;
  /** Seconds from the first of these requests to the last. */
  const stretch = (failed: string[]): number => {
    const times = failed.map((line) => Date.parse(/asked at (\S+Z)/.exec(line)![1]!));
    return failed.length === 0 ? 0 : (Math.max(...times) - Math.min(...times)) / 1000;
  };
  const newToken = async () =>
    (await cluster.kubectl.run(["create", "token", "default", "--namespace=api-client"])).trim();
  let oldToken = "";

  it.each([
    { step: 1, of: { trusted: [1, 2], signing: 1 } },
    { step: 2, of: { trusted: [1, 2], signing: 2 } },
    { step: 3, of: { trusted: [2], signing: 2 } },
  ])(
    "get another authority, and tokens another key, step $step: the API is away for seconds, and nobody is refused",
    async ({ step, of }) => {
      await stack.write(settings({ epochs: epochs(of) }));
      if (step === 2) oldToken = await newToken();
      await cp(client(`certs/${worker}`), client("certs-before"), { recursive: true });
      const {
        service,
        client: byClient,
        pod,
      } = await asked(`step ${step}`, async () => {
        await up(`another key, step ${step}`);
        if (step === 2) await copyFile(client("kubeconfig"), client("of-the-old-authority"));
        await clientFiles();
        cluster = await reach(stack, names);
        if (step === 1)
          await phase(`${name}: pods have both authorities`, () =>
            eventually(180, async () =>
              expect(certificatesIn(await trustedByApiClient(cluster.kubectl))).toBe(2),
            ),
          );
      });
      expect(service.failed).toEqual([]);
      const failed = [...byClient.failed, ...pod.failed];
      // The API server starts anew in each step, in the second for the tokens' key.
      expect(stretch(failed)).toBeLessThan(60);
      expect(failed.filter((line) => untrusted.test(line))).toEqual([]);
      if (step === 2) await restartApiClient(cluster.kubectl);
      for (const folder of ["certs-before", `certs/${worker}`]) await dockerAnswers(client(folder));
      await works(`step-${step}`);
    },
  );

  it("of the authority that went count no longer, nor does a token of the key that went", async () => {
    const old = new Kubectl(client("of-the-old-authority"));
    await expect(old.run(["get", "nodes"])).rejects.toThrow(/Unauthorized|provide credentials/);
    const api = cluster.outputs.endpoints.api;
    const ask = (token: string) =>
      tryInLab([
        ..."curl -sk -o /dev/null -w %{http_code} -H".split(" "),
        ...[`Authorization: Bearer ${token}`, `${api}/api`],
      ]);
    expect((await ask(oldToken)).stdout).toBe("401");
    expect((await ask(await newToken())).stdout).toBe("200");
    expect((await stack.preview("--expect-no-changes")).errors).toEqual([]);
  });

  it("that have ended, authorities' too, come back by one `pulumi up`; pods run on", async () => {
    const lives = { leafHours: 2, authorityHours: 2, renewHours: 1 };
    await stack.write(settings({ ...lives, epochs: epochs({ trusted: [2], signing: 2 }) }));
    // They are signed as if 113 minutes ago, so they end in seven.
    stack.plugins = await pastSigner(join(stack.folder, "plugins"), 113);
    await up("certificates of seven minutes");
    stack.plugins = undefined;
    cluster = await reach(stack, names);
    const { kubectl } = cluster;
    const pods = async () =>
      on(
        machine(worker),
        "sudo ctr --namespace k8s.io tasks list | awk '$3 == \"RUNNING\" { print $1 }' | sort",
      );
    const running = await pods();
    await phase(`${name}: until they have ended`, () =>
      eventually(540, () => expect(kubectl.run(["get", "nodes"])).rejects.toThrow(/certificate has expired/)),
    );
    await expect(
      on(machine(controlPlane), "sudo kubectl --kubeconfig /etc/kubernetes/super-admin.conf get nodes"),
    ).rejects.toThrow(/certificate has expired/);

    const { answered, failed } = await askedDuring(
      cluster.outputs.inventory[controlPlane]!.floatingAddress,
      () => up("after the end"),
    );
    console.log(
      `after the end: ${answered} requests answered, ${failed.length} failed in ${stretch(failed)} s`,
    );
    // The worker counts as lost from 50 seconds after the controller manager is back until its turn has come.
    expect(stretch(failed)).toBeLessThan(60);
    expect(await pods()).toBe(running);
    cluster = await reach(stack, names);
    await works("after-the-end");
    expect((await stack.preview("--expect-no-changes")).errors).toEqual([]);
  });

  it("leave nothing behind at the end", async () => {
    mustSucceed(stack, await phase(`${name}: pulumi destroy`, () => stack.destroy()));
    expect(await inventory()).toEqual(before);
  });
});
