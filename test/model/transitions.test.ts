import { describe, expect, it } from "vitest";
import { foundationsOf, type Foundations } from "../../model/foundations.ts";
import { refusals, refusalText } from "../../model/transitions.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";

const before = foundationsOf(planOf());

/** What is refused of a change, in the words for the user. */
function refused(changes: Partial<Foundations>, { from = {}, allowed = [] as string[] } = {}): string[] {
  return refusals({ ...before, ...from }, { ...before, ...changes }, allowed).map(refusalText);
}

const { "cp-1": controlPlane, "worker-1": worker, ...others } = before.nodes;
const withNode = (name: string, change: object) => ({
  nodes: { ...before.nodes, [name]: { ...before.nodes[name]!, ...change } },
});

describe("a change of a running cluster", () => {
  it("that is none is refused nothing", () => {
    expect(refused({})).toEqual([]);
  });

  it("says the setting, what was and what would be, why not, and what to do instead", () => {
    expect(refused({ podNetwork: "10.128.0.0/16" })).toEqual([
      "openstack-kubernetes:cluster.podNetwork: 10.100.0.0/16 cannot become 10.128.0.0/16: Kubernetes never changes a " +
        "node's pod network; keep it, or build another stack with it and move what runs there",
    ]);
  });

  it("is refused with all that is wrong about it at once", () => {
    const found = refused({ serviceNetwork: "10.96.0.0/16", apiPort: 443, clusterName: "other" });
    expect(found.map((line) => line.split(": ")[0])).toEqual([
      "openstack-kubernetes:cluster.name",
      "openstack-kubernetes:cluster.serviceNetwork",
      "openstack-kubernetes:cluster.apiPort",
    ]);
  });

  it("tells a network once, not once more for each node that it moves", () => {
    const plan = planOf({
      network: { ...stackSettings.network, nodeNetwork: "10.9.0.0/24" },
      cluster: { ...stackSettings.cluster, podNetwork: "10.128.0.0/16", serviceNetwork: "10.96.0.0/16" },
    });
    expect(refusals(before, foundationsOf(plan), []).map(({ setting }) => setting)).toEqual([
      "network.nodeNetwork",
      "cluster.podNetwork",
      "cluster.serviceNetwork",
    ]);
  });

  it("may disrupt what runs where the settings allow it, and nothing else", () => {
    const changes = { domain: "example.org", dnsAddress: "10.254.0.53", runtime: "docker" };
    expect(refused(changes)).toHaveLength(3);
    expect(refused(changes)[0]).toMatch(
      /; to go on nevertheless, add cluster\.domain to openstack-kubernetes:allowDisruption$/,
    );
    expect(refused(changes, { allowed: ["cluster.domain", "cluster.dnsAddress"] })).toEqual([
      expect.stringMatching(/^openstack-kubernetes:runtime: containerd cannot become docker: /),
    ]);
  });

  it("may bring, take and rename workers", () => {
    const elsewhere = { ...worker!, address: "10.0.0.21", podNetwork: "10.100.21.0/24" };
    expect(refused({ nodes: { "cp-1": controlPlane!, ...others, "worker-9": elsewhere } })).toEqual([]);
  });
});

describe("the version of Kubernetes", () => {
  const from = (version: string) => ({ from: { kubernetesVersion: version } });

  it.each([
    ["1.36.3", "1.36.4"],
    ["1.36.3", "1.37.0"],
    ["1.35.7", "1.36.0"],
  ])("may go from %s to %s", (old, now) => {
    expect(refused({ kubernetesVersion: now }, from(old))).toEqual([]);
  });

  it.each([
    ["1.36.3", "1.36.2", "do not go back to an older release"],
    ["1.36.3", "1.35.9", "do not go back to an older release"],
    ["1.35.3", "1.37.0", "one minor version at a time; go to 1.36 first"],
  ])("may not go from %s to %s", (old, now, why) => {
    expect(refused({ kubernetesVersion: now }, from(old))).toEqual([expect.stringContaining(why)]);
  });
});

describe("a node", () => {
  it("keeps its address, and is renamed to have another", () => {
    expect(refused(withNode("worker-1", { address: "10.0.0.21", podNetwork: "10.100.21.0/24" }))).toEqual([
      "openstack-kubernetes:nodes.worker-1.slot: 10.0.0.11 cannot become 10.0.0.21: a machine keeps the address that it " +
        "booted with; rename worker-1, with a slot that no node has: it leaves the cluster and a new machine comes in " +
        "its place",
    ]);
  });

  it("gets no address that a node which goes still has", () => {
    expect(refused({ nodes: { "cp-1": controlPlane!, ...others, "worker-9": worker! } })).toEqual([
      "openstack-kubernetes:nodes.worker-9.slot: 10.0.0.11 is the address of worker-1, which leaves only when worker-9 has " +
        "come; give worker-9 another slot, or take worker-1 away by a run before",
    ]);
  });

  it("keeps its pod network", () => {
    expect(refused(withNode("worker-1", { podNetwork: "10.100.77.0/24" }))).toEqual([
      expect.stringMatching(
        /^openstack-kubernetes:nodes\.worker-1\.podNetwork: 10\.100\.11\.0\/24 cannot become /,
      ),
    ]);
  });

  it("may have another machine, unless it is the control plane", () => {
    const machine = { image: "other", keyPair: "operator" };
    expect(refused(withNode("worker-1", machine))).toEqual([]);
    expect(refused(withNode("cp-1", { flavor: "m1.large" }))).toEqual([]);
    expect(refused(withNode("cp-1", machine))).toEqual([
      expect.stringMatching(
        /^openstack-kubernetes:nodes\.cp-1\.image: .* etcd, .* cp-1; keep debian-13 for this node$/,
      ),
      expect.stringMatching(
        /^openstack-kubernetes:nodes\.cp-1\.keyPair: none cannot become operator, .*; leave it out$/,
      ),
    ]);
  });

  it("stays the control plane", () => {
    const moved = {
      "cp-1": { ...controlPlane!, role: "worker" },
      "worker-1": { ...worker!, role: "control-plane" },
    };
    expect(refused({ nodes: { ...others, ...moved } })).toEqual([
      expect.stringMatching(
        /^openstack-kubernetes:nodes: the control plane cannot move from cp-1 to worker-1: etcd, /,
      ),
    ]);
  });

  it("is not made anew with all others for a key that may log in", () => {
    expect(refused({ authorizedKeys: ["ssh-ed25519 AAAA"] })).toEqual([
      expect.stringMatching(
        /^openstack-kubernetes:ssh\.authorizedKeys: .*add a key to ~\/\.ssh\/authorized_keys/,
      ),
    ]);
  });
});

describe("before Kubernetes runs", () => {
  const from = { phase: "docker" as const };

  it("what only Kubernetes holds on to may change", () => {
    const changes = {
      phase: "docker" as const,
      podNetwork: "10.128.0.0/16",
      domain: "example.org",
      runtime: "docker",
    };
    expect(refused({ ...changes, authorizedKeys: ["ssh-ed25519 AAAA"] }, { from })).toEqual([]);
  });

  it("machines keep their network and addresses, and no phase is gone back", () => {
    const found = refused({ phase: "machines", nodeNetwork: "10.9.0.0/24" }, { from });
    expect(found.map((line) => line.split(": ")[0])).toEqual([
      "openstack-kubernetes:phase",
      "openstack-kubernetes:network.nodeNetwork",
    ]);
  });
});
