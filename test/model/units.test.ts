import { expect, it } from "vitest";
import { template } from "../../model/templates.ts";
import { unitOfStep, unitsOf } from "../../model/units.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";

it("every unit that converge.sh starts is known by its step", () => {
  const steps = template("scripts/converge.sh")
    .split(/^step_/m)
    .slice(1);
  const started = steps.flatMap((text) =>
    [...text.matchAll(/(?:restart_if_changed|enable --now) ([\w.-]+\.\w+)/g)].map(([, unit]) => [
      text.split("(")[0],
      unit,
    ]),
  );
  expect(started.length).toBeGreaterThan(5);
  const known = Object.entries(unitOfStep).filter(([step]) => step !== "pod_network");
  expect(started.sort()).toEqual(known.sort());
});

it("the units of a node are those of its phase, role, runtime and routing", () => {
  const base = ["systemd-networkd", "pod-network", "containerd"];
  const units = (role: "controlPlane" | "worker", settings: Record<string, unknown> = {}) => {
    const { controlPlane, workers } = planOf(settings);
    return unitsOf((role === "worker" ? workers[0]! : controlPlane).files).map((unit) =>
      unit.replace(".service", ""),
    );
  };
  expect(units("controlPlane")).toEqual([
    ...[...base, "kubelet", "kube-proxy", "docker", "etcd-snapshot.timer", "node-names.timer"],
  ]);
  expect(units("worker", { runtime: "docker" })).toEqual([
    ...[...base, "docker", "cri-dockerd", "kubelet", "kube-proxy", "node-names.timer"],
  ]);
  const network = { ...stackSettings.network, routing: "flannel" };
  expect(units("worker", { network })).toContain("flanneld");
  expect(units("worker", { phase: "docker" })).toEqual([...base, "docker"]);
  expect(units("worker", { phase: "machines" })).toEqual([]);
});
