import { describe, expect, test } from "vitest";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { failure } from "../fake-api-server.ts";
import { open } from "../support.ts";
import {
  configMap,
  configMaps,
  deployment,
  driven,
  finished,
  pauses,
  server,
  stateOf,
  whilePaused,
} from "./driven.ts";

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
    whilePaused((count) => {
      if (count === 3) server.objects.clear();
    });
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
    pauses.length = 0;
    await limited.delete(await existing(finalizers, { "pulumi.com/skipAwait": "true" }), "default/a");
    expect(pauses).toEqual([]);
  });

  test("another object under the same name is not waited for", async () => {
    const outs = await existing({ finalizers: ["example.org/hold"] });
    whilePaused(() => (server.objects.get(`${configMaps}/a`)!.metadata.uid = "another"));
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
