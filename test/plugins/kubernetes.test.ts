import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { Cluster } from "../../lab/plugins/kubernetes/cluster.ts";
import type { KubeObject } from "../../lab/plugins/kubernetes/kinds.ts";
import { Objects } from "../../lab/plugins/kubernetes/objects.ts";
import { progressOf } from "../../lab/plugins/kubernetes/ready.ts";
import { diffSettings, readSettings } from "../../lab/plugins/kubernetes/settings.ts";
import type { Context } from "../../lab/plugins/shared/resource.ts";
import { isSecret, secret, unknown } from "../../lab/plugins/shared/values.ts";
import type { Props } from "../../lab/plugins/shared/values.ts";
import { FakeApiServer, failure, newCertificates } from "./fake-api-server.ts";
import type { Certificates } from "./fake-api-server.ts";
import { Driven, open, secretsIn } from "./support.ts";

let certificates: Certificates;
let server: FakeApiServer;
let pauses: number[];
let whilePaused: (count: number) => unknown;

beforeAll(async () => {
  certificates = await newCertificates();
});

beforeEach(async () => {
  vi.stubEnv("KUBECONFIG", undefined);
  server = new FakeApiServer(certificates);
  await server.listen();
  pauses = [];
  whilePaused = () => {};
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

/** One type of a provider whose pauses take no time but are noted. */
function driven(type: string, settings: Props = {}, more: Partial<Context> = {}): Driven {
  const given = readSettings({ kubeconfig: server.kubeconfig(), ...settings });
  const objects = new Objects(given, async (milliseconds, signal) => {
    signal?.throwIfAborted();
    pauses.push(milliseconds);
    await whilePaused(pauses.length);
    signal?.throwIfAborted();
  });
  return new Driven(async (token) => objects.resource(token), type, more);
}

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (more: Props = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", namespace: "default" },
  data: { key: "1" },
  ...more,
});
const deployment = (more: Props = {}, annotations?: Record<string, string>) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "d", namespace: "default", ...(annotations ? { annotations } : {}) },
  spec: { replicas: 2, selector: { matchLabels: { a: "b" } }, ...more },
});
const finished = { observedGeneration: 99, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };

/** As the state has it after a create without a server. */
function stateOf(inputs: KubeObject | Props): Props {
  return {
    ...inputs,
    __inputs: inputs,
    __initialApiVersion: inputs.apiVersion,
    __fieldManager: "pulumi-kubernetes-0",
  };
}

describe("check", () => {
  beforeEach(() => server.close());

  test("an object without a name gets one from the resource's, and keeps it", async () => {
    const type = driven("kubernetes:core/v1:ConfigMap");
    const named = await type.check({ apiVersion: "v1", kind: "ConfigMap", data: {} });
    expect(named.metadata).toEqual({
      name: expect.stringMatching(/^it-[0-9a-f]{8}$/),
      namespace: "default",
      annotations: { "pulumi.com/autonamed": "true" },
    });
    const again = await type.check(
      { apiVersion: "v1", kind: "ConfigMap", metadata: { labels: { a: "b" } } },
      named,
    );
    expect(again.metadata).toEqual({ ...(named.metadata as Props), labels: { a: "b" } });
  });

  test("a name that was given once is not kept when it is taken away", async () => {
    const type = driven("kubernetes:core/v1:ConfigMap");
    const again = await type.check({ apiVersion: "v1", kind: "ConfigMap" }, configMap());
    expect((again.metadata as Props).name).not.toBe("a");
  });

  test.each([
    [{}, {}, "default"],
    [{ namespace: "of-context" }, {}, "of-context"],
    [{ namespace: "of-context" }, { namespace: "of-provider" }, "of-provider"],
  ])("the namespace with context %o and settings %o is %s", async (context, settings, expected) => {
    const type = driven("kubernetes:core/v1:ConfigMap", {
      kubeconfig: server.kubeconfig(context),
      ...settings,
    });
    const { metadata } = await type.check({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
    expect((metadata as Props).namespace).toBe(expected);
    const own = await type.check({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", namespace: "own" },
    });
    expect((own.metadata as Props).namespace).toBe("own");
  });

  test.each([
    ["kubernetes:core/v1:Namespace", "v1", "Namespace"],
    ["kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "rbac.authorization.k8s.io/v1", "ClusterRole"],
    [
      "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
      "apiextensions.k8s.io/v1",
      "CustomResourceDefinition",
    ],
    ["kubernetes:example.org/v1:Thing", "example.org/v1", "Thing"],
  ])("%s gets no namespace", async (token, apiVersion, kind) => {
    const { metadata } = await driven(token).check({ apiVersion, kind, metadata: { name: "a" } });
    expect(metadata).toEqual({ name: "a" });
  });

  test("what is not known yet is left as it is", async () => {
    const type = driven("kubernetes:core/v1:ConfigMap", { kubeconfig: undefined });
    expect((await type.check({ apiVersion: "v1", kind: "ConfigMap", metadata: unknown })).metadata).toBe(
      unknown,
    );
    const { metadata } = await type.check({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: unknown, namespace: unknown },
    });
    expect(metadata).toEqual({ name: unknown, namespace: unknown });
  });

  test("generateName is refused, as with server-side apply everywhere", async () => {
    const type = driven("kubernetes:core/v1:ConfigMap");
    expect(await type.faults({ metadata: { generateName: "a-" } })).toEqual(["metadata.generateName"]);
  });

  test("secrets stay secret through it", async () => {
    const type = driven("kubernetes:core/v1:Secret");
    const checked = await type.check({ apiVersion: "v1", kind: "Secret", stringData: secret({ a: "b" }) });
    expect(secretsIn(checked)).toEqual(["stringData"]);
  });

  test.each([
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:core/v1:ConfigMapPatch",
    "kubernetes:core/v1:PodList",
    "kubernetes:yaml:ConfigFile",
  ])("%s is not there, and that is said", async (token) => {
    await expect(driven(token).check({})).rejects.toThrow(`${token} is not among the resource types`);
  });
});

describe("diff", () => {
  // Previews must not need the cluster.
  beforeEach(() => server.close());

  async function diff(olds: Props, news: Props, settings: Props = {}) {
    return driven("kubernetes:core/v1:ConfigMap", settings).diff(stateOf(olds), news);
  }

  test("the same inputs change nothing, with the default namespace written or not", async () => {
    expect(await diff(configMap(), configMap())).toMatchObject({ changes: false, replaces: [] });
    expect(await diff(configMap(), configMap({ metadata: { name: "a" } }))).toMatchObject({ changes: false });
  });

  test("what the server added to the live object is no change", async () => {
    const state = { ...stateOf(deployment()), status: finished };
    (state as Props).spec = { ...deployment().spec, progressDeadlineSeconds: 600 };
    expect(await driven("kubernetes:apps/v1:Deployment").diff(state, deployment())).toMatchObject({
      changes: false,
    });
  });

  test("labels, annotations and a specification update in place", async () => {
    const labelled = configMap({ metadata: { name: "a", labels: { x: "y" } } });
    expect(await diff(configMap(), labelled)).toMatchObject({ changes: true, replaces: [] });
    expect(await diff(deployment(), deployment({ replicas: 3 }))).toMatchObject({
      changes: true,
      replaces: [],
    });
  });

  const object = (apiVersion: string, kind: string, rest: Props) => ({
    apiVersion,
    kind,
    metadata: { name: "a", namespace: "default" },
    ...rest,
  });
  test.each<[string, Props, Props, string[]]>([
    ["name", configMap(), configMap({ metadata: { name: "b", namespace: "default" } }), ["metadata.name"]],
    [
      "namespace",
      configMap(),
      configMap({ metadata: { name: "a", namespace: "b" } }),
      ["metadata.namespace"],
    ],
    ["kind", configMap(), configMap({ kind: "Secret" }), ["kind"]],
    ["API group", deployment(), { ...deployment(), apiVersion: "example.org/v1" }, ["apiVersion"]],
    ["selector", deployment(), deployment({ selector: { matchLabels: { a: "c" } } }), ["spec.selector"]],
    ["ConfigMap", configMap(), configMap({ data: { key: "2" } }), ["data"]],
    [
      "Secret",
      object("v1", "Secret", { stringData: { a: "1" } }),
      object("v1", "Secret", { stringData: { a: "2" } }),
      ["stringData"],
    ],
    ["Secret's type", object("v1", "Secret", { type: "a" }), object("v1", "Secret", { type: "b" }), ["type"]],
    [
      "Job",
      object("batch/v1", "Job", { spec: { template: { a: 1 } } }),
      object("batch/v1", "Job", { spec: { template: { a: 2 } } }),
      ["spec.template"],
    ],
    [
      "roleRef",
      object("rbac.authorization.k8s.io/v1", "RoleBinding", { roleRef: { name: "a" } }),
      object("rbac.authorization.k8s.io/v1", "RoleBinding", { roleRef: { name: "b" } }),
      ["roleRef"],
    ],
    [
      "StatefulSet",
      object("apps/v1", "StatefulSet", { spec: { serviceName: "a" } }),
      object("apps/v1", "StatefulSet", { spec: { serviceName: "b" } }),
      ["spec.serviceName"],
    ],
    [
      "Service",
      object("v1", "Service", { spec: { clusterIP: "10.0.0.1" } }),
      object("v1", "Service", { spec: { clusterIP: "10.0.0.2" } }),
      ["spec.clusterIP"],
    ],
    [
      "Pod",
      object("v1", "Pod", { spec: { nodeName: "a" } }),
      object("v1", "Pod", { spec: { nodeName: "b" } }),
      ["spec.nodeName"],
    ],
    [
      "volume's source",
      object("v1", "PersistentVolume", { spec: { nfs: { a: 1 } } }),
      object("v1", "PersistentVolume", { spec: { nfs: { a: 2 } } }),
      ["spec.nfs"],
    ],
    [
      "StorageClass",
      object("storage.k8s.io/v1", "StorageClass", { provisioner: "a" }),
      object("storage.k8s.io/v1", "StorageClass", { provisioner: "b" }),
      ["provisioner"],
    ],
  ])("another %s replaces", async (_what, olds, news, replaces) => {
    expect(await diff(olds, news)).toMatchObject({ changes: true, replaces });
  });

  test.each<[string, Props, Props]>([
    [
      "tolerations of a Pod",
      object("v1", "Pod", { spec: { tolerations: [] } }),
      object("v1", "Pod", { spec: { tolerations: [{}] } }),
    ],
    [
      "capacity of a volume",
      object("v1", "PersistentVolume", { spec: { capacity: 1 } }),
      object("v1", "PersistentVolume", { spec: { capacity: 2 } }),
    ],
    ["API version in a group", { ...deployment(), apiVersion: "apps/v1beta2" }, deployment()],
  ])("another %s updates", async (_what, olds, news) => {
    expect(await diff(olds, news)).toMatchObject({ changes: true, replaces: [] });
  });

  test("content changes in place where the provider is told so, unless it is immutable", async () => {
    const settings = { enableConfigMapMutable: "true" };
    expect(await diff(configMap(), configMap({ data: { key: "2" } }), settings)).toMatchObject({
      changes: true,
      replaces: [],
    });
    const immutable = configMap({ immutable: true });
    expect(await diff(immutable, { ...immutable, data: { key: "2" } }, settings)).toMatchObject({
      replaces: ["data"],
    });
  });

  test("an object whose name is fixed goes before its successor comes, another one after", async () => {
    const next = { data: { key: "2" } };
    expect(await diff(configMap(), configMap(next))).toMatchObject({ deleteBeforeReplace: true });
    expect(await diff(configMap(), configMap({ ...next, metadata: { name: "b" } }))).toMatchObject({
      deleteBeforeReplace: false,
    });
    const autonamed = { metadata: { name: "a", annotations: { "pulumi.com/autonamed": "true" } } };
    expect(await diff(configMap(autonamed), configMap({ ...next, ...autonamed }))).toMatchObject({
      deleteBeforeReplace: false,
    });
    expect(await diff(configMap(), configMap())).toMatchObject({ deleteBeforeReplace: false });
  });

  test("what is not known yet is a change, and secrets are compared by what they hold", async () => {
    expect(await diff(deployment(), deployment({ replicas: unknown }))).toMatchObject({
      changes: true,
      replaces: [],
    });
    const state = stateOf(configMap({ data: secret({ key: "1" }) }));
    const type = driven("kubernetes:core/v1:ConfigMap");
    expect(await type.diff(state, configMap({ data: secret({ key: "1" }) }))).toMatchObject({
      changes: false,
    });
  });
});

describe("create", () => {
  test("applies the object as it is, under a field manager of its own", async () => {
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "p", namespace: "default" },
      spec: {
        ingress: [{ from: [{ podSelector: {} }] }],
        enum: ["a"],
        default: 1,
        x_kubernetes_list_type: "set",
      },
    };
    const { id, outs } = await driven("kubernetes:networking.k8s.io/v1:NetworkPolicy").create(policy);
    expect(id).toBe("default/p");
    const [write] = server.writes;
    expect(write).toMatchObject({
      method: "PATCH",
      path: "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/p",
      contentType: "application/apply-patch+yaml",
      query: { force: "false", fieldManager: expect.stringMatching(/^pulumi-kubernetes-[0-9a-f]{8}$/) },
    });
    const { x_kubernetes_list_type: type, ...rest } = policy.spec;
    expect(write!.body).toEqual({ ...policy, spec: { ...rest, "x-kubernetes-list-type": type } });
    expect(open(outs)).toMatchObject({
      spec: policy.spec,
      metadata: { name: "p", uid: expect.any(String) },
      __inputs: policy,
      __initialApiVersion: "networking.k8s.io/v1",
      __fieldManager: write!.query.fieldManager,
    });
  });

  test("the id of an object without a namespace is its name", async () => {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } };
    expect((await driven("kubernetes:core/v1:Namespace").create(namespace)).id).toBe("n");
    expect(server.writes[0]!.path).toBe("/api/v1/namespaces/n");
  });

  test("an object that exists already is not taken over", async () => {
    server.objects.set(`${configMaps}/a`, configMap());
    await expect(driven("kubernetes:core/v1:ConfigMap").create(configMap())).rejects.toThrow(
      /ConfigMap "a" already exists.*pulumi import/,
    );
    expect(server.writes).toEqual([]);
    await driven("kubernetes:core/v1:ConfigMap", { upsertExistingObjects: "true" }).create(configMap());
    expect(server.writes).toHaveLength(1);
  });

  test.each<[string, Props, Props]>([
    ["annotation", {}, { annotations: { "pulumi.com/patchForce": "true" } }],
    ["setting", { enablePatchForce: "true" }, {}],
  ])("fields of other managers are taken only by %s", async (_what, settings, metadata) => {
    const path = `${configMaps}/a`;
    await driven("kubernetes:core/v1:ConfigMap").create(configMap());
    const mine = configMap({
      data: { key: "2" },
      metadata: { name: "a", namespace: "default", ...metadata },
    });
    const other = driven("kubernetes:core/v1:ConfigMap", { upsertExistingObjects: "true" });
    const refused = other.create(configMap({ data: { key: "2" } }));
    await expect(refused).rejects.toThrow(
      /could not create ConfigMap a: Apply failed.*data\.key.*pulumi\.com\/patchForce/s,
    );
    await driven("kubernetes:core/v1:ConfigMap", { upsertExistingObjects: "true", ...settings }).create(mine);
    expect(server.objects.get(path)!.data).toEqual({ key: "2" });
  });

  test("a namespace that comes a moment later is waited for, and one that does not is not for ever", async () => {
    const inputs = configMap({ metadata: { name: "a", namespace: "late" } });
    whilePaused = (count) => {
      if (count === 2)
        server.objects.set("/api/v1/namespaces/late", {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name: "late" },
        });
    };
    const type = driven("kubernetes:core/v1:ConfigMap");
    expect((await type.create(inputs)).id).toBe("late/a");
    expect(pauses).toEqual([1000, 2000]);
    expect(type.statuses[0]).toMatch(/^Retry #0; creation failed: namespaces "late" not found/);
    const never = configMap({ metadata: { name: "a", namespace: "never" } });
    await expect(driven("kubernetes:core/v1:ConfigMap").create(never)).rejects.toThrow(
      'namespaces "never" not found',
    );
    expect(pauses.slice(2)).toEqual([1000, 2000, 4000, 8000, 16000]);
  });

  test("a kind that is defined a moment later is waited for", async () => {
    const thing = { apiVersion: "example.org/v1", kind: "Thing", metadata: { name: "t" } };
    whilePaused = () => (server.kinds["example.org/v1"] = [["things", "Thing", true]]);
    expect((await driven("kubernetes:example.org/v1:Thing").create(thing)).id).toBe("default/t");
    whilePaused = () => {};
    const unheard = { apiVersion: "none.org/v1", kind: "Thing", metadata: { name: "t" } };
    await expect(driven("kubernetes:none.org/v1:Thing").create(unheard)).rejects.toThrow(
      /does not know Thing of none\.org\/v1.*CRD/,
    );
  });

  test("secrets stay secret, also where the server moves them", async () => {
    server.control = (object) => {
      if (object.stringData) object.data = { a: "Yg==" };
    };
    const inputs = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "default" },
      stringData: secret({ a: "b" }),
    };
    const { outs } = await driven("kubernetes:core/v1:Secret").create(inputs);
    expect(secretsIn(outs)).toEqual(["data", "stringData"]);
    expect(secretsIn(outs.__inputs as Props)).toEqual(["stringData"]);
    expect(server.writes[0]!.body.stringData).toEqual({ a: "b" });
    expect(JSON.stringify(await driven("kubernetes:core/v1:Secret").read(outs, "default/s"))).toBeTruthy();
    const read = await driven("kubernetes:core/v1:Secret").read(outs, "default/s");
    expect(secretsIn(read.props)).toEqual(["data", "stringData"]);
    expect(secretsIn(read.inputs)).toEqual(["stringData"]);
  });
});

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
    whilePaused = () => cancelled.cancellation.abort();
    await expect(cancelled.create(deployment())).rejects.toThrow("cancelled");
    server.objects.clear();
    whilePaused = () => server.objects.clear();
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
      whilePaused = (count) => {
        if (count === 2) slice(false, true);
      };
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

describe("update", () => {
  test("applies under the manager of the create and waits again", async () => {
    server.control = (object) => (object.status = { ...finished });
    const type = driven("kubernetes:apps/v1:Deployment");
    const { id, outs } = await type.create(deployment());
    let polls = 0;
    server.control = (object) => {
      polls += 1;
      object.status = polls > 2 ? finished : { ...finished, observedGeneration: 1 };
    };
    const updated = await type.provider.update(id, type.urn, outs, deployment({ replicas: 1 }));
    const [first, second] = server.writes;
    expect(second!.query).toEqual(first!.query);
    expect(open(updated.outs)).toMatchObject({ spec: { replicas: 1 }, __inputs: { spec: { replicas: 1 } } });
    expect(pauses.length).toBeGreaterThan(0);
  });

  test("what does not get ready keeps the new state, and fails", async () => {
    const type = driven("kubernetes:apps/v1:Deployment", {}, { timeoutSeconds: 1 });
    const error = await type.provider
      .update("default/d", type.urn, await existing(), deployment({ replicas: 5 }))
      .catch((caught) => caught);
    expect(error).toMatchObject({ id: "default/d", properties: { __inputs: { spec: { replicas: 5 } } } });
  });

  test("an object that is gone is not made anew", async () => {
    const type = driven("kubernetes:apps/v1:Deployment");
    const update = type.provider.update(
      "default/d",
      type.urn,
      stateOf(deployment()),
      deployment({ replicas: 3 }),
    );
    await expect(update).rejects.toThrow("Deployment default/d is gone");
    expect(server.writes).toEqual([]);
  });

  test("what the server refuses is told", async () => {
    const olds = await existing();
    server.disturb = ({ method }) =>
      method === "PATCH" ? failure(422, "Invalid", "spec.selector: field is immutable") : undefined;
    const type = driven("kubernetes:apps/v1:Deployment");
    await expect(type.provider.update("default/d", type.urn, olds, deployment())).rejects.toThrow(
      "could not update Deployment d: spec.selector: field is immutable",
    );
  });

  async function existing(): Promise<Props> {
    const made = await driven("kubernetes:apps/v1:Deployment").create(
      deployment({}, { "pulumi.com/skipAwait": "true" }),
    );
    return made.outs;
  }
});

describe("read", () => {
  test("an object that is gone has no id", async () => {
    const type = driven("kubernetes:core/v1:ConfigMap");
    expect(await type.read(stateOf(configMap()), "default/a")).toMatchObject({ id: "" });
  });

  test("a change by somebody else shows in the inputs, what the server writes in its own way does not", async () => {
    server.control = (object) => (object.spec = { ...(object.spec as Props), cpu: "100m", added: true });
    const inputs = deployment({ cpu: "0.1", paused: false }, { "pulumi.com/skipAwait": "true" });
    const type = driven("kubernetes:apps/v1:Deployment");
    const { id, outs } = await type.create(inputs);
    const same = await type.read(outs, id);
    expect(same.inputs).toEqual(inputs);
    const live = [...server.objects.values()][0]!;
    server.control = () => {};
    live.spec = { ...(live.spec as Props), replicas: 7 };
    delete (live.spec as Props).paused;
    const drifted = await type.read(outs, id);
    expect(drifted.inputs.spec).toEqual({ replicas: 7, selector: inputs.spec.selector, cpu: "0.1" });
    expect(await type.diff(drifted.props, inputs)).toMatchObject({ changes: true, replaces: [] });
  });

  test("an import needs no more than type and id", async () => {
    const metadata = {
      name: "a",
      namespace: "default",
      uid: "1",
      resourceVersion: "2",
      managedFields: [],
      labels: { x: "y" },
    };
    server.objects.set(`${configMaps}/a`, { ...configMap({ metadata }), status: {} });
    const read = await driven("kubernetes:core/v1:ConfigMap").read({}, "default/a");
    expect(read.id).toBe("default/a");
    expect(read.inputs).toEqual(
      configMap({ metadata: { name: "a", namespace: "default", labels: { x: "y" } } }),
    );
    expect(read.props).toMatchObject({
      metadata: { uid: "1" },
      __fieldManager: expect.stringMatching(/^pulumi-kubernetes-/),
    });
  });
});

describe("delete", () => {
  async function existing(more: Props = {}, annotations?: Record<string, string>): Promise<Props> {
    const metadata = { name: "a", namespace: "default", ...more, ...(annotations ? { annotations } : {}) };
    return (await driven("kubernetes:core/v1:ConfigMap").create(configMap({ metadata }))).outs;
  }

  test("asks for foreground deletion, by annotation for another one", async () => {
    const type = driven("kubernetes:core/v1:ConfigMap");
    await type.delete(await existing(), "default/a");
    expect(server.objects.size).toBe(0);
    await type.delete(
      await existing({}, { "pulumi.com/deletionPropagationPolicy": "background" }),
      "default/a",
    );
    const policies = server.writes
      .filter(({ method }) => method === "DELETE")
      .map(({ body }) => body.propagationPolicy);
    expect(policies).toEqual(["Foreground", "Background"]);
  });

  test("waits until finalizers let go", async () => {
    const type = driven("kubernetes:core/v1:ConfigMap");
    const outs = await existing({ finalizers: ["example.org/hold"] });
    whilePaused = (count) => {
      if (count === 3) server.objects.clear();
    };
    await type.delete(outs, "default/a");
    expect(pauses).toHaveLength(3);
    expect(type.statuses.at(-1)).toContain("held up by example.org/hold");
  });

  test("gives up in time, and skipAwait does not wait", async () => {
    const finalizers = { finalizers: ["example.org/hold"] };
    const limited = driven("kubernetes:core/v1:ConfigMap", {}, { timeoutSeconds: 2 });
    await expect(limited.delete(await existing(finalizers), "default/a")).rejects.toThrow(
      /gave up after 2 s.*example\.org\/hold/,
    );
    server.objects.clear();
    pauses = [];
    await limited.delete(await existing(finalizers, { "pulumi.com/skipAwait": "true" }), "default/a");
    expect(pauses).toEqual([]);
  });

  test("another object under the same name is not waited for", async () => {
    const outs = await existing({ finalizers: ["example.org/hold"] });
    whilePaused = () => (server.objects.get(`${configMaps}/a`)!.metadata.uid = "another");
    await driven("kubernetes:core/v1:ConfigMap").delete(outs, "default/a");
    expect(server.objects.size).toBe(1);
  });

  test("an object that is gone, and one whose kind is gone, are deleted", async () => {
    await driven("kubernetes:core/v1:ConfigMap").delete(stateOf(configMap()), "default/a");
    const thing = stateOf({ apiVersion: "example.org/v1", kind: "Thing", metadata: { name: "t" } });
    await driven("kubernetes:example.org/v1:Thing").delete(thing, "t");
  });

  test("with the cluster gone it fails and says how to go on", async () => {
    await server.close();
    const failing = driven("kubernetes:core/v1:ConfigMap").delete(stateOf(configMap()), "default/a");
    await expect(failing).rejects.toThrow(/cannot be reached.*ECONNREFUSED.*set deleteUnreachable/);
  });

  test("deleteUnreachable takes it out of the state then, and waits only once for all objects", async () => {
    await server.close();
    const type = driven("kubernetes:core/v1:ConfigMap", { deleteUnreachable: "true" });
    await type.delete(stateOf(configMap()), "default/a");
    expect(type.warnings).toEqual([
      expect.stringMatching(/cannot be reached.*ConfigMap default\/a is taken out of the state only/),
    ]);
    const waited = pauses.length;
    expect(pauses.reduce((sum, pause) => sum + pause)).toBeLessThanOrEqual(10_000);
    await type.delete(stateOf(configMap()), "default/a");
    expect(pauses).toHaveLength(waited);
    const broken = driven("kubernetes:core/v1:ConfigMap", { deleteUnreachable: "true", kubeconfig: "{}" });
    await broken.delete(stateOf(configMap()), "default/a");
    expect(broken.warnings).toHaveLength(1);
  });

  test("deleteUnreachable hides no refusal of a cluster that is there", async () => {
    const outs = await existing();
    server.disturb = ({ method }) =>
      method === "DELETE" ? failure(403, "Forbidden", "not allowed") : undefined;
    const type = driven("kubernetes:core/v1:ConfigMap", { deleteUnreachable: "true" });
    await expect(type.delete(outs, "default/a")).rejects.toThrow("could not delete ConfigMap a: not allowed");
  });
});

describe("connection", () => {
  const create = (settings: Props = {}) =>
    driven("kubernetes:core/v1:ConfigMap", settings).create(configMap());

  test("a server that comes back is waited for", async () => {
    const { port } = server;
    await server.close();
    const later = new FakeApiServer(certificates);
    const config = server.kubeconfig();
    server = later;
    whilePaused = async (count) => {
      if (count === 3) await later.listen(port);
    };
    expect((await create({ kubeconfig: config })).id).toBe("default/a");
    expect(pauses).toEqual([250, 500, 1000]);
  });

  test.each([429, 500, 503, 504])("a passing answer %i is tried again, also in plain text", async (code) => {
    let left = 2;
    server.disturb = () => (left-- > 0 ? { code, body: "starting" } : undefined);
    await create();
    expect(pauses).toHaveLength(2);
  });

  test("a connection that breaks is tried again", async () => {
    let left = 1;
    server.disturb = () => (left-- > 0 ? "break" : undefined);
    await create();
    expect(pauses).toHaveLength(1);
  });

  test("a server that stays away ends the wait after a minute", async () => {
    await server.close();
    await expect(create()).rejects.toThrow(/https:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/);
    expect(pauses.reduce((sum, pause) => sum + pause)).toBeLessThanOrEqual(60_000);
    expect(pauses.length).toBeGreaterThan(10);
  });

  test("a refusal is final", async () => {
    server.disturb = ({ method }) =>
      method === "PATCH" ? failure(403, "Forbidden", "not allowed") : undefined;
    await expect(create()).rejects.toThrow("could not create ConfigMap a: not allowed");
    expect(pauses).toEqual([]);
  });

  test("the client certificate is shown and the server's is verified", async () => {
    await create();
    expect(server.requests.at(-1)!.clientName).toBe("admin");
    const strangers = await newCertificates();
    const other = Buffer.from(strangers.ca).toString("base64");
    const wrong = create({ kubeconfig: server.kubeconfig({}, { "certificate-authority-data": other }) });
    await expect(wrong).rejects.toThrow(/cannot be reached: .*(certificate|signature)/);
    expect(pauses).toEqual([]);
  });

  test("a token is sent", async () => {
    await create({
      kubeconfig: server.kubeconfig(
        {},
        {},
        { token: "word", "client-certificate-data": undefined, "client-key-data": undefined },
      ),
    });
    expect(server.requests.at(-1)!.authorization).toBe("Bearer word");
  });

  test("the kubeconfig may be a file, and stand in KUBECONFIG", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubernetes-"));
    try {
      const path = join(folder, "config");
      writeFileSync(path, server.kubeconfig({ namespace: "default" }));
      await create({ kubeconfig: path });
      server.objects.clear();
      vi.stubEnv("KUBECONFIG", path);
      await create({ kubeconfig: undefined });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("context and namespace of the settings win", async () => {
    await expect(create({ context: "none" })).rejects.toThrow('no context "none"');
    server.objects.set("/api/v1/namespaces/own", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "own" },
    });
    const type = driven("kubernetes:core/v1:ConfigMap", { context: "x", namespace: "own" });
    expect((await type.create(configMap({ metadata: { name: "a" } }))).id).toBe("own/a");
  });
});

describe("the provider's settings", () => {
  const at = (address: string, more: Props = {}) => ({
    kubeconfig: new FakeApiServer(certificates).kubeconfig({}, { server: address }),
    ...more,
  });

  test("another kubeconfig for the same cluster is only a change", async () => {
    const other = { kubeconfig: server.kubeconfig({}, {}, { token: "new" }) };
    expect(await diffSettings({ kubeconfig: server.kubeconfig() }, other)).toEqual({
      changes: ["kubeconfig"],
      replaces: [],
    });
    expect(await diffSettings(other, other)).toEqual({ changes: [], replaces: [] });
  });

  test("another cluster replaces everything in it", async () => {
    expect(await diffSettings(at("https://a"), at("https://b"))).toEqual({
      changes: ["kubeconfig"],
      replaces: ["kubeconfig"],
    });
  });

  test("what is not known yet may be another cluster", async () => {
    expect(await diffSettings(at("https://a"), { kubeconfig: unknown })).toEqual({
      changes: ["kubeconfig"],
      replaces: ["kubeconfig"],
    });
  });

  test("with a clusterIdentifier only that one counts", async () => {
    const named = (id: string, address: string) => at(address, { clusterIdentifier: id });
    expect((await diffSettings(named("x", "https://a"), named("x", "https://b"))).replaces).toEqual([]);
    expect(
      (await diffSettings(named("x", "https://a"), { clusterIdentifier: "x", kubeconfig: unknown })).replaces,
    ).toEqual([]);
    expect((await diffSettings(named("x", "https://a"), named("y", "https://a"))).replaces).toEqual([
      "clusterIdentifier",
    ]);
  });

  test("flags come as text, and from the environment where they are not given", () => {
    vi.stubEnv("PULUMI_K8S_DELETE_UNREACHABLE", "true");
    expect(readSettings({}).deleteUnreachable).toBe(true);
    expect(readSettings({ deleteUnreachable: "false" }).deleteUnreachable).toBe(false);
    expect(readSettings({ enablePatchForce: "true" }).enablePatchForce).toBe(true);
  });
});
