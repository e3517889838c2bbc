import { describe, expect, it } from "vitest";
import { cloudFindings } from "../../cli/check/cloud.ts";
import { replacing, report, type Finding } from "../../cli/check/finding.ts";
import { findingsIn } from "../../cli/check/node.ts";

const nodes = ["cp-1", "worker-1", "worker-11"];
const urn = (type: string, name: string) =>
  `urn:pulumi:dev::project::openstack-kubernetes:index:Cluster$${type}::${name}`;
const port = urn("openstack:networking/port:Port", "dev-address-pairs-worker-11");
const rule = urn("openstack:networking/secGroupRule:SecGroupRule", "dev-security-groups-node-ssh");

describe("what a preview says", () => {
  const found = (steps: { op: string; urn: string; diffReasons?: string[] }[], known: string[] = []) =>
    cloudFindings(
      { steps },
      known.map((urn) => ({ urn, type: "", inputs: {}, outputs: {} })),
      nodes,
    );

  it("is a finding for each resource of OpenStack that is gone, other, or not there yet", () => {
    const steps = [
      { op: "delete", urn: rule },
      { op: "create", urn: rule },
      { op: "update", urn: port, diffReasons: ["allowedAddressPairs[0]", "allowedAddressPairs[1]"] },
      { op: "create", urn: urn("openstack:networking/port:Port", "dev-address-pairs-cp-1") },
    ];
    const repair = ["--refresh"];
    expect(found(steps, [rule, port])).toEqual([
      { node: undefined, repair, what: "SecGroupRule dev-security-groups-node-ssh is gone" },
      { node: "worker-11", repair, what: "Port dev-address-pairs-worker-11 differs: allowedAddressPairs" },
      { node: "cp-1", repair, what: "Port dev-address-pairs-cp-1 is not made yet" },
    ]);
  });

  it("is none for what stays, and for what only follows from others", () => {
    const follows = ["command:remote:Command", "tls:index/privateKey:PrivateKey", "pulumi:pulumi:Stack"];
    const steps = follows.map((type) => ({ op: "replace", urn: urn(type, "x") }));
    expect(found([...steps, { op: "same", urn: port }, { op: "refresh", urn: port }], [port])).toEqual([]);
  });

  it("has the program's warnings about routes, and no other", () => {
    const diagnostics = [
      "warning: drift: worker-1: the router has lost the route to 10.100.11.0/24; pulumi up puts it back\n",
      "warning: drift: the router has a route to 10.100.77.0/24 by way of 10.0.0.77, which is no node's: openstack router remove route x",
      "warning: quotas are not checked",
    ].map((message) => ({ message, severity: "warning" }));
    expect(cloudFindings({ diagnostics }, [], nodes)).toEqual([
      { what: "worker-1: the router has lost the route to 10.100.11.0/24", repair: [] },
      {
        what: "the router has a route to 10.100.77.0/24 by way of 10.0.0.77, which is no node's",
        advice: "openstack router remove route x",
      },
    ]);
  });

  it("is a finding itself where it failed", () => {
    const diagnostics = [{ message: "error: no credentials\n", severity: "error" }];
    expect(cloudFindings({ diagnostics }, [], nodes)).toEqual([
      { what: "the preview failed: error: no credentials" },
    ]);
  });
});

describe("what a machine says", () => {
  const machine = {
    name: "worker-1",
    resources: { instance: "w-instance", converge: "w-converge" },
  };
  const lines = (answer: string) =>
    findingsIn(answer, machine, nodes).map(({ node, what, repair, advice }) => [
      `${node}: ${what}`,
      repair?.filter((option) => option !== "--replace") ?? advice,
    ]);

  it("is a finding for each file and unit, with the command that sends it anew", () => {
    expect(lines("changed /a\nmissing /key\nmode /b\nstopped kubelet.service\n")).toEqual([
      ["worker-1: /a is not as the stack has it", ["**::w-converge"]],
      ["worker-1: /key is missing", ["**::w-converge"]],
      ["worker-1: /b has other permissions", ["**::w-converge"]],
      ["worker-1: kubelet.service does not run", ["**::w-converge"]],
    ]);
    expect(lines("failed etcd-snapshot.service\n")).toEqual([
      ["worker-1: etcd-snapshot.service has failed", "journalctl -u etcd-snapshot.service there"],
    ]);
  });

  it("is a finding for each node that is not Ready, missing or a stranger", () => {
    expect(lines("node cp-1 True\nnode worker-1 Unknown\nnode old True\n")).toEqual([
      ["worker-1: is not Ready", "journalctl -u kubelet there"],
      ["worker-11: is no node of the cluster", "journalctl -u kubelet there"],
      ["old: is a node of the cluster and not of the stack", "kubectl delete node old"],
    ]);
    expect(lines("silent API\n")).toEqual([
      ["worker-1: the API does not answer", "journalctl -u kubelet there"],
    ]);
    expect(lines("")).toEqual([]);
  });
});

describe("the report", () => {
  it("has a line for each finding, and one command for all that Pulumi can put back", () => {
    const findings: Finding[] = [
      { node: "worker-1", what: "a is missing", repair: replacing("w-instance", "w-converge") },
      { node: "worker-1", what: "b does not run", repair: replacing("w-converge") },
      { what: "SecGroupRule x is gone", repair: ["--refresh"] },
      { what: "a route is lost", repair: [] },
      { node: "cp-1", what: "is not Ready", advice: "look" },
    ];
    expect(report("dev", findings, ["--config-file", "/f.yaml"]).split("\n")).toEqual([
      "5 differences from what stack dev says:",
      "  worker-1: a is missing (pulumi up --replace '**::w-instance' --replace '**::w-converge')",
      "  worker-1: b does not run (pulumi up --replace '**::w-converge')",
      "  SecGroupRule x is gone (pulumi up --refresh)",
      "  a route is lost (pulumi up)",
      "  cp-1: is not Ready (look)",
      "What pulumi can put back, it puts back by:",
      "  pulumi up --stack dev --config-file /f.yaml --replace '**::w-instance' --replace '**::w-converge' --refresh",
    ]);
  });

  it("says so where nothing differs, and gives no command where Pulumi can put back nothing", () => {
    expect(report("dev", [], [])).toBe("Nothing differs from what stack dev says.");
    expect(report("dev", [{ what: "x", advice: "look" }], [])).toBe(
      "1 difference from what stack dev says:\n  x (look)",
    );
  });
});
