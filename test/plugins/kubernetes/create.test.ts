import { describe, expect, test } from "vitest";
import { secret } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { open, secretsIn } from "../support.ts";
import { configMap, configMaps, driven, pauses, server, whilePaused } from "./driven.ts";

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
    whilePaused((count) => {
      if (count === 2)
        server.objects.set("/api/v1/namespaces/late", {
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name: "late" },
        });
    });
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
    whilePaused(() => (server.kinds["example.org/v1"] = [["things", "Thing", true]]));
    expect((await driven("kubernetes:example.org/v1:Thing").create(thing)).id).toBe("default/t");
    whilePaused(() => {});
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
