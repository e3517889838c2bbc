import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { V1Deployment, V1Node, V1NodeList } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { machinesOf, on, resourceNamed, tryOn, type Machine } from "../../lab/client/machines.ts";
import { openStack } from "../../lab/client/openstack.ts";
import { tryInLab, type Finished } from "../../lab/client/run.ts";
import { labSettings, mustSucceed, Stack, type EngineRun } from "../../lab/client/stack.ts";
import { buildable, fillMirror } from "../../lab/mirror/mirror.ts";
import { controlAddress, lab, mirrorUrl, registry } from "../../lab/paths.ts";
import { phase } from "../../lab/phase.ts";
import { captured } from "./helpers/capture.ts";
import { isNodeReady, type ReachedCluster } from "./helpers/cluster.ts";
import { dockerCommand, writeStrangersCertificate } from "./helpers/docker.ts";
import { eventually } from "./helpers/eventually.ts";
import { inventory } from "./helpers/inventory.ts";
import { Kubectl } from "./helpers/kubectl.ts";
import { nameOutside, nameServerOutside, Proxy, proxyOutside, startNameServer } from "./helpers/outside.ts";
import { answerTime, patience } from "./helpers/patience.ts";
import { inProbe, probes, serviceName, startProbes, type Probe } from "./helpers/probes.ts";
import type { LabProgram } from "./helpers/programs.ts";
import { dig, expectNames, expectNodePort, expectService } from "./helpers/services.ts";
import { changedTypes } from "./helpers/steps.ts";

// What the seed did on its nodes, shown on one control plane and one worker whose settings are far from the defaults.
// The tests are one way through the life of the stack, in its three phases.

const base = await labSettings();
const name = "seed-nodes";
const domain = "seed.example";
const nodes = {
  cp: { role: "control-plane", slot: 10, flavor: "node.medium" },
  "w-1": { role: "worker", slot: 11 },
};
const names = Object.keys(nodes);
const version = (await buildable()).find((one) => one.startsWith("1.35."))!;
const minute = 60_000;

const settings = (changes: Record<string, unknown> = {}) => ({
  ...base,
  cluster: { ...base.cluster, name, kubernetesVersion: version, domain },
  network: { ...base.network, access: { docker: [`${controlAddress}/32`] } },
  nodes,
  runtime: "docker",
  kubeProxy: { ...base.kubeProxy, mode: "iptables" },
  proxy: { http: proxyOutside, https: proxyOutside },
  ntp: { servers: [controlAddress] },
  dns: { upstream: [nameServerOutside], nodeLocalCache: true },
  ...changes,
});

/** Components that show a phase among their inputs, in previews too. */
const phaseComponents = ["openstack-kubernetes:index:Foundations", "openstack-kubernetes:nodes:Node"];

let before: string[];
let stack: Stack;
let proxy: Proxy;
let nameServer: LabProgram;
/** Docker's client on this machine. */
let docker: string;
let outputs: ReachedCluster["outputs"];
let machines: Record<string, Machine>;
let kubectl: Kubectl;

beforeAll(async () => {
  await fillMirror(base.cluster, { kubernetesVersion: version, runtime: "docker" });
  stack = await Stack.create(name, settings());
  before = await inventory();
  docker = await dockerCommand(join(stack.folder, "docker"));
  proxy = await Proxy.start();
  nameServer = await startNameServer();
}, 60 * minute);

afterAll(async () => {
  await stack?.destroyRest();
  await nameServer?.stop();
  await proxy?.stop();
});

/** Brings the stack up with other settings. */
async function up(what: string, changes: Record<string, unknown> = {}): Promise<EngineRun> {
  await stack.write(settings(changes));
  const run = await phase(`${name}: pulumi up, ${what}`, async () => mustSucceed(stack, await stack.up()));
  outputs = await stack.outputs<typeof outputs>();
  machines = await machinesOf(stack, names);
  return run;
}

/** The files of the stack's clients; they are there from phase docker on. */
const clientFolder = (): string => join(stack.folder, "client");
const writeClientFiles = (): Promise<unknown> =>
  stack.program("node", "cli/client-files.ts", name, "--output", clientFolder());

/** Docker's client with a node's variables, from another directory than theirs. */
const onNode = (node: string, ...args: string[]): Promise<Finished> =>
  tryInLab([
    ...["bash", "-euc", 'cd /; source "$1"; shift; exec "$@"', "bash"],
    ...[join(clientFolder(), `${node}.env`), docker, ...args],
  ]);

/** Differs as soon as Docker or its containers were started anew. */
const dockerStarts = (): Promise<string[]> =>
  Promise.all(
    names.map(async (node) => {
      const daemon = "systemctl show --property=MainPID,ActiveEnterTimestampMonotonic docker";
      const container = await onNode(node, "inspect", "--format", "{{.State.StartedAt}}", "stays");
      return `${await on(machines[node]!, daemon)} ${container.stdout}`;
    }),
  );

const probesNow = (): Promise<Probe[]> => probes(kubectl, names);

describe("the seed's nodes", () => {
  it("seed-17 has machines alone in the first phase", async () => {
    await up("machines", { phase: "machines" });
    const look = "hostname; ls -d /etc/openstack-kubernetes /usr/bin/dockerd 2>/dev/null || true";
    // Nothing has waited for them to boot.
    await eventually(180, async () => {
      for (const node of names) expect((await on(machines[node]!, look)).trim()).toBe(node);
    });
  });

  it("seed-17 adds Docker to the machines and changes nothing of theirs", async () => {
    const instances = names.map((node) => outputs.inventory[node]!.instanceId);
    const run = await up("docker", { phase: "docker" });
    expect(changedTypes(run)).toEqual(phaseComponents);
    expect(names.map((node) => outputs.inventory[node]!.instanceId)).toEqual(instances);
    await writeClientFiles();
    for (const node of names) {
      const image = `${registry}/lab/tools:1`;
      const run = await onNode(node, "run", "--detach", "--name", "stays", image, "sleep", "infinity");
      expect(run).toMatchObject({ exitCode: 0 });
      expect(await on(machines[node]!, "ls /usr/local/bin")).toBe("");
    }
  });

  it("seed-17 adds Kubernetes and starts nothing of Docker's anew", async () => {
    const starts = await dockerStarts();
    const run = await up("kubernetes");
    expect(changedTypes(run)).toEqual(["command:remote:Command", ...phaseComponents]);
    expect(await dockerStarts()).toEqual(starts);
    const preview = await stack.preview("--expect-no-changes");
    expect(preview.errors).toEqual([]);
  });

  it("seed-07 writes kubeconfig, certificates and variables for clients", async () => {
    const folder = clientFolder();
    await writeClientFiles();
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect((mode & 0o777).toString(8), entry.name).toBe(entry.isDirectory() ? "700" : "600");
    }
    const files = ["ca.pem", "cert.pem", "key.pem"];
    expect(
      entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort(),
    ).toEqual(
      [
        "kubeconfig",
        ...names.flatMap((node) => [`${node}.env`, ...files.map((file) => `certs/${node}/${file}`)]),
      ]
        .map((path) => join(folder, path))
        .sort(),
    );
    kubectl = new Kubectl(join(folder, "kubeconfig"));
    expect(await kubectl.run(["auth", "can-i", "*", "*"])).toBe("yes");
    await phase(`${name}: probes`, () => startProbes(kubectl));
  });

  it("seed-05 runs the kubelet and kube-proxy that it fetched and verified as services, the rest as static pods", async () => {
    const { items } = await kubectl.get<V1NodeList>("nodes");
    expect(items.map(({ metadata, status }) => [metadata?.name, status?.nodeInfo?.kubeletVersion])).toEqual(
      names.map((node) => [node, `v${version}`]),
    );
    const sums = await readFile(lab("SHA256SUMS"), "utf8");
    for (const node of names) {
      for (const program of ["kubelet", "kube-proxy"]) {
        const path = `dl.k8s.io/v${version}/bin/linux/amd64/${program}`;
        const [, expected] = new RegExp(`^(\\w+)  ${path}$`, "m").exec(sums)!;
        const found = await on(
          machines[node]!,
          `systemctl is-active ${program}; sudo sha256sum /proc/$(systemctl show --property=MainPID --value ${program})/exe | cut -d ' ' -f 1`,
        );
        expect(found.split("\n")).toEqual(["active", expected]);
      }
    }
    const manifests = (await on(machines.cp!, "ls /etc/kubernetes/manifests")).split("\n");
    expect(manifests).toEqual(
      ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((pod) => `${pod}.yaml`),
    );
  });

  it("seed-04 has Docker over TLS on cbr0, without rules of its own", async () => {
    const all = await probesNow();
    for (const node of names) {
      expect((await onNode(node, "ps", "--format", "{{.Names}}")).stdout.split("\n")).toContain("stays");
      for (const probe of all) {
        const run = [
          "run",
          "--rm",
          `${registry}/lab/tools:1`,
          "wget",
          "-q",
          "-T",
          String(answerTime),
          "-O",
          "-",
        ];
        const answer = await onNode(node, ...run, `http://${probe.address}:8080/cgi-bin/who`);
        expect(answer.stdout).toContain(probe.name);
      }
      const inspected = await onNode(node, "inspect", "--format", "{{.NetworkSettings.IPAddress}}", "stays");
      const [pods] = outputs.inventory[node]!.podNetwork.split(".0/");
      expect(inspected.stdout).toMatch(new RegExp(`^${pods}\\.(19[2-9]|2\\d\\d)$`));
      expect(await on(machines[node]!, "sudo iptables-save; sudo nft list ruleset")).not.toMatch(/docker/i);
    }
  });

  it("seed-04 refuses who has no certificate, or another authority's", async () => {
    const own = join(stack.folder, "client/certs/w-1");
    const strangers = join(stack.folder, "strangers");
    await writeStrangersCertificate(strangers);
    const url = `${outputs.inventory["w-1"]!.floatingAddress}:2376/version`;
    const ask = (scheme: string, ...args: string[]) =>
      tryInLab([
        ...`curl -sS -m ${answerTime} --cacert ${own}/ca.pem`.split(" "),
        ...args,
        `${scheme}://${url}`,
      ]);
    const using = (folder: string) => `--cert ${folder}/cert.pem --key ${folder}/key.pem`.split(" ");
    expect((await ask("https", ...using(own))).stdout).toContain('"ApiVersion"');
    expect((await ask("https")).stderr).toMatch(/alert.*certificate required/);
    expect((await ask("https", ...using(strangers))).stderr).toMatch(/alert.*(unknown ca|bad certificate)/);
    expect((await ask("http")).stdout).toContain("HTTP request to an HTTPS server");
    // Kubernetes' authority signs the server's certificate, but lets nobody in.
    const { address } = outputs.inventory["w-1"]!;
    const kubelet = ["cacert ca.crt", "cert kubelet.crt", "key kubelet.key"].map((file) => `--${file}`);
    const asKubelet = `curl -sS -m ${answerTime} --noproxy '*' ${kubelet.join(" ")} https://${address}:2376/version`;
    expect(
      (await tryOn(machines["w-1"]!, `sudo sh -c "cd /etc/kubernetes/pki && ${asKubelet}"`)).stderr,
    ).toMatch(/alert.*(unknown ca|bad certificate)/);
  });

  it("seed-10 answers on a node port at the worker's floating address", async () => {
    await expectNodePort(await probesNow(), [outputs.inventory["w-1"]!.floatingAddress]);
  });

  it("seed-13 names services and pods in the domain of choice, and asks the name servers of choice for others", async () => {
    const all = await probesNow();
    await expectNames(kubectl, all, domain);
    for (const probe of all)
      expect(await dig(kubectl, probe, nameOutside.name)).toEqual([nameOutside.address]);
    for (const probe of all) {
      // From the node's own cache, and from CoreDNS.
      const servers = await inProbe(
        kubectl,
        probe,
        "awk '$1 == \"nameserver\" { print $2 }' /etc/resolv.conf",
      );
      expect(servers.trim().split("\n")).toEqual(["169.254.20.10", "10.254.0.10"]);
      for (const server of ["169.254.20.10", "10.254.0.10"])
        expect(await dig(kubectl, probe, `${serviceName("who", domain)} @${server}`)).toHaveLength(1);
    }
    const asked = nameServer.lines.join("\n");
    expect(asked).toContain(nameOutside.name);
    expect(asked).not.toContain(domain);
  });

  it("seed-14 names all nodes on each", async () => {
    await eventually(120, async () => {
      for (const node of names) {
        for (const other of names.filter((other) => other !== node)) {
          const found = await on(machines[node]!, `getent hosts ${other}`);
          expect(found.split(/\s+/)).toEqual([outputs.inventory[other]!.address, other]);
          expect((await on(machines[node]!, "echo $no_proxy")).split(",")).toContain(other);
        }
      }
    });
  });

  it("seed-14 asks the proxy for packages, programs and images, and for nothing of the cluster", async () => {
    const fetched = [new URL(mirrorUrl).host, registry];
    expect(proxy.seen()).toEqual(fetched.sort());
    const all = await probesNow();
    const { "w-1": worker, cp } = outputs.inventory;
    const inside = [
      ...all.map((probe) => `http://${probe.address}:8080/`),
      `https://${cp!.address}:6443/livez`,
      "https://cp:6443/livez",
      "https://10.254.0.1/livez",
      `https://${worker!.address}:10250/`,
    ];
    for (const url of inside) await on(machines["w-1"]!, `curl -sSk -m ${answerTime} -o /dev/null ${url}`);
    expect(proxy.seen()).toEqual(fetched);
    // Everyone who logs in has it.
    await on(
      machines["w-1"]!,
      `curl -sS -m ${answerTime} http://192.0.2.1/ -o /dev/null; curl -sS -m ${answerTime} https://192.0.2.2/ || true`,
    );
    expect(proxy.seen()).toEqual([...fetched, "192.0.2.1:80", "192.0.2.2:443"].sort());
    for (const service of ["docker", "containerd", "kubelet"]) {
      const environment = await on(machines["w-1"]!, `systemctl show --property=Environment ${service}`);
      expect(environment).toContain(
        `HTTP_PROXY=${proxyOutside} HTTPS_PROXY=${proxyOutside} NO_PROXY=localhost,`,
      );
    }
  });

  it("seed-14 asks the NTP servers of choice", async () => {
    const machine = machines["w-1"]!;
    // The unit does not start in a container, whose clock is the host's. This one may not set any.
    const daemon =
      "sudo systemd-run --quiet --unit=asks-the-time --property=User=systemd-timesync " +
      "--property=RuntimeDirectory=systemd/timesync /usr/lib/systemd/systemd-timesyncd";
    const filter = `udp dst port 123 and dst host ${controlAddress}`;
    const seen = await captured(machine.ssh, { on: "any", filter, packets: 1 }, () => on(machine, daemon));
    await on(machine, "sudo systemctl stop asks-the-time");
    expect(seen).toHaveLength(1);
  });

  it("seed-12 answers on service addresses with kube-proxy in iptables mode, then in nftables mode", async () => {
    const rules =
      "sudo iptables-save | grep -c KUBE-SVC; sudo nft list tables | grep -c 'ip kube-proxy'; true";
    const count = async (): Promise<number[]> =>
      (await on(machines["w-1"]!, rules)).trim().split("\n").map(Number);
    const [chains, none] = await count();
    expect([chains! > 0, none]).toEqual([true, 0]);
    await expectService(kubectl, await probesNow(), Object.values(machines), domain);
    await up("nftables", { kubeProxy: { ...base.kubeProxy, mode: "nftables" } });
    await eventually(60, async () => expect(await count()).toEqual([0, 1]));
    await expectService(kubectl, await probesNow(), Object.values(machines), domain);
  });

  describe("seed-15 says what is wrong by name:", () => {
    let input: string;
    /** Runs the gate that ends `pulumi up`, with less patience. */
    const gate = (): Promise<Finished> =>
      tryOn(machines.cp!, `sudo -n /usr/local/lib/openstack-kubernetes/ready.sh ${20 * patience}`, { input });
    beforeAll(async () => {
      input = String(resourceNamed(await stack.resources(), `${name}-ready`).inputs.stdin);
      expect(await gate()).toEqual({ exitCode: 0, stdout: "2 nodes ready", stderr: "" });
    });

    it("seed-15 the DNS", async () => {
      const scale = (replicas: number) =>
        kubectl.run(["scale", "deployment/coredns", "--namespace=kube-system", `--replicas=${replicas}`]);
      const ready = async () =>
        (await kubectl.get<V1Deployment>("deployment", "coredns", "--namespace=kube-system")).status
          ?.readyReplicas ?? 0;
      await scale(0);
      await eventually(60, async () => expect(await ready()).toBe(0));
      // A pod that ends still answers for a few seconds.
      await eventually(60, async () =>
        expect((await gate()).stderr).toBe(
          "cluster not ready: the cluster's DNS does not answer; see 'kubectl -n kube-system get pods -l k8s-app=kube-dns'",
        ),
      );
      await scale(2);
      await eventually(120, async () => expect(await gate()).toMatchObject({ exitCode: 0 }));
    });

    it("seed-15 a route", async () => {
      const { podNetwork, address } = outputs.inventory["w-1"]!;
      const router = resourceNamed(await stack.resources(), "-network-router").id!;
      const change = (what: "add" | "remove") =>
        openStack({
          service: "network",
          method: "PUT",
          path: `/v2.0/routers/${router}/${what}_extraroutes`,
          body: { router: { routes: [{ destination: podNetwork, nexthop: address }] } },
        });
      await change("remove");
      await eventually(60, async () =>
        expect((await gate()).stderr).toBe(
          `cluster not ready: pods do not reach node w-1: check the router's route to ${podNetwork} and the port's allowed address pair`,
        ),
      );
      await change("add");
      await eventually(120, async () => expect(await gate()).toMatchObject({ exitCode: 0 }));
    });

    it("seed-15 a kubelet", async () => {
      const isReady = async () => isNodeReady(await kubectl.get<V1Node>("node", "w-1"));
      await on(machines["w-1"]!, "sudo systemctl stop kubelet");
      await eventually(180, async () => expect(await isReady()).toBe(false));
      expect((await gate()).stderr).toBe(
        "cluster not ready: node w-1 is not Ready; see 'journalctl -u kubelet' on w-1",
      );
      await on(machines["w-1"]!, "sudo systemctl start kubelet");
      await eventually(120, async () => expect(await gate()).toMatchObject({ exitCode: 0 }));
    });
  });

  it("is destroyed without a trace in OpenStack", async () => {
    await phase(`${name}: pulumi destroy`, async () => mustSucceed(stack, await stack.destroy()));
    expect(await inventory()).toEqual(before);
  });
});
