import { check } from "../model/checks.ts";
import { plan, type ClusterPlan } from "../model/plan.ts";

/** The least that a stack must say, with one control-plane node and two workers. */
export const exampleSettings = {
  cluster: { name: "demo" },
  network: { externalNetwork: "public" },
  machine: { image: "debian-13", flavor: "m1.medium" },
  nodes: {
    "cp-1": { role: "control-plane", slot: 10 },
    "worker-1": { role: "worker", slot: 11 },
    "worker-2": { role: "worker", slot: 12 },
  },
};

/** A cluster with all defaults: its addresses are those of the pictures. */
export function examplePlan(): ClusterPlan {
  const { settings, checksums } = check(exampleSettings, () => "");
  return plan(settings, checksums);
}
