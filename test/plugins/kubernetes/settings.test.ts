import { describe, expect, test, vi } from "vitest";
import { diffSettings, readSettings } from "../../../lab/plugins/kubernetes/settings.ts";
import { unknown } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { FakeApiServer } from "../fake-api-server.ts";
import { server } from "./driven.ts";

describe("the provider's settings", () => {
  const at = (address: string, more: Props = {}) => ({
    kubeconfig: new FakeApiServer(server.certificates).kubeconfig({}, { server: address }),
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
