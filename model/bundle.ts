import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "fflate";

/** A file on a node. */
export interface File {
  content: string;
  /** Octal permissions; the owner is root. */
  mode: "0600" | "0644" | "0755";
}

/** Files on a node by absolute path. */
export type Files = Record<string, File>;

/** Begins a file in a bundle: `==> 0644 /etc/hosts`. */
const marker = "==> ";

/** Writes files as one readable text, in the order of their paths. */
export function bundle(files: Files): string {
  return Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { content, mode }]) => {
      if (content.startsWith(marker) || content.includes(`\n${marker}`)) {
        throw new Error(`${path}: no line of a file may begin with "${marker}"`);
      }
      if (!content.endsWith("\n")) throw new Error(`${path}: must end with a newline`);
      return `${marker}${mode} ${path}\n${content}`;
    })
    .join("");
}

function unbundle(text: string): Files {
  return Object.fromEntries(
    text
      .split(/^==> /m)
      .slice(1)
      .map((part) => {
        const [, mode, path, content] = /^(\d+) (.+)\n([^]*)$/.exec(part)!;
        return [path, { content, mode }] as [string, File];
      }),
  );
}

/**
 * Files as templates/commands/receive-files.sh takes them: a bundle, compressed (RFC 1952) since the engine keeps it in
 * the state twice, in Base64. Not by zlib, which writes other bytes on other processors: they would be a change.
 */
export function pack(files: Files): string {
  return Buffer.from(gzipSync(Buffer.from(bundle(files)), { mtime: 0 })).toString("base64");
}

/**
 * Reads what `pack` has written, or `bundle`, as states of earlier versions have it.
 * @throws where it is anything else
 */
export function unpack(text: string): Files {
  if (text.startsWith(marker)) return unbundle(text);
  return unbundle(Buffer.from(gunzipSync(Buffer.from(text, "base64"))).toString());
}

/** A file that anyone on the node may read. */
export function file(content: string): File {
  return { content, mode: "0644" };
}

/** A file of values that a shell reads: `NAME=value`, a line each. */
export function environmentFile(values: Record<string, string | number | boolean>): File {
  return file(
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
}

/** SHA-256 of a text in hexadecimal: says that it changed without saying what it is. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
