import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isSecret, secret, unknown } from "../../../lab/plugins/shared/values.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { open, secretsIn } from "../support.ts";
import { command, folder, freePort, identity, start, stdoutOf } from "./driven.ts";

describe("remote.Command", () => {
  describe("what runs when", () => {
    test("create runs `create` and keeps its output without the last line feed", async () => {
      const { connection, server } = await start();
      const { id, outs } = await command.create({ connection, create: "echo out; echo; echo err >&2" });
      expect(open(outs)).toMatchObject({
        stdout: "out\n",
        stderr: "err",
        create: "echo out; echo; echo err >&2",
      });
      expect(id).toMatch(/^it[0-9a-f]{8}$/);
      expect(server.commands).toHaveLength(1);
    });

    test("without `create` nothing is dialled", async () => {
      const connection = { host: "127.0.0.1", port: await freePort(), dialErrorLimit: 0 };
      expect(open((await command.create({ connection, update: "true", delete: "true" })).outs)).toMatchObject(
        { stdout: "", stderr: "" },
      );
    });

    test("update runs `update`, or else `create`, or else nothing", async () => {
      const { connection, server } = await start();
      const { outs } = await command.create({ connection, create: "echo created" });
      const updated = await command.update(outs, {
        connection,
        create: "echo again",
        update: "echo updated",
      });
      expect(open(updated).stdout).toBe("updated");
      expect(open(await command.update(updated, { connection, create: "echo again" })).stdout).toBe("again");
      expect(open(await command.update(updated, { connection })).stdout).toBe("updated");
      expect(server.commands).toEqual(["echo created", "echo updated", "echo again"]);
    });

    test("delete runs the old state's `delete` over the old state's connection", async () => {
      const { connection, server } = await start();
      const { outs } = await command.create({ connection, delete: `touch ${folder}/gone` });
      await command.delete(outs);
      expect(existsSync(join(folder, "gone"))).toBe(true);
      const { outs: without } = await command.create({
        connection: { ...connection, port: await freePort() },
      });
      await command.delete(without);
      expect(server.commands).toHaveLength(1);
    });

    test("triggers replace, every other input updates, and outputs are no inputs", async () => {
      const { connection } = await start({ acceptEnv: ["A"] });
      const inputs = {
        connection,
        create: "true",
        update: "true",
        delete: "true",
        stdin: "a",
        triggers: [1, { a: ["b"] }],
        environment: { A: "1" },
        logging: "none",
      };
      const { outs } = await command.create(inputs);
      expect(await command.diff(outs, inputs)).toMatchObject({ changes: false, replaces: [] });
      for (const triggers of [[1], [1, { a: ["c"] }], [1, unknown], undefined]) {
        const { triggers: _, ...rest } = inputs;
        const result = await command.diff(outs, { ...rest, ...(triggers ? { triggers } : {}) });
        expect(result).toMatchObject({ changes: true, replaces: ["triggers"] });
        expect(result.deleteBeforeReplace).toBeFalsy();
      }
      const changes = {
        connection: { ...connection, dialErrorLimit: 1 },
        create: "b",
        update: "b",
        delete: "b",
        stdin: "b",
        environment: { A: "2" },
        logging: "stdout",
        addPreviousOutputInEnv: false,
      };
      for (const [property, value] of Object.entries(changes)) {
        expect(await command.diff(outs, { ...inputs, [property]: value })).toMatchObject({
          changes: true,
          replaces: [],
        });
      }
    });

    test("wrong inputs are named before anything is dialled", async () => {
      expect(await command.faults({ create: "true" })).toEqual(["connection"]);
      expect(await command.faults({ connection: unknown, logging: "loud" })).toEqual(["logging"]);
    });
  });

  describe("streams", () => {
    test("stdin arrives whole and ends, whatever is in it", async () => {
      const { connection } = await start();
      const stdin = "línea\n".repeat(50_000);
      expect(await stdoutOf({ connection, create: "wc -c", stdin })).toBe(String(Buffer.byteLength(stdin)));
      expect(await stdoutOf({ connection, create: "cat", stdin: "a\n\n" })).toBe("a\n");
    });

    test("without stdin the command sees its end at once", async () => {
      const { connection } = await start();
      expect(await stdoutOf({ connection, create: "cat; echo done" })).toBe("done");
    });

    test("a command may leave its stdin unread", async () => {
      const { connection } = await start();
      expect(
        await stdoutOf({ connection, create: "exec <&-; echo done", stdin: "x".repeat(1_000_000) }),
      ).toBe("done");
    });

    test("a failure tells status, command and both streams, and keeps the old state", async () => {
      const { connection } = await start();
      const create = 'echo out; echo "err" >&2; exit 7';
      await expect(command.create({ connection, create })).rejects.toThrow(
        /Process exited with status 7: running "echo out; echo \\"err\\" >&2; exit 7":\n(out\nerr|err\nout)/,
      );
      const { outs } = await command.create({ connection, create: "true" });
      await expect(command.update(outs, { connection, create: "exit 3" })).rejects.toThrow("status 3");
      await expect(command.create({ connection, create: "kill -9 $$" })).rejects.toThrow("signal SIGKILL");
    });

    test("secrets in stdin are not in the message of a failure", async () => {
      const { connection } = await start();
      const failure = command.create({
        connection,
        create: "cat >/dev/null; exit 1",
        stdin: secret("hidden"),
      });
      await expect(failure).rejects.not.toThrow("hidden");
    });

    test.each([
      [undefined, ["out", "err"]],
      ["stdoutAndStderr", ["out", "err"]],
      ["stdout", ["out"]],
      ["stderr", ["err"]],
      ["none", []],
    ])("logging %s shows %o while the command runs", async (logging, shown) => {
      const { connection } = await start();
      const inputs = { connection, create: "echo out; echo err >&2", ...(logging ? { logging } : {}) };
      const { outs } = await command.create(inputs);
      expect(command.statuses.toSorted()).toEqual(shown.toSorted());
      expect(open(outs)).toMatchObject({ stdout: "out", stderr: "err" });
    });
  });

  describe("environment", () => {
    test("variables that the server allows reach the command", async () => {
      const { connection } = await start({ acceptEnv: ["NAME", "OTHER"] });
      const environment = { NAME: "one two", OTHER: "x" };
      expect(await stdoutOf({ connection, environment, create: 'echo "$NAME/$OTHER"' })).toBe("one two/x");
    });

    test("one that it does not allow fails, and the command does not start", async () => {
      const { connection, server } = await start({ acceptEnv: ["OTHER"] });
      const inputs = { connection, environment: { OTHER: "x", NAME: "y" }, create: "true" };
      await expect(command.create(inputs)).rejects.toThrow(/"NAME".*AcceptEnv/);
      expect(server.commands).toEqual([]);
    });

    test("the output of the run before is offered, and only warned about if refused", async () => {
      const allowing = await start({ acceptEnv: ["PULUMI_COMMAND_STDOUT", "PULUMI_COMMAND_STDERR"] });
      const show = 'echo "<$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR>"';
      const { outs } = await command.create({
        connection: allowing.connection,
        create: "echo a; echo b >&2",
      });
      expect(open(await command.update(outs, { connection: allowing.connection, create: show })).stdout).toBe(
        "<a|b>",
      );
      const without = { connection: allowing.connection, create: show, addPreviousOutputInEnv: false };
      expect(open(await command.update(outs, without)).stdout).toBe("<|>");
      expect(command.warnings).toEqual([]);
      const refusing = await start();
      expect(open(await command.update(outs, { connection: refusing.connection, create: show })).stdout).toBe(
        "<|>",
      );
      expect(command.warnings).toHaveLength(2);
      expect(command.warnings[0]).toMatch(/PULUMI_COMMAND_STDOUT.*AcceptEnv/);
    });
  });

  describe("secrets", () => {
    test("inputs that are secret stay so in the outputs, and only those", async () => {
      const { connection } = await start();
      const inputs = {
        connection: secret(connection),
        create: "cat",
        stdin: secret("key"),
        triggers: [secret("a"), "b"],
      };
      const { outs } = await command.create(inputs);
      expect(secretsIn(outs)).toEqual(["connection", "stdin", "triggers"]);
      expect(open(outs).stdout).toBe("key");
      const updated = await command.update(outs, { ...inputs, stdin: secret("other") });
      expect(secretsIn(updated)).toEqual(["connection", "stdin", "triggers"]);
      expect(await command.diff(updated, { ...inputs, stdin: secret("other") })).toMatchObject({
        changes: false,
      });
    });

    test("a secret inside the connection stays inside", async () => {
      const { connection } = await start();
      const { outs } = await command.create({
        connection: { ...connection, privateKey: secret(identity.private) },
        create: "true",
      });
      const kept = outs.connection as Props;
      expect(isSecret(kept.privateKey)).toBe(true);
      expect(kept.host).toBe("127.0.0.1");
      await command.delete(outs);
    });
  });
});
