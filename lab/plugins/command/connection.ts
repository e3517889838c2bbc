import { createPrivateKey } from "node:crypto";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import ssh2 from "ssh2";
import type { Client, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import { opensshPrivateKey } from "../shared/openssh.ts";
import type { Context } from "../shared/resource.ts";

/** How to reach a machine, as the inputs `connection` and `connection.proxy` say it. */
interface Endpoint {
  host: string;
  port?: number;
  user?: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  agentSocketPath?: string;
  hostKey?: string;
  dialErrorLimit?: number;
  perDialTimeout?: number;
}

export type Connection = Endpoint & { proxy?: Endpoint };

const handshakeMilliseconds = 120_000;
const firstDelay = 100;
const longestDelay = 5000;

/** Opens a session to a machine, through its proxy if it has one. The caller ends it with `end()`. */
export async function dial(
  connection: Connection,
  context: Context,
): Promise<{ client: Client; end(): void }> {
  const { proxy } = connection;
  const target = configure(connection);
  if (!proxy) {
    const client = await retried("Dial", connection, context, async () => {
      return session(target, await tcp(connection, context), context);
    });
    return { client, end: () => client.end() };
  }
  const hop = configure(proxy, "proxy: ");
  const jump = await retried("Dial proxy", proxy, context, async () => {
    return session(hop, await tcp(proxy, context), context);
  });
  try {
    const client = await retried("Dial from proxy", connection, context, async () => {
      return session(target, await forward(jump, connection), context);
    });
    return { client, end: () => (client.end(), jump.end()) };
  } catch (error) {
    jump.end();
    throw error;
  }
}

/** The settings of one session. Throws for keys that cannot be read: trying again would not help. */
function configure(endpoint: Endpoint, where = ""): ConnectConfig {
  const agent = endpoint.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
  const config: ConnectConfig = {
    username: endpoint.user ?? "root",
    authHandler: ["publickey", "password", "keyboard-interactive", "agent"],
    readyTimeout: handshakeMilliseconds,
    // A machine that vanished while its command ran is noticed after five minutes.
    keepaliveInterval: 15_000,
    keepaliveCountMax: 20,
  };
  if (endpoint.privateKey !== undefined) Object.assign(config, identity(endpoint, where));
  if (endpoint.password !== undefined)
    Object.assign(config, { password: endpoint.password, tryKeyboard: true });
  if (agent) config.agent = agent;
  if (endpoint.hostKey !== undefined) {
    const expected = ssh2.utils.parseKey(endpoint.hostKey);
    if (expected instanceof Error)
      throw new Error(`${where}the host key cannot be read: ${expected.message}`);
    config.hostVerifier = (key: Buffer) => key.equals(expected.getPublicSSH());
    // Without this a server with several keys may show another one than the one that is expected.
    config.algorithms = { serverHostKey: hostKeyAlgorithms(expected.type) };
  }
  return config;
}

function hostKeyAlgorithms(type: string): ServerHostKeyAlgorithm[] {
  const algorithms = type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
  return algorithms as ServerHostKeyAlgorithm[];
}

function identity({ privateKey, privateKeyPassword }: Endpoint, where: string): Partial<ConnectConfig> {
  let key = privateKey!;
  // ssh2 does not read PKCS#8, in which Ed25519 keys come from the tls plugin.
  if (/^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(key.trimStart())) {
    key = opensshPrivateKey(createPrivateKey({ key, passphrase: privateKeyPassword })) ?? key;
  }
  const parsed = ssh2.utils.parseKey(key, privateKeyPassword);
  if (parsed instanceof Error) throw new Error(`${where}the private key cannot be read: ${parsed.message}`);
  return { privateKey: key, ...(privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword }) };
}

/** Tries until it works: one attempt and `dialErrorLimit` more, at growing distances. */
async function retried<T>(
  what: string,
  endpoint: Endpoint,
  context: Context,
  attempt: () => Promise<T>,
): Promise<T> {
  const limit = endpoint.dialErrorLimit ?? 10;
  for (let tried = 0; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      context.signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      if (limit >= 0 && tried >= limit) {
        const address = `${endpoint.user ?? "root"}@${endpoint.host}:${endpoint.port ?? 22}`;
        throw new Error(`${what} to ${address} failed after ${tried + 1} attempts: ${reason}`, {
          cause: error,
        });
      }
      context.status(`${what} ${tried + 1}/${limit < 0 ? "inf" : limit} failed: retrying (${reason})`);
    }
    await delay(Math.min(firstDelay * 1.5 ** tried, longestDelay), undefined, { signal: context.signal });
  }
}

function tcp({ host, port, perDialTimeout }: Endpoint, { signal }: Context): Promise<Duplex> {
  const seconds = perDialTimeout ?? 15;
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port: port ?? 22, noDelay: true });
    const limit = seconds > 0 ? AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]) : signal;
    const give = () =>
      socket.destroy(new Error(signal.aborted ? "cancelled" : `no answer within ${seconds} s`));
    limit.addEventListener("abort", give, { once: true });
    const settle = (done: () => void) => {
      limit.removeEventListener("abort", give);
      done();
    };
    socket.once("error", (error) => settle(() => reject(error)));
    socket.once("connect", () => settle(() => resolve(socket)));
    if (signal.aborted) give();
  });
}

function forward(jump: Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    jump.forwardOut("127.0.0.1", 0, host, port ?? 22, (error, stream) =>
      error ? reject(error) : resolve(stream),
    );
  });
}

function session(config: ConnectConfig, sock: Duplex, { signal }: Context): Promise<Client> {
  const client = new ssh2.Client();
  const cancel = () => client.destroy();
  signal.addEventListener("abort", cancel, { once: true });
  return new Promise((resolve, reject) => {
    let last = new Error("the connection was closed during the handshake");
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) => {
      answer(prompts.map(() => config.password ?? ""));
    });
    client.on("ready", () => resolve(client));
    client.on("error", (error) => {
      last = error;
      client.destroy();
    });
    client.on("close", () => {
      signal.removeEventListener("abort", cancel);
      reject(signal.aborted ? new Error("cancelled") : last);
    });
    client.connect({ ...config, sock });
  });
}
