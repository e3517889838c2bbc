import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { Files } from "../../model/bundle.ts";
import { planOf } from "../helpers/cluster.ts";
import { commandLines, wrongFlags } from "../helpers/command-lines.ts";
import { openKeys, outlivesMachine } from "../helpers/graph-checks.ts";
import { registerCluster } from "../helpers/graph.ts";
import type { Registered, Secret } from "../helpers/monitor.ts";
import { repo } from "../helpers/project.ts";

// Faults planted into what the program makes, and the test that each of them fails: its check is given the fault here.

let resources: Registered[];
beforeAll(async () => {
  ({ resources } = await registerCluster());
});

/** The cluster's resources with one of them changed. */
const withChanged = (name: string, change: (resource: Registered) => Partial<Registered>) => {
  expect(resources.map((resource) => resource.name)).toContain(name);
  return resources.map((one) => (one.name === name ? { ...one, ...change(one) } : one));
};

/** A control plane's files with a text of one of them replaced. */
function withReplaced(path: string, from: string, to: string): Files {
  const { files } = planOf().controlPlane;
  const content = files[path]!.content.replace(from, to);
  expect(content).not.toBe(files[path]!.content);
  return { ...files, [path]: { ...files[path]!, content } };
}

const converge = "demo-workers-worker-1-converge";
const rightFlags = "have only flags that the programs have";

it.each<[fault: string, file: string, test: string, complaints: () => string[], complaint: string]>([
  [
    "a flag that the kubelet has no more",
    "test/render/flags.test.ts",
    rightFlags,
    () =>
      wrongFlags(
        commandLines(
          withReplaced(
            "/etc/systemd/system/kubelet.service",
            "--node-ip=",
            "--pod-infra-container-image=pause --node-ip=",
          ),
        ),
        "1.36",
      ),
    "kubelet of Kubernetes 1.36 has no flag --pod-infra-container-image=pause",
  ],
  [
    "a flag of kube-apiserver that is spelled wrong",
    "test/render/flags.test.ts",
    rightFlags,
    () =>
      wrongFlags(
        commandLines(
          withReplaced("/etc/kubernetes/manifests/kube-apiserver.yaml", "--etcd-servers=", "--etcd-server="),
        ),
        "1.36",
      ),
    "kube-apiserver of Kubernetes 1.36 has no flag --etcd-server=https://127.0.0.1:2379",
  ],
  [
    "keys sent by a command whose input is no secret",
    "test/graph/cluster.test.ts",
    "no private key is anywhere openly",
    () =>
      openKeys(
        withChanged(converge, ({ inputs }) => ({
          inputs: { ...inputs, stdin: (inputs.stdin as Secret).value },
        })),
      ),
    `a private key is open in the inputs of ${converge}`,
  ],
  [
    "a key in a component's outputs",
    "test/graph/cluster.test.ts",
    "no private key is anywhere openly",
    () =>
      openKeys(
        withChanged("demo", ({ outputs }) => ({ outputs: { ...outputs, key: "private SSH key of demo" } })),
      ),
    "a private key is open in the outputs of demo",
  ],
  [
    "a command on a machine without deletedWith",
    "test/graph/cluster.test.ts",
    "what is on a machine, or in the cluster, goes with a machine",
    () => outlivesMachine(withChanged(converge, () => ({ deletedWith: undefined }))),
    `${converge} is not deleted with demo-workers-worker-1-instance`,
  ],
  [
    "an object in the cluster without deletedWith",
    "test/graph/cluster.test.ts",
    "what is on a machine, or in the cluster, goes with a machine",
    () => outlivesMachine(withChanged("demo-kubernetes", () => ({ deletedWith: undefined }))),
    "demo-kubernetes is not deleted with demo-control-plane-cp-1-instance",
  ],
])("%s fails %s: %s", (_fault, file, test, complaints, complaint) => {
  expect(complaints()).toEqual([complaint]);
  expect(readFileSync(join(repo, file), "utf8")).toContain(`"${test}`);
});
