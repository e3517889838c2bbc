import { describe, expect, it } from "vitest";
import type { Files } from "../../model/bundle.ts";
import { planOf } from "../helpers/cluster.ts";

const stepsFile = "/etc/openstack-kubernetes/steps";
const everything = {
  proxy: { http: "http://192.0.2.1:3128", https: "http://192.0.2.1:3128" },
  ntp: { servers: ["192.0.2.123"] },
  network: { externalNetwork: "public", routing: "flannel" },
};

describe.each(["containerd", "docker"])("the phases of a stack on %s", (runtime) => {
  const nodesIn = (phase: string) => planOf({ ...everything, runtime, phase }).nodes;
  const steps = (files: Files) => files[stepsFile]!.content.trimEnd().split("\n");

  it("have no files at all while there are machines alone", () => {
    for (const { files } of nodesIn("machines")) expect(files).toEqual({});
  });

  it("leave every file of Docker's as it is when Kubernetes comes, but the list of steps", () => {
    const later = nodesIn("kubernetes");
    nodesIn("docker").forEach(({ name, files }, index) => {
      const paths = Object.keys(files).filter((path) => path !== stepsFile);
      expect(paths.length, name).toBeGreaterThan(10);
      for (const path of paths) expect(later[index]!.files[path], path).toEqual(files[path]);
    });
  });

  it("add steps to those of Docker's without changing their order", () => {
    const later = nodesIn("kubernetes");
    nodesIn("docker").forEach(({ files }, index) => {
      const kept = steps(files);
      expect(steps(later[index]!.files).filter((step) => kept.includes(step))).toEqual(kept);
      expect(kept).not.toContain("kubelet");
    });
  });

  it("have nothing of Kubernetes on a machine with Docker alone", () => {
    for (const { files } of nodesIn("docker")) {
      const paths = Object.keys(files).filter((path) =>
        /kube|cri-dockerd|flannel|ready|remove-node|downloads/.test(path),
      );
      // The program's own name has Kubernetes in it.
      expect(paths.filter((path) => !/^\/(etc|usr\/local\/lib)\/openstack-kubernetes\//.test(path))).toEqual([
        "/etc/systemd/system/docker.service.d/openstack-kubernetes.conf",
        "/etc/systemd/timesyncd.conf.d/openstack-kubernetes.conf",
      ]);
      for (const path of Object.keys(files)) expect(path).not.toMatch(/ready\.sh|remove-node\.sh|downloads$/);
    }
  });
});

it("the authorities and certificates are those of the phase", () => {
  const signed = (phase: string) => {
    const { authorities, certificates } = planOf({ phase });
    return { authorities, certificates: Object.keys(certificates) };
  };
  expect(signed("machines")).toEqual({ authorities: [], certificates: [] });
  expect(signed("docker")).toEqual({
    authorities: ["kubernetes", "docker"],
    certificates: ["docker-client"],
  });
  expect(signed("kubernetes").authorities).toEqual(["kubernetes", "etcd", "front-proxy", "docker"]);
  expect(signed("kubernetes").certificates).toHaveLength(13);
});
