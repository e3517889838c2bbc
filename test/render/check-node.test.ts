import { chmodSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkInput, checkNode } from "../../model/commands.ts";
import { unitsOf } from "../../model/units.ts";
import { NodeMachine } from "../helpers/node-machine.ts";

let machine: NodeMachine;
beforeEach(() => {
  machine = new NodeMachine();
});
afterEach(() => {
  machine.remove();
});

const key = { "/etc/kubernetes/pki/kubelet.key": { content: "key\n", mode: "0600" as const } };

/** A worker on which all is as it should be. */
async function converged() {
  const { workers } = machine.planned();
  const files = { ...workers[0]!.files, ...key };
  machine.place(files);
  for (const name of ["ca.crt", "kubelet.crt", "kube-proxy.crt"])
    machine.write(`/etc/kubernetes/pki/${name}`, "certificate\n");
  machine.write("/etc/docker/tls/ca.pem", "certificate\n");
  await machine.run("/usr/local/lib/openstack-kubernetes/converge.sh");
  for (const unit of ["systemd-networkd.service", "node-names.timer"])
    machine.write(`/run/active.${unit}`, "");
  machine.write("/sys/class/net/cbr0/mtu", "1450\n");
  const check = () => machine.run(checkNode, checkInput(files, unitsOf(files)));
  return { check, files };
}

describe("check-node.sh", () => {
  it("has nothing to say of a machine as the stack has left it", async () => {
    const { check } = await converged();
    expect(await check()).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  it("names each file that is gone, other or readable, a file with the MTU in it, and each unit that is down", async () => {
    const { check } = await converged();
    machine.write("/etc/kubernetes/kubelet.yaml", "kind: Other\n");
    rmSync(machine.path("/etc/openstack-kubernetes/sysctl.conf"));
    chmodSync(machine.path(Object.keys(key)[0]!), 0o644);
    machine.write("/etc/cni/net.d/10-cbr0.conflist", "{}\n");
    for (const unit of ["kubelet.service", "node-names.timer"]) rmSync(machine.path(`/run/active.${unit}`));
    const { exitCode, stdout } = await check();
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").sort()).toEqual([
      "changed /etc/cni/net.d/10-cbr0.conflist",
      "changed /etc/kubernetes/kubelet.yaml",
      "missing /etc/openstack-kubernetes/sysctl.conf",
      "mode /etc/kubernetes/pki/kubelet.key",
      "stopped kubelet.service",
      "stopped node-names.timer",
    ]);
  });

  it("names a timer's service that has failed", async () => {
    const { check } = await converged();
    machine.write("/run/failed.node-names.service", "");
    expect((await check()).stdout).toBe("failed node-names.service");
  });

  it("tells on a control plane how the nodes are, or that the API is silent", async () => {
    machine.place(machine.planned().controlPlane.files);
    machine.placeKubectl('echo "node cp-1 True"; echo "node worker-1 Unknown"');
    const { stdout } = await machine.run(checkNode);
    expect(stdout.split("\n").filter((line) => !line.startsWith("changed"))).toEqual([
      "node cp-1 True",
      "node worker-1 Unknown",
    ]);
    machine.write("/api-down", "");
    expect((await machine.run(checkNode)).stdout).toContain("silent API");
  });
});
