import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { authorities, ofEpoch, type Authority } from "../../model/certificates.ts";
import { parse } from "yaml";
import { registerCluster, secretsSent } from "../helpers/graph.ts";
import { Secret, validityEndTime, type Registered } from "../helpers/monitor.ts";

/** A rotation of every key that signs, a run of the program each. */
const steps = [
  { trusted: [1], signing: 1 },
  { trusted: [1, 2], signing: 1 },
  { trusted: [1, 2], signing: 2 },
  { trusted: [2], signing: 2 },
];
const signers = [...(Object.keys(authorities) as Authority[]), "service-account"];
const nodes = ["demo-control-plane-cp-1", "demo-workers-worker-1", "demo-workers-worker-2"];
const pki = "/etc/kubernetes/pki";
/** Where a node keeps what it trusts of an authority. */
const trustFiles: Record<Authority, string> = {
  kubernetes: `${pki}/ca.crt`,
  etcd: `${pki}/etcd/ca.crt`,
  "front-proxy": `${pki}/front-proxy-ca.crt`,
  docker: "/etc/docker/tls/ca.pem",
};

type Run = Awaited<ReturnType<typeof registerCluster>>;
let runs: Run[];
let plain: Run;
beforeAll(async () => {
  plain = await registerCluster();
  runs = [];
  for (const step of steps) {
    const epochs = Object.fromEntries(signers.map((signer) => [signer, step]));
    runs.push(await registerCluster({ certificates: { epochs } }));
  }
});

/** The keys and certificates of a node by path. */
function filesOf({ graph }: Run, node: string): Record<string, string> {
  const files = Object.entries(secretsSent(graph[`${node}-converge`]!));
  return Object.fromEntries(files.map(([path, { content }]) => [path, content]));
}

/** Names of the certificates that a text of mocks holds. */
const certificatesIn = (text: string) =>
  [...text.matchAll(/^certificate (.+)-certificate$/gm)].map(([, name]) => name);

const known = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply(resolve));

/** What is trusted of an authority: on each node that has a file of it, and by clients outside. */
async function trustedIn(run: Run, authority: Authority): Promise<string[][]> {
  const texts = nodes.flatMap((node) => filesOf(run, node)[trustFiles[authority]] ?? []);
  if (authority === "kubernetes") {
    texts.push((await known(run.cluster.dockerClient!)).ca);
    const config = parse(await known(run.cluster.kubeconfig!)) as {
      clusters: { cluster: { "certificate-authority-data": string } }[];
    };
    texts.push(Buffer.from(config.clusters[0]!.cluster["certificate-authority-data"], "base64").toString());
  }
  return texts.map((text) => certificatesIn(text) as string[]);
}

/** Who signs the certificates of an authority. */
function signersIn({ resources }: Run, authority: Authority): string[] {
  const ca = new RegExp(`^demo-certificates-${authority}-ca(-\\d+)?$`);
  const signed = resources.filter(({ type }) => type === "tls:index/locallySignedCert:LocallySignedCert");
  return signed
    .map(({ inputs }) => certificatesIn(inputs.caCertPem as string)[0]!)
    .filter((name) => ca.test(name));
}

describe("the steps of a rotation", () => {
  it("begin with what a stack has that says nothing of certificates", () => {
    expect(runs[0]!.graph).toEqual(plain.graph);
    expect(plain.resources.filter(({ name }) => /(-ca|service-account)-2/.test(name))).toEqual([]);
  });

  it.each(Object.keys(authorities) as Authority[])(
    "%s: every certificate is signed by one whom all trust, in the step before and after as well",
    async (authority) => {
      for (const [index, run] of runs.entries()) {
        const signing = new Set(signersIn(run, authority));
        expect(signing.size).toBe(1);
        const around = runs.slice(Math.max(0, index - 1), index + 2);
        const trusted = (await Promise.all(around.map((other) => trustedIn(other, authority)))).flat();
        expect(trusted.length).toBeGreaterThan(around.length - 1);
        for (const names of trusted) expect(names).toEqual(expect.arrayContaining([...signing]));
      }
      const [first, last] = [runs[0]!, runs[3]!].map((run) => signersIn(run, authority)[0]!);
      expect((await trustedIn(runs[0]!, authority)).flat()).not.toContain(last);
      expect((await trustedIn(runs[3]!, authority)).flat()).not.toContain(first);
    },
  );

  it("Docker's client trusts who signs the server's certificate, in the step before and after as well", async () => {
    const clients = await Promise.all(runs.map(({ cluster }) => known(cluster.dockerClient!)));
    for (const [index, run] of runs.entries()) {
      for (const node of nodes) {
        const [served] = certificatesIn(filesOf(run, node)["/etc/docker/tls/server-cert.pem"]!);
        const signer = run.graph[`${served}-certificate`]!.inputs.caCertPem as string;
        for (const { ca } of clients.slice(Math.max(0, index - 1), index + 2)) expect(ca).toContain(signer);
      }
    }
  });

  it("Docker's server takes clients of Docker's authority alone", () => {
    for (const [index, run] of runs.entries()) {
      const names = steps[index]!.trusted.map((epoch) => ofEpoch("demo-certificates-docker-ca", epoch));
      for (const node of nodes)
        expect(certificatesIn(filesOf(run, node)["/etc/docker/tls/ca.pem"]!)).toEqual(names);
    }
  });

  it("Docker's server has the kubelet's key and certificate", () => {
    for (const node of nodes) {
      const files = filesOf(plain, node);
      expect(files["/etc/docker/tls/server-cert.pem"]).toBe(files[`${pki}/kubelet.crt`]);
      expect(files["/etc/docker/tls/server-key.pem"]).toBe(files[`${pki}/kubelet.key`]);
    }
  });

  it("service-account tokens: those of the step before and after count", () => {
    const keys = runs.map((run) => filesOf(run, nodes[0]!));
    const signing = keys.map((files) => files[`${pki}/sa.key`]!.replace("private", "public"));
    expect(new Set(signing).size).toBe(2);
    keys.forEach((files, index) => {
      for (const signer of signing.slice(Math.max(0, index - 1), index + 2))
        expect(files[`${pki}/sa.pub`]).toContain(signer);
    });
    expect(keys[3]![`${pki}/sa.pub`]).not.toContain(signing[0]);
  });

  it("hand the controller manager one certificate to sign with, and its key", () => {
    for (const [index, run] of runs.entries()) {
      const manifest = (run.graph[nodes[0]!]!.inputs.files as Record<string, string>)[
        "/etc/kubernetes/manifests/kube-controller-manager.yaml"
      ]!;
      const path = /--cluster-signing-cert-file=(\S+)/.exec(manifest)![1]!;
      const files = filesOf(run, nodes[0]!);
      const name = `demo-certificates-kubernetes-ca${index < 2 ? "" : "-2"}`;
      expect(certificatesIn(files[path]!)).toEqual([name]);
      expect(files[`${pki}/ca.key`]).toBe(`private key of ${name}-key\n`);
    }
  });

  it("make only the new keys, their certificates and what holds them", () => {
    const [before, after] = [runs[0]!, runs[1]!];
    const added = after.resources.filter(({ name }) => !(name in before.graph)).map(({ name }) => name);
    const ofAuthority = (name: string) => [name, `${name}-certificate`, `${name}-key`];
    expect(added.sort()).toEqual(
      [
        ...Object.keys(authorities).flatMap((name) => ofAuthority(`demo-certificates-${name}-ca-2`)),
        "demo-certificates-service-account-2",
      ].sort(),
    );
    const changed = ({ name, type, inputs }: Registered) =>
      !type.startsWith("command:") && JSON.stringify(after.graph[name]!.inputs) !== JSON.stringify(inputs);
    // The control plane's own files name the certificate that the controller manager signs with.
    expect(before.resources.filter(changed).map(({ name }) => name)).toEqual([nodes[0], "demo-kubernetes"]);
  });

  it("make CoreDNS's pods anew once another key signs, when they find both certificates", () => {
    const templates = runs.map(({ graph }) => {
      const { spec } = graph["demo-coredns-deployment"]!.inputs as { spec: { template: object } };
      return JSON.stringify(spec.template);
    });
    expect(templates.map((template) => template === templates[0])).toEqual([true, true, false, false]);
    expect(templates[3]).toBe(templates[2]);
  });

  it("keep the new authority's key a secret", () => {
    for (const run of runs.slice(1)) {
      const { inputs } = run.graph["demo-certificates-kubernetes-ca-2-certificate"]!;
      expect(inputs.privateKeyPem).toBeInstanceOf(Secret);
    }
  });
});

describe("lives", () => {
  it("are those of the settings, for authorities and for what they sign", async () => {
    const { resources } = await registerCluster({
      certificates: { leafHours: 48, authorityHours: 96, renewHours: 12 },
    });
    const lives = (ending: string) => [
      ...new Set(
        resources
          .filter(({ type }) => type.endsWith(ending))
          .map(({ inputs }) => `${String(inputs.validityPeriodHours)} ${String(inputs.earlyRenewalHours)}`),
      ),
    ];
    expect(lives(":LocallySignedCert")).toEqual(["48 12"]);
    expect(lives(":SelfSignedCert")).toEqual(["96 12"]);
  });
});

describe("a warning", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  async function warningsAt(time: string, preview = false): Promise<string[]> {
    vi.useFakeTimers({ now: new Date(time), toFake: ["Date"] });
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    await registerCluster({}, preview);
    return warn.mock.calls.map(([text]) => String(text));
  }

  it("comes from 30 days before an end on, for each node and for what the cluster has in common", async () => {
    const end = Date.parse(validityEndTime);
    const daysBefore = (days: number) => new Date(end - days * 86_400_000).toISOString();
    expect(await warningsAt(daysBefore(30))).toEqual([]);
    const warnings = await warningsAt(daysBefore(29));
    expect(warnings).toHaveLength(1 + nodes.length);
    expect(warnings.join("\n")).toMatch(/kubernetes-ca on 2099-12-31, .*apiserver on 2099-12-31/);
    expect(warnings.join("\n")).toMatch(/system:node:worker-1 on 2099-12-31/);
  });

  it("is not given of what is yet to be made", async () => {
    expect(await warningsAt("2100-01-01T00:00:00Z", true)).toEqual([]);
  });
});
