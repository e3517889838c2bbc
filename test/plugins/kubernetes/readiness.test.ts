import { describe, expect, test } from "vitest";
import type { Cluster } from "../../../lab/plugins/kubernetes/cluster.ts";
import type { KubeObject } from "../../../lab/plugins/kubernetes/kinds.ts";
import { progressOf } from "../../../lab/plugins/kubernetes/ready.ts";
import { isSecret, secret } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { open } from "../support.ts";
import { deployment, driven, finished, pauses, server, whilePaused } from "./driven.ts";

describe("readiness", () => {
  const type = () => driven("kubernetes:apps/v1:Deployment");

  test("a create ends when the object is ready, and the state is of then", async () => {
    let reads = 0;
    server.control = (object) => {
      reads += 1;
      object.status =
        reads > 3
          ? finished
          : { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 1 };
    };
    const driver = type();
    const { outs } = await driver.create(deployment());
    expect(open(outs)).toMatchObject({ status: finished });
    expect(pauses).toEqual([500, 500, 500]);
    expect(driver.statuses).toEqual(["1 of 2 replicas are available, 2 are new, 0 are old"]);
  });

  test("an object that does not become ready is created all the same, and fails", async () => {
    const driver = driven("kubernetes:apps/v1:Deployment", {}, { timeoutSeconds: 3 });
    const inputs = deployment({ paused: secret(true) });
    const error = await driver.create(inputs).catch((caught) => caught);
    expect(error.message).toMatch(/^Deployment default\/d was applied but is not ready: gave up after 3 s: /);
    expect(error).toMatchObject({ id: "default/d", reasons: [error.message] });
    expect(open(error.properties)).toMatchObject({
      metadata: { name: "d" },
      __inputs: { kind: "Deployment" },
    });
    expect(isSecret((error.properties.spec as Props).paused)).toBe(true);
    expect(pauses).toHaveLength(6);
  });

  test("looks often at first, and less after half a minute", async () => {
    const driver = driven("kubernetes:apps/v1:Deployment", {}, { timeoutSeconds: 40 });
    await expect(driver.create(deployment())).rejects.toThrow("gave up after 40 s");
    expect(pauses).toEqual([...Array(60).fill(500), ...Array(5).fill(2000)]);
  });

  test("the time limit is 10 minutes, by annotation another one", async () => {
    await expect(type().create(deployment())).rejects.toThrow("gave up after 600 s");
    const inputs = deployment({}, { "pulumi.com/timeoutSeconds": "2" });
    server.objects.clear();
    await expect(type().create(inputs)).rejects.toThrow("gave up after 2 s");
  });

  test("skipAwait does not wait", async () => {
    await type().create(deployment({}, { "pulumi.com/skipAwait": "true" }));
    expect(pauses).toEqual([]);
  });

  test("waiting ends with a cancellation, and when somebody deletes the object", async () => {
    const cancelled = type();
    whilePaused(() => cancelled.cancellation.abort());
    await expect(cancelled.create(deployment())).rejects.toThrow("cancelled");
    server.objects.clear();
    whilePaused(() => server.objects.clear());
    await expect(type().create(deployment())).rejects.toThrow("deleted by somebody else");
  });

  const labels = { app: "x" };
  const workload = (kind: string, status: Props, more: Props = {}): KubeObject => ({
    apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
    kind,
    metadata: { name: "w", generation: 2 },
    spec: { ...more },
    status,
  });
  const conditions = (type: string, status: string, more: Props = {}) => ({
    conditions: [{ type, status, ...more }],
  });

  test.each<[string, KubeObject, boolean | RegExp]>([
    ["a new Deployment", workload("Deployment", {}), /not seen yet/],
    [
      "a Deployment of an older generation",
      workload("Deployment", { ...finished, observedGeneration: 1 }, { replicas: 2 }),
      /not seen yet/,
    ],
    ["a rolled out Deployment", workload("Deployment", finished, { replicas: 2 }), true],
    [
      "a Deployment with old pods",
      workload("Deployment", { ...finished, replicas: 3 }, { replicas: 2 }),
      /1 are old/,
    ],
    [
      "a Deployment that is stuck",
      workload(
        "Deployment",
        {
          ...finished,
          availableReplicas: 0,
          ...conditions("Progressing", "False", { reason: "ProgressDeadlineExceeded" }),
        },
        { replicas: 2 },
      ),
      /ProgressDeadlineExceeded/,
    ],
    ["a Deployment of nothing", workload("Deployment", { observedGeneration: 2 }, { replicas: 0 }), true],
    [
      "a DaemonSet",
      workload("DaemonSet", {
        observedGeneration: 2,
        desiredNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberAvailable: 3,
      }),
      true,
    ],
    [
      "a DaemonSet that rolls out",
      workload("DaemonSet", {
        observedGeneration: 2,
        desiredNumberScheduled: 3,
        updatedNumberScheduled: 2,
        numberAvailable: 3,
      }),
      /2 are new/,
    ],
    [
      "a DaemonSet updated by hand",
      workload("DaemonSet", {}, { updateStrategy: { type: "OnDelete" } }),
      true,
    ],
    [
      "a StatefulSet",
      workload(
        "StatefulSet",
        { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 2 },
        { replicas: 2 },
      ),
      true,
    ],
    [
      "a StatefulSet that starts",
      workload(
        "StatefulSet",
        { observedGeneration: 2, readyReplicas: 1, updatedReplicas: 2 },
        { replicas: 2 },
      ),
      /1 of 2/,
    ],
    [
      "a partly updated StatefulSet",
      workload(
        "StatefulSet",
        { observedGeneration: 2, readyReplicas: 2, updatedReplicas: 1 },
        { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
      ),
      true,
    ],
    ["a complete Job", workload("Job", conditions("Complete", "True")), true],
    ["a running Job", workload("Job", { failed: 1 }), /0 pods succeeded, 1 failed/],
    [
      "a ready Pod",
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {},
        status: { phase: "Running", ...conditions("Ready", "True") },
      },
      true,
    ],
    ["a finished Pod", { apiVersion: "v1", kind: "Pod", metadata: {}, status: { phase: "Succeeded" } }, true],
    [
      "a Pod without its image",
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {},
        status: {
          phase: "Pending",
          containerStatuses: [{ name: "c", state: { waiting: { reason: "ImagePullBackOff" } } }],
        },
      },
      /Pending \(c: ImagePullBackOff\)/,
    ],
    [
      "a Pod without a node",
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {},
        status: { phase: "Pending", ...conditions("PodScheduled", "False", { reason: "Unschedulable" }) },
      },
      /Unschedulable/,
    ],
    [
      "a headless Service",
      { apiVersion: "v1", kind: "Service", metadata: {}, spec: { clusterIP: "None", selector: labels } },
      true,
    ],
    [
      "an ExternalName",
      { apiVersion: "v1", kind: "Service", metadata: {}, spec: { type: "ExternalName" } },
      true,
    ],
    ["a Service without a selector", { apiVersion: "v1", kind: "Service", metadata: {}, spec: {} }, true],
    [
      "a load balancer without an address",
      { apiVersion: "v1", kind: "Service", metadata: {}, spec: { type: "LoadBalancer" } },
      /no address/,
    ],
    [
      "a definition",
      {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: {},
        status: conditions("Established", "True"),
      },
      true,
    ],
    [
      "a new definition",
      { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: {} },
      /not established/,
    ],
    ["any other object", { apiVersion: "v1", kind: "ConfigMap", metadata: {} }, true],
  ])("%s", async (_what, object, expected) => {
    const progress = await progressOf(object, {} as Cluster);
    if (expected === true) expect(progress).toEqual({ ready: true });
    else expect(progress).toMatchObject({ ready: false, message: expect.stringMatching(expected as RegExp) });
  });

  test("a failed Job or Pod is not waited for", async () => {
    server.control = (object) =>
      (object.status = conditions("Failed", "True", { reason: "BackoffLimitExceeded" }));
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "j", namespace: "default" },
      spec: {},
    };
    await expect(driven("kubernetes:batch/v1:Job").create(job)).rejects.toThrow(
      "the job failed: BackoffLimitExceeded",
    );
    server.control = (object) => (object.status = { phase: "Failed", message: "evicted" });
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "default" }, spec: {} };
    await expect(driven("kubernetes:core/v1:Pod").create(pod)).rejects.toThrow("the pod failed: evicted");
    expect(pauses).toEqual([]);
  });

  describe("a Service with a selector", () => {
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s", namespace: "default" },
      spec: { selector: labels },
    };
    const slice = (...ready: (boolean | undefined)[]) =>
      server.objects.set("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/s-1", {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: "s-1", labels: { "kubernetes.io/service-name": "s" } },
        endpoints: ready.map((value) => ({ conditions: value === undefined ? {} : { ready: value } })),
      });

    test("is ready with its first ready endpoint", async () => {
      slice(false);
      whilePaused((count) => {
        if (count === 2) slice(false, true);
      });
      const driver = driven("kubernetes:core/v1:Service");
      await driver.create(service);
      expect(pauses).toEqual([500, 500]);
      expect(driver.statuses).toEqual([expect.stringContaining("no ready pod")]);
    });

    test("fails if its pods do not get ready, and is accepted if there are none", async () => {
      slice(false);
      const limited = () => driven("kubernetes:core/v1:Service", {}, { timeoutSeconds: 1 });
      await expect(limited().create(service)).rejects.toThrow("no ready pod is behind the service");
      server.objects.clear();
      expect((await limited().create(service)).id).toBe("default/s");
    });
  });
});
