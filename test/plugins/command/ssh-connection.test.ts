import { once } from "node:events";
import { createServer } from "node:net";
import * as net from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, describe, expect, test, vi } from "vitest";
import { lookup } from "../../../lab/plugins/command/main.ts";
import { newSshKey } from "../ssh-server.ts";
import { Driven } from "../support.ts";
import { command, folder, freePort, identity, start, stdoutOf } from "./driven.ts";

vi.mock("node:net", { spy: true });

afterEach(() => {
  vi.restoreAllMocks();
});

describe("remote.Command", () => {
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
