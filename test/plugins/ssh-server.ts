import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { EventEmitter, once } from "node:events";
import * as fs from "node:fs";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import ssh2 from "ssh2";
import type { AuthContext, SFTPWrapper, ServerChannel, Session } from "ssh2";
import { opensshPrivateKey, publicKeyBlob } from "../../lab/plugins/shared/openssh.ts";

const { STATUS_CODE } = ssh2.utils.sftp;

/** A private key in OpenSSH's form with its line for authorized_keys. */
export function newSshKey(kind: "ed25519" | "rsa" | "ec" = "ed25519") {
  const { privateKey } =
    kind === "ed25519"
      ? generateKeyPairSync("ed25519")
      : kind === "rsa"
        ? generateKeyPairSync("rsa", { modulusLength: 2048 })
        : generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { type, blob } = publicKeyBlob(privateKey)!;
  return {
    key: privateKey,
    private: opensshPrivateKey(privateKey)!,
    public: `${type} ${blob.toString("base64")}`,
    blob,
  };
}

export interface Rules {
  hostKeys?: string[];
  user?: string;
  /** Public keys that may log in. */
  keys?: Buffer[];
  password?: string;
  /** Asks for the password by questions instead. */
  keyboard?: boolean;
  acceptEnv?: string[];
  /** Where relative paths of SFTP begin. */
  root?: string;
}

/** An SSH server in this process (of the library ssh2) that really runs commands and really writes files. */
export class SshServer extends EventEmitter<{
  exec: [string];
  closed: [];
  login: [string];
  forward: [number];
}> {
  readonly commands: string[] = [];
  readonly #server: ssh2.Server;
  readonly #rules: Rules;
  readonly #clients = new Set<ssh2.Connection>();

  constructor(rules: Rules = {}) {
    super();
    this.#rules = rules;
    this.#server = new ssh2.Server({ hostKeys: rules.hostKeys ?? [newSshKey().private] }, (client) => {
      this.#clients.add(client);
      socketOf(client).setNoDelay(true);
      client.on("close", () => this.#clients.delete(client));
      client.on("error", () => {});
      client.on("authentication", (context) => this.#authenticate(context));
      client.on("session", (accept) => this.#session(accept()));
      client.on("tcpip", (accept, _reject, { destIP, destPort }) => {
        this.emit("forward", destPort);
        const socket = connect(destPort, destIP);
        const channel = accept();
        socket.on("error", () => channel.close());
        channel.on("error", () => {});
        channel.pipe(socket).pipe(channel);
      });
    });
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.dropClients();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  /** Cuts every connection, as a machine that dies. */
  dropClients(): void {
    for (const client of this.#clients) socketOf(client).destroy();
  }

  #authenticate(context: AuthContext) {
    const { user, keys, password, keyboard } = this.#rules;
    const accept = () => {
      this.emit("login", context.method);
      context.accept();
    };
    if (user !== undefined && context.username !== user) return context.reject();
    if (context.method === "publickey" && keys?.some((key) => key.equals(keyOf(context)))) return accept();
    if (context.method === "password" && !keyboard && password === context.password) return accept();
    if (context.method === "keyboard-interactive" && keyboard) {
      return context.prompt([{ prompt: "Password:", echo: false }], ([answer]) =>
        answer === password ? accept() : context.reject(),
      );
    }
    context.reject();
  }

  #session(session: Session) {
    const variables: Record<string, string> = {};
    session.on("env", (accept, reject, { key, val }) => {
      // ssh2's server answers only if the client asked for an answer.
      const taken = this.#rules.acceptEnv?.includes(key) ?? false;
      if (taken) variables[key] = val;
      (taken ? accept : reject)?.();
    });
    session.on("exec", (accept, _reject, { command }) => {
      this.commands.push(command);
      this.#run(accept(), command, variables);
    });
    session.on("sftp", (accept) => serveFiles(accept(), this.#rules.root ?? "/"));
  }

  #run(channel: ServerChannel, command: string, variables: Record<string, string>) {
    const child = spawn("/bin/sh", ["-c", command], { env: { PATH: process.env.PATH, ...variables } });
    child.stdin.on("error", () => {});
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    channel.on("close", () => {
      child.kill("SIGKILL");
      this.emit("closed");
    });
    child.on("close", (code, signal) => {
      if (code === null) channel.exit(String(signal).replace("SIG", ""));
      else channel.exit(code);
      channel.end();
    });
    this.emit("exec", command);
  }
}

function socketOf(client: ssh2.Connection): Socket {
  return (client as unknown as { _sock: Socket })._sock;
}

function keyOf(context: AuthContext): Buffer {
  return context.method === "publickey" ? context.key.data : Buffer.alloc(0);
}

/** The few requests of SFTP that copying needs, done on the real file system below `root`. */
function serveFiles(sftp: SFTPWrapper, root: string) {
  const place = (path: string) => join(root, path);
  const handles = new Map<string, number>();
  const answer = (id: number, act: () => void) => {
    try {
      act();
      sftp.status(id, STATUS_CODE.OK);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      sftp.status(id, missing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
    }
  };
  sftp.on("OPEN", (id, path) => {
    try {
      const descriptor = fs.openSync(place(path), "w");
      const handle = Buffer.from(String(descriptor));
      handles.set(handle.toString(), descriptor);
      sftp.handle(id, handle);
    } catch {
      sftp.status(id, STATUS_CODE.PERMISSION_DENIED);
    }
  });
  sftp.on("WRITE", (id, handle, offset, data) =>
    answer(id, () => fs.writeSync(handles.get(handle.toString())!, data, 0, data.length, offset)),
  );
  sftp.on("CLOSE", (id, handle) => answer(id, () => fs.closeSync(handles.get(handle.toString())!)));
  sftp.on("MKDIR", (id, path) => answer(id, () => fs.mkdirSync(place(path))));
  sftp.on("STAT", (id, path) => {
    const stats = fs.statSync(place(path), { throwIfNoEntry: false });
    if (!stats) return void sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    const { mode, uid, gid, size } = stats;
    sftp.attrs(id, { mode, uid, gid, size, atime: 0, mtime: 0 });
  });
}
