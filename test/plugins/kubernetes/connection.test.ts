import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { FakeApiServer, failure, newCertificates } from "../fake-api-server.ts";
import { configMap, driven, pauses, server, whilePaused } from "./driven.ts";

describe("connection", () => {
  const create = (settings: Props = {}) =>
    driven("kubernetes:core/v1:ConfigMap", settings).create(configMap());

  test("a server that comes back is waited for", async () => {
    const { port } = server;
    await server.close();
    const later = new FakeApiServer(server.certificates);
    onTestFinished(() => later.close());
    whilePaused(async (count) => {
      if (count === 3) await later.listen(port);
    });
    expect((await create()).id).toBe("default/a");
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
