import { expect, test } from "vitest";
import { chooseCompute } from "../../../lab/compute.ts";

const noKvm = "the processor shows no hardware virtualisation";

test("takes the best kind that works", () => {
  expect(chooseCompute({ noKvm: undefined, cgroupV1: true }).compute).toBe("kvm");
  expect(chooseCompute({ noKvm, cgroupV1: true }).compute).toBe("lxc");
  expect(chooseCompute({ noKvm, cgroupV1: false }).compute).toBe("qemu");
});

test("says why a better kind was left out", () => {
  expect(chooseCompute({ noKvm, cgroupV1: true }).why).toContain(noKvm);
});

test("takes what is asked for, or says why it cannot", () => {
  expect(chooseCompute({ noKvm: undefined, cgroupV1: true }, "qemu").compute).toBe("qemu");
  expect(() => chooseCompute({ noKvm, cgroupV1: true }, "kvm")).toThrow(noKvm);
  expect(() => chooseCompute({ noKvm, cgroupV1: false }, "lxc")).toThrow("cgroup v1");
  expect(() => chooseCompute({ noKvm, cgroupV1: true }, "xen")).toThrow("allowed are kvm, lxc, qemu");
});
