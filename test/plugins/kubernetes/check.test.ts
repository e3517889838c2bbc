import { beforeEach, describe, expect, test } from "vitest";
import { secret, unknown } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { secretsIn } from "../support.ts";
import { configMap, driven, server } from "./driven.ts";

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
