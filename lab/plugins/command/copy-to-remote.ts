import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import { Readable } from "node:stream";
import type { SFTPWrapper, Stats } from "ssh2";
import { dial } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { newId } from "./lifecycle.ts";
import type { Context, Resource } from "../shared/resource.ts";
import {
  archiveSignature,
  assetSignature,
  changedKeys,
  hasUnknown,
  same,
  signature,
} from "../shared/values.ts";
import type { Props } from "../shared/values.ts";

interface Source extends Props {
  text?: string;
  path?: string;
  uri?: string;
  assets?: Record<string, Source>;
}

interface CopyProps extends Props {
  connection: Connection;
  source: Source;
  remotePath: string;
}

/** SFTP's status for a path where there is nothing. */
const noSuchFile = 2;

/** `command:remote:CopyToRemote`: files onto another machine, by SFTP. Sources from a URL are not there. */
export const copyToRemote: Resource = {
  check(news) {
    const failures = ["connection", "source", "remotePath"]
      .filter((key) => news[key] === undefined)
      .map((property) => ({ property, reason: "missing required property" }));
    const mark = signature(news.source);
    const known = news.source !== undefined && !hasUnknown(news.source);
    if (known && mark !== assetSignature && mark !== archiveSignature) {
      failures.push({ property: "source", reason: "must be an asset or an archive" });
    } else if (known && (news.source as Source).uri) {
      failures.push({ property: "source", reason: "this stand-in does not copy from a URL" });
    }
    return { failures };
  },
  diff(olds, news) {
    const keys = changedKeys(olds, news);
    return { changes: keys.length > 0, replaces: keys.filter((key) => key === "triggers") };
  },
  async create(news, context) {
    await copy(news as CopyProps, context);
    return { id: newId(context.urn), outs: news };
  },
  async update(_id, olds, news, context) {
    // As the official plugin has it, a new connection alone copies nothing.
    const needed = !same(olds.source, news.source) || olds.remotePath !== news.remotePath;
    if (needed) await copy(news as CopyProps, context);
    return news;
  },
};

async function copy({ connection, source, remotePath }: CopyProps, context: Context) {
  const { client, end } = await dial(connection, context);
  try {
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
      client.on("close", () => reject(new Error("the connection was closed")));
      client.sftp((error, channel) => (error ? reject(error) : resolve(channel)));
    });
    const lost = new Promise<never>((_, reject) =>
      client.on("close", () => reject(new Error("the connection was lost"))),
    );
    await Promise.race([new Copier(sftp).copy(source, remotePath), lost]);
  } finally {
    end();
  }
}

class Copier {
  readonly #sftp: SFTPWrapper;

  constructor(sftp: SFTPWrapper) {
    this.#sftp = sftp;
  }

  async copy(source: Source, target: string) {
    if (source.assets) await this.#assets(source.assets, target);
    else if (source.path !== undefined) await this.#path(source.path, target);
    else await this.#text(source.text ?? "", target);
  }

  async #text(text: string, target: string) {
    if ((await this.#stat(target))?.isDirectory()) {
      throw new Error(`${target} is a directory; the remotePath of a text must name a file`);
    }
    await this.#folder(posix.dirname(target));
    await this.#write(Readable.from([Buffer.from(text)]), target);
  }

  async #path(path: string, target: string) {
    const existing = await this.#stat(target);
    if (!(await stat(path)).isDirectory()) {
      const file = existing?.isDirectory() ? posix.join(target, basename(path)) : target;
      if (!existing) await this.#folder(posix.dirname(file));
      await this.#write(createReadStream(path), file);
      return;
    }
    // As with rsync, a trailing slash means the directory's content, without it the directory itself.
    await this.#tree(path, path.endsWith("/") ? target : posix.join(target, basename(path)));
  }

  async #assets(assets: Record<string, Source>, target: string) {
    await this.#folder(target);
    for (const [name, source] of Object.entries(assets)) {
      const place = posix.join(target, name);
      await this.#folder(posix.dirname(place));
      if (signature(source) === assetSignature) await this.#write(contentOf(source), place);
      else if (source.assets) await this.#assets(source.assets, place);
      else await this.#tree(source.path!, place);
    }
  }

  async #tree(path: string, target: string) {
    await this.#folder(target);
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const [from, to] = [join(path, entry.name), posix.join(target, entry.name)];
      if (entry.isDirectory()) await this.#tree(from, to);
      else await this.#write(createReadStream(from), to);
    }
  }

  async #folder(path: string) {
    const existing = await this.#stat(path);
    if (existing?.isDirectory()) return;
    if (existing) throw new Error(`${path} exists on the machine and is not a directory`);
    await this.#folder(posix.dirname(path));
    await answer((done) => this.#sftp.mkdir(path, done)).catch((error: Error) => {
      throw about(error, `create the directory ${path}`);
    });
  }

  /** Not by ssh2's stream, which sets a mode of its own: the machine's umask decides, as with the official plugin. */
  async #write(content: Readable, target: string) {
    const sftp = this.#sftp;
    try {
      const handle = await answer<Buffer>((done) => sftp.open(target, "w", done));
      let position = 0;
      for await (const chunk of content as AsyncIterable<Buffer>) {
        await answer((done) => sftp.write(handle, chunk, 0, chunk.length, position, done));
        position += chunk.length;
      }
      await answer((done) => sftp.close(handle, done));
    } catch (error) {
      throw about(error as Error, `write ${target}`);
    }
  }

  async #stat(path: string): Promise<Stats | undefined> {
    return answer<Stats>((done) => this.#sftp.stat(path, done)).catch((error: Error & { code?: unknown }) => {
      if (error.code === noSuchFile) return undefined;
      throw about(error, `look at ${path}`);
    });
  }
}

function answer<T = void>(
  ask: (done: (error: Error | null | undefined, value?: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

function contentOf({ path, text }: Source): Readable {
  return path === undefined ? Readable.from([Buffer.from(text ?? "")]) : createReadStream(path);
}

function about(error: Error, action: string): Error {
  return new Error(`could not ${action} on the machine: ${error.message}`, { cause: error });
}
