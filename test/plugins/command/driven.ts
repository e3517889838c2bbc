import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";
import { lookup } from "../../../lab/plugins/command/main.ts";
import type { Props } from "../../../lab/plugins/shared/values.ts";
import { SshServer, newSshKey } from "../ssh-server.ts";
import type { Rules } from "../ssh-server.ts";
import { Driven, open } from "../support.ts";

// For each test a folder, a remote command and the SSH servers that it starts.

export const identity = newSshKey();
export let folder: string;
export let command: Driven;
const servers: SshServer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "command-"));
  command = new Driven(lookup, "command:remote:Command");
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A server that lets `identity` in, and how it is reached. */
export async function start(rules: Rules = {}, port = 0): Promise<{ server: SshServer; connection: Props }> {
  const server = new SshServer({ keys: [identity.blob], ...rules });
  servers.push(server);
  const listening = await server.listen(port);
  return {
    server,
    connection: { host: "127.0.0.1", port: listening, privateKey: identity.private, dialErrorLimit: 0 },
  };
}

/** A port at which nobody listens. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** What a remote command wrote when it was made. */
export async function stdoutOf(inputs: Props): Promise<string> {
  return open((await command.create(inputs)).outs).stdout!;
}
