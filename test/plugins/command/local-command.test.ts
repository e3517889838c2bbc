import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { lookup } from "../../../lab/plugins/command/main.ts";
import { Driven, open } from "../support.ts";
import { folder } from "./driven.ts";

describe("local.Command", () => {
  let here: Driven;

  beforeEach(() => {
    here = new Driven(lookup, "command:local:Command");
  });

  test("runs in dir with stdin and environment, by /bin/sh or by the interpreter", async () => {
    const inputs = {
      create: 'pwd; cat; echo "$NAME"',
      dir: folder,
      stdin: "in\n",
      environment: { NAME: "value" },
    };
    expect(open((await here.create(inputs)).outs).stdout).toBe(`${folder}\nin\nvalue`);
    const interpreter = [process.execPath, "-p"];
    expect(open((await here.create({ create: "6*7", interpreter })).outs).stdout).toBe("42");
  });

  test("create, update and delete as for remote commands, with the output of the run before", async () => {
    const { outs } = await here.create({ create: "echo a" });
    const updated = await here.update(outs, { create: "echo a", update: 'echo "$PULUMI_COMMAND_STDOUT b"' });
    expect(open(updated).stdout).toBe("a b");
    await here.delete({ ...updated, delete: `echo "$PULUMI_COMMAND_STDOUT" >${folder}/deleted` });
    expect(readFileSync(join(folder, "deleted"), "utf8")).toBe("a b\n");
    expect(await here.diff(outs, { create: "echo a" })).toMatchObject({ changes: false });
    expect(await here.diff(outs, { create: "echo b" })).toMatchObject({ changes: true, replaces: [] });
    expect(await here.diff(outs, { create: "echo a", triggers: [1] })).toMatchObject({
      replaces: ["triggers"],
    });
  });

  test("a failure tells status, command and output; a missing program and directory are told", async () => {
    await expect(here.create({ create: "echo out; exit 4" })).rejects.toThrow(
      'exit status 4: running "echo out; exit 4":\nout\n',
    );
    await expect(here.create({ create: "x", interpreter: ["/nonexistent"] })).rejects.toThrow("ENOENT");
    await expect(here.create({ create: "true", dir: join(folder, "none") })).rejects.toThrow("ENOENT");
  });

  test("a cancellation ends it", async () => {
    const outcome = expect(here.create({ create: "echo started; exec sleep 1000" })).rejects.toThrow("abort");
    await vi.waitUntil(() => here.statuses.includes("started"));
    here.cancellation.abort();
    await outcome;
  });

  test("collecting files is refused, not forgotten", async () => {
    expect(await here.faults({ create: "true", assetPaths: ["*"] })).toEqual(["assetPaths"]);
  });
});
