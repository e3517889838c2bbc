import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sha256 } from "../../../lab/cache.ts";
import { buildImage, pullImage } from "../../../lab/mirror/images.ts";
import { byteRange, server, type Kind } from "../../../lab/mirror/serve.ts";
import { download } from "../../../lab/official.ts";
import { repo } from "../../../lab/paths.ts";
import { cniPlugins, criDockerd, flannel } from "../../../model/versions.ts";

let folder: string;
let servers: Server[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mirror-test-"));
  servers = [];
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  vi.spyOn(console, "log").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const one of servers) one.close();
  await rm(folder, { recursive: true });
});

async function serve(kind: Kind, root: string): Promise<string> {
  const one = server(kind, root);
  servers.push(one);
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}

/** Status of a request whose path is sent as it is, with dots and all. */
const rawStatus = (base: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(base, { path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });

describe("modules", () => {
  it.each([
    ["cni-plugins", "github.com/containernetworking/plugins", cniPlugins],
    ["cri-dockerd", "github.com/Mirantis/cri-dockerd", criDockerd],
    ["flannel", "github.com/flannel-io/flannel", flannel],
  ])("%s is built in the version that nodes ask for", async (folder, module, version) => {
    const text = await readFile(join(repo, "lab/mirror/modules", folder, "go.mod"), "utf8");
    expect(text).toContain(`\nrequire ${module} v${version}\n`);
  });
});

describe("byteRange", () => {
  it.each([
    [undefined, { start: 0, end: 9 }],
    ["bytes=0-", { start: 0, end: 9 }],
    ["bytes=2-4", { start: 2, end: 4 }],
    ["bytes=4-99", { start: 4, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=0-1,3-4", { start: 0, end: 9 }],
    ["bytes=10-", undefined],
  ])("%s of ten bytes", (header, expected) => {
    expect(byteRange(header, 10)).toEqual(expected);
  });
});

describe("mirror", () => {
  let base: string;

  beforeEach(async () => {
    await mkdir(join(folder, "root/place"), { recursive: true });
    await writeFile(join(folder, "root/place/file"), "0123456789");
    await writeFile(join(folder, "root/empty"), "");
    await writeFile(join(folder, "secret"), "not for the lab");
    base = await serve("mirror", join(folder, "root"));
  });

  it("serves a file, whole and in part", async () => {
    const whole = await fetch(`${base}/place/file`);
    expect([whole.status, whole.headers.get("content-length"), await whole.text()]).toEqual([
      200,
      "10",
      "0123456789",
    ]);
    const part = await fetch(`${base}/place/file`, { headers: { Range: "bytes=7-" } });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
      206,
      "bytes 7-9/10",
      "789",
    ]);
    const none = await fetch(`${base}/place/file`, { headers: { Range: "bytes=10-" } });
    expect(none.status).toBe(416);
  });

  it("serves an empty file", async () => {
    const response = await fetch(`${base}/empty`);
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  it("serves many at once", async () => {
    const texts = await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch(`${base}/place/file`)).text()),
    );
    expect(new Set(texts)).toEqual(new Set(["0123456789"]));
  });

  it("serves nothing but files of its folder", async () => {
    expect((await fetch(`${base}/none`)).status).toBe(404);
    expect((await fetch(`${base}/place`)).status).toBe(404);
    expect((await fetch(`${base}/place/file`, { method: "POST" })).status).toBe(405);
    for (const path of ["/../secret", "/place/../../secret", "/%2e%2e/secret", "/..%2fsecret", "/%"]) {
      expect(await rawStatus(base, path)).toBeGreaterThanOrEqual(400);
    }
  });
});

describe("download", () => {
  it("keeps a file with the expected checksum and refuses another", async () => {
    await mkdir(join(folder, "root"));
    await writeFile(join(folder, "root/file"), "content");
    const url = `${await serve("mirror", join(folder, "root"))}/file`;
    const expected = await sha256(join(folder, "root/file"));
    await download(url, join(folder, "kept"), expected);
    expect(await readFile(join(folder, "kept"), "utf8")).toBe("content");
    const other = "0".repeat(64);
    await expect(download(url, join(folder, "refused"), other)).rejects.toThrow(
      `${url}: SHA-256 is ${expected}, expected ${other}. Not used.`,
    );
    await expect(stat(join(folder, "refused"))).rejects.toThrow("ENOENT");
  });
});

describe("registry", () => {
  async function registryWithImage(): Promise<{ base: string; image: string }> {
    await writeFile(join(folder, "program"), "#!/bin/sh\n", { mode: 0o755 });
    const image = await buildImage({
      repository: "some/program",
      tag: "v1",
      files: { "usr/bin/program": join(folder, "program") },
      entrypoint: ["program"],
      user: "65532:65532",
    });
    await execa("mkdir", ["-p", join(folder, "registry/some")]);
    await execa("cp", ["-r", image.folder, join(folder, "registry/some/program")]);
    return {
      base: await serve("registry", join(folder, "registry")),
      image: join(folder, "registry/some/program"),
    };
  }

  it("hands out what was built: same parts, files, entry point and user", async () => {
    const { base, image } = await registryWithImage();
    expect((await fetch(`${base}/v2/`)).status).toBe(200);
    const pulled = await pullImage("some/program", "v1", base);
    const parts = async (root: string): Promise<string[]> =>
      (await readdir(root, { recursive: true })).sort();
    expect(await parts(pulled.folder)).toEqual(await parts(image));

    const manifest = JSON.parse(await readFile(join(pulled.folder, "manifests/v1"), "utf8")) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    const config = JSON.parse(
      await readFile(join(pulled.folder, "blobs", manifest.config.digest), "utf8"),
    ) as {
      config: unknown;
    };
    expect(config.config).toMatchObject({ Entrypoint: ["program"], User: "65532:65532" });
    const layer = join(pulled.folder, "blobs", manifest.layers[0]?.digest ?? "");
    const { stdout } = await execa("tar", ["--list", "--file", layer]);
    expect(stdout.split("\n")).toContain("./usr/bin/program");
  });

  it("says which image there is not", async () => {
    const { base } = await registryWithImage();
    const response = await fetch(`${base}/v2/some/program/manifests/v2`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("MANIFEST_UNKNOWN");
  });

  it("has a pull refuse a part with another checksum", async () => {
    const { base, image } = await registryWithImage();
    const [blob = ""] = await readdir(join(image, "blobs"));
    await writeFile(join(image, "blobs", blob), "something else");
    await expect(pullImage("some/program", "v1", base)).rejects.toThrow("Not used.");
  });
});
