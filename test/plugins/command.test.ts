import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { lookup } from "../../lab/plugins/command/main.ts";
import {
  archiveSignature,
  assetSignature,
  isSecret,
  secret,
  unknown,
} from "../../lab/plugins/shared/values.ts";
import type { Props } from "../../lab/plugins/shared/values.ts";
import { SshServer, newSshKey } from "./ssh-server.ts";
import type { Rules } from "./ssh-server.ts";
import { Driven, open, secretsIn } from "./support.ts";

vi.mock("node:net", { spy: true });

const identity = newSshKey();
const servers: SshServer[] = [];
let folder: string;
let command: Driven;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "command-"));
  command = new Driven(lookup, "command:remote:Command");
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(rules: Rules = {}, port = 0): Promise<{ server: SshServer; connection: Props }> {
  const server = new SshServer({ keys: [identity.blob], ...rules });
  servers.push(server);
  const listening = await server.listen(port);
  return {
    server,
    connection: { host: "127.0.0.1", port: listening, privateKey: identity.private, dialErrorLimit: 0 },
  };
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

async function stdoutOf(inputs: Props): Promise<string> {
  return open((await command.create(inputs)).outs).stdout!;
}

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

  describe("login", () => {
    test.each([
      ["ed25519", "OpenSSH", (key: ReturnType<typeof newSshKey>) => key.private],
      [
        "ed25519",
        "PKCS#8",
        (key: ReturnType<typeof newSshKey>) => key.key.export({ type: "pkcs8", format: "pem" }),
      ],
      ["rsa", "OpenSSH", (key: ReturnType<typeof newSshKey>) => key.private],
      [
        "rsa",
        "PKCS#1",
        (key: ReturnType<typeof newSshKey>) => key.key.export({ type: "pkcs1", format: "pem" }),
      ],
      ["ec", "SEC1", (key: ReturnType<typeof newSshKey>) => key.key.export({ type: "sec1", format: "pem" })],
      [
        "ec",
        "PKCS#8",
        (key: ReturnType<typeof newSshKey>) => key.key.export({ type: "pkcs8", format: "pem" }),
      ],
    ] as const)("with an %s key in %s form", async (kind, _form, written) => {
      const key = newSshKey(kind);
      const { connection } = await start({ keys: [key.blob] });
      expect(
        await stdoutOf({ connection: { ...connection, privateKey: written(key) }, create: "echo in" }),
      ).toBe("in");
    });

    test("with a key that needs its password", async () => {
      const privateKey = identity.key.export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "open",
      });
      const { connection } = await start();
      const inputs = {
        connection: { ...connection, privateKey, privateKeyPassword: "open" },
        create: "echo in",
      };
      expect(await stdoutOf(inputs)).toBe("in");
      const wrong = {
        connection: { ...connection, privateKey, privateKeyPassword: "no", dialErrorLimit: 5 },
        create: "true",
      };
      await expect(command.create(wrong)).rejects.toThrow();
      expect(command.statuses.filter((line) => line.startsWith("Dial"))).toEqual([]);
    });

    test("with a password, also when it is asked for by a question", async () => {
      for (const keyboard of [false, true]) {
        const { connection } = await start({ keys: [], password: "word", keyboard, user: "debian" });
        const { privateKey: _, ...rest } = connection;
        const inputs = { connection: { ...rest, user: "debian", password: "word" }, create: "echo in" };
        expect(await stdoutOf(inputs)).toBe("in");
        const wrong = { ...inputs, connection: { ...inputs.connection, password: "no" } };
        await expect(command.create(wrong)).rejects.toThrow(/debian@127.0.0.1:\d+ failed after 1 attempts/);
      }
    });

    test("the key goes before the password, and the user is root if not said", async () => {
      const { connection, server } = await start({ password: "word", user: "root" });
      const methods: string[] = [];
      server.on("login", (method) => methods.push(method));
      await command.create({ connection: { ...connection, password: "word" }, create: "true" });
      expect(new Set(methods)).toEqual(new Set(["publickey"]));
    });

    test("with an agent, from the input or from SSH_AUTH_SOCK", async () => {
      const path = join(folder, "agent.sock");
      const agent = await startAgent(path);
      try {
        const { connection } = await start();
        const { privateKey: _, ...rest } = connection;
        expect(await stdoutOf({ connection: { ...rest, agentSocketPath: path }, create: "echo in" })).toBe(
          "in",
        );
        vi.stubEnv("SSH_AUTH_SOCK", path);
        expect(await stdoutOf({ connection: rest, create: "echo in" })).toBe("in");
      } finally {
        agent.close();
      }
    });
  });

  describe("host key", () => {
    test.each(["ed25519", "rsa", "ec"] as const)(
      "the pinned %s key is accepted, any other is refused",
      async (kind) => {
        const hostKey = newSshKey(kind);
        const { connection, server } = await start({ hostKeys: [hostKey.private] });
        const pinned = { ...connection, hostKey: `${hostKey.public} comment` };
        expect(await stdoutOf({ connection: pinned, create: "echo in" })).toBe("in");
        const other = { ...connection, hostKey: newSshKey(kind).public };
        await expect(command.create({ connection: other, create: "echo out" })).rejects.toThrow(/verif/i);
        expect(server.commands).toEqual(["echo in"]);
      },
    );

    test("of a server with several keys the pinned one is asked for", async () => {
      const keys = [newSshKey("ed25519"), newSshKey("ec"), newSshKey("rsa")];
      const { connection } = await start({ hostKeys: keys.map((key) => key.private) });
      for (const { public: hostKey } of keys) {
        expect(await stdoutOf({ connection: { ...connection, hostKey }, create: "echo in" })).toBe("in");
      }
    });

    test("a line that is no key is refused at once", async () => {
      const { connection } = await start();
      const inputs = {
        connection: { ...connection, hostKey: "nonsense", dialErrorLimit: 5 },
        create: "true",
      };
      await expect(command.create(inputs)).rejects.toThrow("host key cannot be read");
    });
  });

  describe("dialling", () => {
    test("tries until the machine answers and says so", async () => {
      const port = await freePort();
      const dialled: string[] = [];
      const waiting = new Driven(lookup, "command:remote:Command", {
        status: (line) => {
          dialled.push(line);
          if (dialled.length === 2) void start({}, port);
        },
      });
      const connection = { host: "127.0.0.1", port, privateKey: identity.private, dialErrorLimit: 8 };
      await waiting.create({ connection, create: "true" });
      expect(dialled.slice(0, 2)).toEqual([
        expect.stringMatching(/^Dial 1\/8 failed: retrying \(.*ECONNREFUSED/),
        expect.stringMatching(/^Dial 2\/8 failed: retrying/),
      ]);
    });

    test("gives up after dialErrorLimit more attempts", async () => {
      const connection = {
        host: "127.0.0.1",
        port: await freePort(),
        privateKey: identity.private,
        dialErrorLimit: 2,
      };
      await expect(command.create({ connection, create: "true" })).rejects.toThrow(
        /failed after 3 attempts: .*ECONNREFUSED/,
      );
      expect(command.statuses).toHaveLength(2);
    });

    test("-1 has no limit: only a cancellation ends it", async () => {
      const connection = {
        host: "127.0.0.1",
        port: await freePort(),
        privateKey: identity.private,
        dialErrorLimit: -1,
      };
      const lines: string[] = [];
      const endless: Driven = new Driven(lookup, "command:remote:Command", {
        status: (line) => {
          lines.push(line);
          if (lines.length === 4) endless.cancellation.abort();
        },
      });
      await expect(endless.create({ connection, create: "true" })).rejects.toThrow();
      expect(lines[3]).toMatch(/^Dial 4\/inf/);
    });

    test("perDialTimeout ends an attempt at a machine that does not answer", async () => {
      // A socket that was never connected stands for a machine that drops packets.
      vi.mocked(net.connect).mockImplementationOnce(() => new net.Socket());
      const connection = {
        host: "127.0.0.1",
        privateKey: identity.private,
        dialErrorLimit: 0,
        perDialTimeout: 1,
      };
      await expect(command.create({ connection, create: "true" })).rejects.toThrow("no answer within 1 s");
    });
  });

  describe("proxy", () => {
    test("the machine is reached through the jump host, each with its own key and host key", async () => {
      const [jumpKey, hop, target] = [newSshKey(), newSshKey(), newSshKey()];
      const jump = await start({ keys: [jumpKey.blob], hostKeys: [hop.private], user: "jump" });
      const machine = await start({ hostKeys: [target.private] });
      const forwards: number[] = [];
      jump.server.on("forward", (port) => forwards.push(port));
      const proxy = { ...jump.connection, user: "jump", privateKey: jumpKey.private, hostKey: hop.public };
      const connection = { ...machine.connection, hostKey: target.public, proxy };
      expect(await stdoutOf({ connection, create: "echo far" })).toBe("far");
      expect(forwards).toEqual([machine.connection.port]);
      expect(jump.server.commands).toEqual([]);
      const swapped = { ...connection, hostKey: hop.public };
      await expect(command.create({ connection: swapped, create: "true" })).rejects.toThrow(/verif/i);
      const wrongHop = { ...connection, proxy: { ...proxy, hostKey: target.public } };
      await expect(command.create({ connection: wrongHop, create: "true" })).rejects.toThrow(
        /Dial proxy.*verif/i,
      );
    });

    test("a machine behind it that is not up yet is tried again", async () => {
      const jump = await start();
      const port = await freePort();
      const connection = { ...jump.connection, port, dialErrorLimit: 1, proxy: jump.connection };
      await expect(command.create({ connection, create: "true" })).rejects.toThrow("Dial from proxy");
      expect(command.statuses).toHaveLength(1);
    });
  });

  describe("trouble", () => {
    test("a cancellation ends the command's channel", async () => {
      const { connection, server } = await start();
      const running = once(server, "exec");
      const closed = once(server, "closed");
      const outcome = expect(command.create({ connection, create: "exec sleep 1000" })).rejects.toThrow(
        "cancelled",
      );
      await running;
      command.cancellation.abort();
      await Promise.all([outcome, closed]);
    });

    test("a connection that breaks fails the command", async () => {
      const { connection, server } = await start();
      server.on("exec", () => server.dropClients());
      await expect(command.create({ connection, create: "exec sleep 1000" })).rejects.toThrow(
        "connection was lost",
      );
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

/** An agent that holds the test's key, by ssh2's own agent protocol. */
async function startAgent(path: string): Promise<{ close(): void }> {
  const parsed = ssh2.utils.parseKey(identity.private);
  if (parsed instanceof Error) throw parsed;
  const listener = createServer((socket) => {
    const protocol = new ssh2.AgentProtocol(false);
    protocol.on("identities", (request) => protocol.getIdentitiesReply(request, [parsed]));
    protocol.on("sign", (request, _key, data) => protocol.signReply(request, parsed.sign(data)));
    socket.pipe(protocol).pipe(socket);
  }).listen(path);
  await once(listener, "listening");
  return listener;
}
