import type { Readable, Writable } from "node:stream";
import ssh2 from "ssh2";
import type { Client, ClientChannel, ConnectConfig } from "ssh2";

/** How the program logs in to a machine, as it is in the state. */
export interface Connection {
  host: string;
  port?: number;
  user: string;
  privateKey: string;
  /** The machine's public key; another one is refused. */
  hostKey: string;
  /** Machine that leads to this one. */
  proxy?: Connection;
}

/** What a command on a machine reads and where its output goes; that is its result where nothing is said. */
export interface Streams {
  input?: string | Readable;
  output?: Writable;
}

/** Runs a command on a machine and hands back what it prints. */
export type Run = (command: string, streams?: Streams) => Promise<string>;

/**
 * Logs in to a machine for as long as `use` lasts. The key goes through no file and no argument.
 * @throws Error that says why the machine is not reached, or what a command said that failed
 */
export async function onMachine<T>(connection: Connection, use: (run: Run) => Promise<T>): Promise<T> {
  const { proxy } = connection;
  if (proxy === undefined) return withClient(connection, undefined, (client) => use(runner(client)));
  return withClient(proxy, undefined, async (jump) =>
    withClient(connection, await forward(jump, connection), (client) => use(runner(client))),
  );
}

async function withClient<T>(
  { host, port = 22, user, privateKey, hostKey }: Connection,
  sock: ClientChannel | undefined,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const expected = ssh2.utils.parseKey(hostKey);
  if (expected instanceof Error) throw expected;
  const config: ConnectConfig = {
    ...(sock === undefined ? { host, port } : { sock }),
    username: user,
    privateKey,
    hostVerifier: (key: Buffer) => key.equals(expected.getPublicSSH()),
    algorithms: { serverHostKey: [expected.type] },
    readyTimeout: 20_000,
    keepaliveInterval: 15_000,
  };
  const client = new ssh2.Client();
  try {
    await new Promise<void>((resolve, reject) => {
      client.on("ready", resolve);
      client.on("error", reject);
      client.on("close", () => reject(new Error("the connection was closed")));
      client.connect(config);
    });
    return await use(client);
  } finally {
    client.end();
  }
}

function forward(jump: Client, { host, port = 22 }: Connection): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    jump.forwardOut("127.0.0.1", 0, host, port, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
}

function runner(client: Client): Run {
  return (command, { input = "", output } = {}) =>
    new Promise((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        const [printed, wrong]: [Buffer[], Buffer[]] = [[], []];
        let status: number | string | undefined;
        if (output === undefined) channel.on("data", (part: Buffer) => printed.push(part));
        else channel.pipe(output);
        channel.stderr.on("data", (part: Buffer) => wrong.push(part));
        channel.on("exit", (code: number | null, signal?: string) => (status = code ?? signal));
        channel.on("close", () => {
          if (status === 0) return resolve(Buffer.concat(printed).toString());
          const said = Buffer.concat(wrong).toString().trim();
          reject(
            new Error(said || (status === undefined ? "the connection was lost" : `it ended with ${status}`)),
          );
        });
        // A command may end without reading all of its input; its status counts.
        channel.on("error", () => undefined);
        if (typeof input === "string") channel.end(input);
        else input.on("error", reject).pipe(channel);
      });
    });
}
