// HTTP servers of the lab: a mirror of download places (files of a folder) and an image registry to pull from.
// Run as a program: serve.ts <mirror | registry> <folder> <address> <port>
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

type Handler = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** First and last byte that a Range header asks for; the whole file without one, undefined where it cannot be met. */
export function byteRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return { start: 0, end: size - 1 };
  const range =
    match[1] === ""
      ? { start: Math.max(0, size - Number(match[2])), end: size - 1 }
      : { start: Number(match[1]), end: match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1) };
  return range.start <= range.end ? range : undefined;
}

async function sendFile(file: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const status = await stat(file).catch(() => undefined);
  if (!status?.isFile()) {
    response.writeHead(404).end("not found\n");
    return;
  }
  const { size } = status;
  const range = byteRange(request.headers.range, size);
  if (range === undefined) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return;
  }
  const { start, end } = range;
  const whole = start === 0 && end === size - 1;
  response.writeHead(whole ? 200 : 206, {
    "Content-Type": "application/octet-stream",
    "Content-Length": end - start + 1,
    "Last-Modified": status.mtime.toUTCString(),
    "Accept-Ranges": "bytes",
    ...(whole ? {} : { "Content-Range": `bytes ${start}-${end}/${size}` }),
  });
  if (request.method === "HEAD" || size === 0) response.end();
  else await pipeline(createReadStream(file, { start, end }), response);
}

const mirror =
  (root: string): Handler =>
  (path, request, response) =>
    sendFile(join(root, path), request, response);

/** The part of the registry protocol that a pull needs: https://distribution.github.io/distribution/spec/api */
const registry =
  (root: string): Handler =>
  async (path, request, response) => {
    response.setHeader("Docker-Distribution-API-Version", "registry/2.0");
    if (path === "/v2/" || path === "/v2") {
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
      return;
    }
    const file = join(root, path.replace(/^\/v2\//, ""));
    if (!/\/manifests\/[^/]+$/.test(path)) return sendFile(file, request, response);
    const manifest = await readFile(file, "utf8").catch(() => undefined);
    if (manifest === undefined) {
      const error = { code: "MANIFEST_UNKNOWN", message: `no such image in the lab: ${path}` };
      response
        .writeHead(404, { "Content-Type": "application/json" })
        .end(JSON.stringify({ errors: [error] }));
      return;
    }
    const { mediaType } = JSON.parse(manifest) as { mediaType: string };
    response.writeHead(200, {
      "Content-Type": mediaType,
      "Content-Length": Buffer.byteLength(manifest),
      "Docker-Content-Digest": `sha256:${createHash("sha256").update(manifest).digest("hex")}`,
    });
    response.end(request.method === "HEAD" ? undefined : manifest);
  };

const handlers = { mirror, registry };
export type Kind = keyof typeof handlers;

/** A server over a folder; it answers GET and HEAD and prints a line per request. */
export function server(kind: Kind, root: string): Server {
  const handle = handlers[kind](root);
  return createServer((request, response) => {
    response.on("close", () =>
      console.log(`${new Date().toISOString()} ${request.method} ${request.url} ${response.statusCode}`),
    );
    const answer = async (): Promise<void> => {
      // URL resolves "..", so a path stays below the root.
      const path = decodeURIComponent(new URL(request.url ?? "/", "http://lab").pathname);
      if (path.split("/").includes("..")) response.writeHead(400).end();
      else if (request.method === "GET" || request.method === "HEAD") await handle(path, request, response);
      else response.writeHead(405).end();
    };
    // A client that goes away in the middle, or an address that is none, is no reason to end.
    answer().catch((error: unknown) => {
      console.log(String(error));
      if (response.headersSent) response.destroy();
      else response.writeHead(400).end();
    });
  });
}

/** Command line that serves a folder. */
export const serveCommand = (kind: Kind, root: string, address: string, port: number): string[] => [
  process.execPath,
  import.meta.filename,
  kind,
  root,
  address,
  String(port),
];

if (import.meta.main) {
  const [kind, root, address, port] = process.argv.slice(2);
  if ((kind !== "mirror" && kind !== "registry") || root === undefined)
    throw new Error("serve.ts: bad arguments");
  server(kind, root).listen(Number(port), address);
}
