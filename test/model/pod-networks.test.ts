import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { NodePlan } from "../../model/plan.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";

const cluster = (settings: object) => ({ cluster: { ...stackSettings.cluster, ...settings } });
const worker = (podNetwork: unknown, more: object = {}) => ({
  nodes: { ...stackSettings.nodes, "worker-1": { role: "worker", slot: 11, podNetwork, ...more } },
});
const alone = (podNetwork: string) => ({
  nodes: { "cp-1": { role: "control-plane", slot: 10, podNetwork } },
});

describe("a pod network of a node's own", () => {
  const outside = "must be in cluster.podNetwork 10.100.0.0/16, not";

  it("larger than the cluster's is refused", () => {
    expect(problemsOf({ ...stackSettings, ...alone("10.0.0.0/8") })).toEqual([
      `nodes.cp-1.podNetwork: ${outside} 10.0.0.0/8`,
    ]);
  });

  it("over several nodes' is told with each of them, that of two such nodes once", () => {
    const nodes = {
      ...worker("10.100.8.0/21").nodes,
      "worker-3": { role: "worker", slot: 13, podNetwork: "10.100.15.0/24" },
      "worker-4": { role: "worker", slot: 14, podNetwork: "10.100.99.0/24" },
    };
    expect(problemsOf({ ...stackSettings, nodes })).toEqual([
      "nodes.worker-1.podNetwork: 10.100.8.0/21 overlaps 10.100.10.0/24 of cp-1",
      "nodes.worker-1.podNetwork: 10.100.8.0/21 overlaps 10.100.12.0/24 of worker-2",
      "nodes.worker-3.podNetwork: 10.100.15.0/24 overlaps 10.100.8.0/21 of worker-1",
    ]);
  });

  it("frees the slot from the pod network's bounds, not from the node network's", () => {
    const small = cluster({ podNetwork: "10.96.0.0/20", nodePodPrefix: 26 });
    const at = (slot: number, podNetwork?: string) =>
      problemsOf({ ...stackSettings, ...small, ...worker(podNetwork, { slot }) });
    expect(at(64)).toEqual([
      "nodes.worker-1.slot: must be from 2 to 63, not 64: 10.0.0.0/24 has its router at 1 and Neutron's own range in its last quarter, 10.96.0.0/20 has 64 networks of /26",
    ]);
    expect(at(64, "10.96.1.0/26")).toEqual([]);
    expect(at(192, "10.96.1.0/26")).toEqual([
      "nodes.worker-1.slot: must be from 2 to 191, not 192: 10.0.0.0/24 has its router at 1 and Neutron's own range in its last quarter",
    ]);
  });

  it("may be all of the cluster's, for a node alone", () => {
    expect(planOf(alone("10.100.0.0/16")).controlPlane).toMatchObject({
      podNetwork: "10.100.0.0/16",
      podGateway: "10.100.0.1",
    });
  });
});

describe("a pod network of", () => {
  const file = (node: NodePlan, path: string) => node.files[path]!.content;

  it.each([
    ["10.100.0.0/16", 24, "10.100.11.0/24", "10.100.11.2 to 10.100.11.191", "10.100.11.192/26", undefined],
    ["10.96.0.0/20", 26, "10.96.2.192/26", "10.96.2.194 to 10.96.2.239", "10.96.2.240/28", 46],
    ["10.100.0.0/19", 25, "10.100.5.128/25", "10.100.5.130 to 10.100.5.223", "10.100.5.224/27", 94],
    ["10.100.0.0/22", 27, "10.100.1.96/27", "10.100.1.98 to 10.100.1.119", "10.100.1.120/29", 22],
    ["10.96.0.0/12", 20, "10.96.176.0/20", "10.96.176.2 to 10.96.187.255", "10.96.188.0/22", undefined],
  ])(
    "%s by /%i has room for pods and for Docker",
    (podNetwork, nodePodPrefix, own, pods, docker, maxPods) => {
      const node = planOf(cluster({ podNetwork, nodePodPrefix })).workers[0]!;
      expect(node.podNetwork).toBe(own);
      const conflist = file(node, "/etc/openstack-kubernetes/with-mtu/etc/cni/net.d/10-cbr0.conflist");
      const [, start, end] = /"rangeStart": "(.+)",\s+"rangeEnd": "(.+)"/.exec(conflist)!;
      expect(`${start} to ${end}`).toBe(pods);
      expect(JSON.parse(file(node, "/etc/docker/daemon.json"))).toMatchObject({ "fixed-cidr": docker });
      // The kubelet takes no more pods than there are addresses, and 110 by itself.
      const kubelet = parse(file(node, "/etc/kubernetes/kubelet.yaml")) as { maxPods?: number };
      expect(kubelet.maxPods).toBe(maxPods);
      // All of the cluster's, however it is divided, is local to it.
      expect(file(node, "/etc/kubernetes/kube-proxy.yaml")).toContain(`clusterCIDR: ${podNetwork}\n`);
      expect(file(node, "/etc/openstack-kubernetes/pod-network.nft")).toContain(
        `elements = { ${podNetwork}, `,
      );
    },
  );

  it("few addresses leaves the number of pods to the settings where they say it", () => {
    const settings = { ...cluster({ nodePodPrefix: 26 }), kubelet: { maxPods: 20 } };
    expect(file(planOf(settings).controlPlane, "/etc/kubernetes/kubelet.yaml")).toContain("maxPods: 20\n");
  });
});
