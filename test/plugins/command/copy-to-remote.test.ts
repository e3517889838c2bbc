import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { lookup } from "../../../lab/plugins/command/main.ts";
import { archiveSignature, assetSignature, secret, unknown } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { Driven, secretsIn } from "../support.ts";
import { folder, start } from "./driven.ts";

describe("remote.CopyToRemote", () => {
  let copy: Driven;
  let remote: string;
  let local: string;
  let connection: Props;

  beforeEach(async () => {
    copy = new Driven(lookup, "command:remote:CopyToRemote");
    [remote, local] = [join(folder, "remote"), join(folder, "local")];
    mkdirSync(remote);
    mkdirSync(join(local, "sub"), { recursive: true });
    writeFileSync(join(local, "a"), "one");
    writeFileSync(join(local, "sub", "b"), "two");
    ({ connection } = await start({ root: remote }));
  });

  const sign = "4dabf18193072939515e22adb298388d";
  const asset = (more: Props, hash = JSON.stringify(more)) => ({ [sign]: assetSignature, hash, ...more });
  const archive = (more: Props, hash = JSON.stringify(more)) => ({ [sign]: archiveSignature, hash, ...more });
  const at = (path: string) => readFileSync(join(remote, path), "utf8");

  test("a text goes to a file, with the directories on the way", async () => {
    await copy.create({ connection, source: asset({ text: "héllo" }), remotePath: "/x/y/file" });
    expect(at("x/y/file")).toBe("héllo");
    mkdirSync(join(remote, "dir"));
    const onto = copy.create({ connection, source: asset({ text: "t" }), remotePath: "/dir" });
    await expect(onto).rejects.toThrow("is a directory");
  });

  test("a file goes to the path, over an existing file, or into an existing directory", async () => {
    const source = asset({ path: join(local, "a") });
    mkdirSync(join(remote, "dir"));
    writeFileSync(join(remote, "old"), "a longer content");
    for (const remotePath of ["/new/file", "/old", "/dir"])
      await copy.create({ connection, source, remotePath });
    expect([at("new/file"), at("old"), at("dir/a")]).toEqual(["one", "one", "one"]);
  });

  test("a directory goes below the path, its content with a trailing slash", async () => {
    await copy.create({ connection, source: archive({ path: local }), remotePath: "/with" });
    await copy.create({ connection, source: archive({ path: `${local}/` }), remotePath: "/without" });
    expect([at("with/local/a"), at("with/local/sub/b"), at("without/a"), at("without/sub/b")]).toEqual([
      "one",
      "two",
      "one",
      "two",
    ]);
    writeFileSync(join(remote, "file"), "");
    const onto = copy.create({ connection, source: archive({ path: `${local}/` }), remotePath: "/file" });
    await expect(onto).rejects.toThrow("is not a directory");
  });

  test("an archive of assets goes below the path", async () => {
    const assets = {
      "p/text": asset({ text: "t" }),
      file: asset({ path: join(local, "a") }),
      tree: archive({ path: local }),
    };
    await copy.create({ connection, source: archive({ assets }), remotePath: "/all" });
    expect([at("all/p/text"), at("all/file"), at("all/tree/sub/b")]).toEqual(["t", "one", "two"]);
  });

  test("large content arrives whole", async () => {
    const text = "0123456789".repeat(200_000);
    await copy.create({ connection, source: asset({ text }), remotePath: "/large" });
    expect(at("large")).toBe(text);
  });

  test("only another content or path copies again; triggers replace", async () => {
    const inputs = {
      connection: secret(connection),
      source: asset({ text: "1" }),
      remotePath: "/f",
      triggers: [1],
    };
    const { outs } = await copy.create(inputs);
    expect(secretsIn(outs)).toEqual(["connection"]);
    expect(await copy.diff(outs, { ...inputs, source: asset({ text: "1" }) })).toMatchObject({
      changes: false,
    });
    expect(await copy.diff(outs, { ...inputs, source: asset({ text: "2" }) })).toMatchObject({
      changes: true,
      replaces: [],
    });
    expect(await copy.diff(outs, { ...inputs, triggers: [2] })).toMatchObject({ replaces: ["triggers"] });
    rmSync(join(remote, "f"));
    await copy.update(outs, { ...inputs, connection: { ...connection, dialErrorLimit: 1 } });
    expect(existsSync(join(remote, "f"))).toBe(false);
    const changed = await copy.update(outs, { ...inputs, source: asset({ text: "2" }) });
    expect(at("f")).toBe("2");
    await copy.update(changed, { ...inputs, source: asset({ text: "2" }), remotePath: "/g" });
    expect(at("g")).toBe("2");
    await copy.delete(outs);
    expect(existsSync(join(remote, "g"))).toBe(true);
  });

  test("what cannot be copied is named before anything is dialled", async () => {
    expect(await copy.faults({})).toEqual(["connection", "source", "remotePath"]);
    expect(await copy.faults({ connection, source: "text", remotePath: "/f" })).toEqual(["source"]);
    expect(
      await copy.faults({ connection, source: asset({ uri: "https://a.example/b" }), remotePath: "/f" }),
    ).toEqual(["source"]);
    expect(await copy.faults({ connection, source: unknown, remotePath: unknown })).toEqual([]);
  });

  test("a place that cannot be written is named", async () => {
    writeFileSync(join(remote, "file"), "");
    const inputs = { connection, source: asset({ text: "t" }), remotePath: "/file/below" };
    await expect(copy.create(inputs)).rejects.toThrow(/\/file/);
  });
});
