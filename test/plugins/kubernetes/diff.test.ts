import { beforeEach, describe, expect, test } from "vitest";
import { secret, unknown } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { configMap, deployment, driven, finished, server, stateOf } from "./driven.ts";

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
