import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, it } from "vitest";
import type { DockerClient } from "../../components/cluster.ts";
import { registerCluster, secretsSent } from "../helpers/graph.ts";
import { Secret } from "../helpers/monitor.ts";

type Phase = Awaited<ReturnType<typeof registerCluster>>;
let machines: Phase;
let docker: Phase;
let kubernetes: Phase;

beforeAll(async () => {
  machines = await registerCluster({ phase: "machines" });
  docker = await registerCluster({ phase: "docker" });
  kubernetes = await registerCluster({ phase: "kubernetes" });
});

const names = ({ resources }: Phase) => resources.map(({ name }) => name);
const nodes = ["demo-control-plane-cp-1", "demo-workers-worker-1", "demo-workers-worker-2"];

/** What of an earlier phase's resources has other inputs, dependencies or options in a later one. */
const changed = (earlier: Phase, later: Phase) => {
  const asked = ({ graph }: Phase, name: string) => JSON.stringify({ ...graph[name], outputs: undefined });
  return names(earlier)
    .filter((name) => asked(earlier, name) !== asked(later, name))
    .sort();
};

describe("the phases of a stack", () => {
  it("begin with network and machines alone", () => {
    const types = new Set(machines.resources.filter(({ custom }) => custom).map(({ type }) => type));
    expect([...types].filter((type) => !type.startsWith("openstack:")).sort()).toEqual([
      "command:local:Command",
      "tls:index/privateKey:PrivateKey",
    ]);
    // On the client, and nothing before a destroy.
    const commands = machines.resources.filter(({ type }) => type === "command:local:Command");
    expect(commands.flatMap(({ inputs }) => Object.keys(inputs))).not.toContain("create");
    // The keys of SSH; nothing is signed, and nobody logs in.
    const keys = machines.resources.filter(({ type }) => type === "tls:index/privateKey:PrivateKey");
    expect(keys.map(({ name }) => name).sort()).toEqual(
      [...nodes.map((node) => `${node}-host-key`), "demo-ssh-key"].sort(),
    );
  });

  it("go on with Docker: the authorities of its servers and clients, its client, and keys and files of each node", () => {
    const added = names(docker).filter((name) => !(name in machines.graph));
    const ofNode = ["node-key", "request", "certificate", "converge"];
    const authorities = ["kubernetes", "docker"].map((name) => `demo-certificates-${name}-ca`);
    const client = "demo-certificates-docker-client";
    expect(added.sort()).toEqual(
      [
        ...authorities.flatMap((ca) => [ca, `${ca}-key`, `${ca}-certificate`]),
        ...[client, `${client}-key`, `${client}-request`, `${client}-certificate`],
        ...nodes.flatMap((node) => ofNode.map((part) => `${node}-${part}`)),
      ].sort(),
    );
  });

  it("change nothing of the machines when Docker comes but the files that are shown", () => {
    expect(changed(machines, docker)).toEqual([...nodes].sort());
  });

  it("change nothing of Docker's when Kubernetes comes but the files and their way to the machines", () => {
    expect(changed(docker, kubernetes)).toEqual(nodes.flatMap((node) => [node, `${node}-converge`]).sort());
  });

  it("keep Docker's keys and certificates as they are", () => {
    for (const node of nodes) {
      const sent = ({ graph }: Phase) =>
        Object.entries(secretsSent(graph[`${node}-converge`]!)).filter(([path]) =>
          path.startsWith("/etc/docker/"),
        );
      expect(sent(docker)).toHaveLength(3);
      expect(sent(kubernetes)).toEqual(sent(docker));
    }
  });

  it("are the same in a preview", async () => {
    for (const [phase, made] of Object.entries({ machines, docker })) {
      const preview = await registerCluster({ phase }, true);
      expect(names(preview).sort()).toEqual(names(made).sort());
    }
  });

  it("have a kubeconfig and an endpoint only with Kubernetes, Docker's client before", async () => {
    const outputs = ({ cluster }: Phase) => ({
      kubeconfig: cluster.kubeconfig !== undefined,
      api: cluster.endpoints.api !== undefined,
      dockerClient: cluster.dockerClient !== undefined,
      nodes: Object.keys(cluster.inventory).length,
    });
    expect(outputs(machines)).toEqual({ kubeconfig: false, api: false, dockerClient: false, nodes: 3 });
    expect(outputs(docker)).toEqual({ kubeconfig: false, api: false, dockerClient: true, nodes: 3 });
    expect(outputs(kubernetes)).toEqual({ kubeconfig: true, api: true, dockerClient: true, nodes: 3 });
  });
});

it("Docker's client verifies servers by Kubernetes' authority, its certificate is of Docker's, and all is a secret", async () => {
  const { dockerClient } = docker.cluster;
  const client = await new Promise<DockerClient>((resolve) => dockerClient!.apply(resolve));
  expect(client).toEqual({
    ca: "certificate demo-certificates-kubernetes-ca-certificate\n",
    certificate: "certificate demo-certificates-docker-client-certificate\n",
    key: "private key of demo-certificates-docker-client-key\n",
  });
  expect(await pulumi.isSecret(dockerClient!)).toBe(true);
  const { caCertPem, caPrivateKeyPem } = docker.graph["demo-certificates-docker-client-certificate"]!.inputs;
  expect(caCertPem).toBe("certificate demo-certificates-docker-ca-certificate\n");
  expect(caPrivateKeyPem).toEqual(new Secret("private key of demo-certificates-docker-ca-key\n"));
});
