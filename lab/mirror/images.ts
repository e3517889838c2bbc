import { createHash } from "node:crypto";
import { chmod, cp, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cached, sha256 } from "../cache.ts";
import { download } from "../official.ts";
import { lab } from "../paths.ts";
import { LabError, phase } from "../phase.ts";
import { downloadPackages } from "./debian.ts";

const officialRegistry = "https://registry.k8s.io";
const types = {
  index: [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
  ],
  manifest: [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
  ],
};

/** An image by repository and tag, and the folder with its `manifests` and `blobs`. */
export interface Image {
  readonly repository: string;
  readonly tag: string;
  readonly folder: string;
}

/** How to make an image of files. */
export interface Recipe {
  readonly repository: string;
  readonly tag: string;
  /** Path in the image → file on this machine. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  /** Capabilities of files, as setcap writes them: a program of a plain user needs one to bind port 53. */
  readonly capabilities?: Readonly<Record<string, string>>;
}

const digestOf = (content: string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** Writes a folder's files as an image of one layer. */
async function writeImage(
  rootfs: string,
  dir: string,
  { tag, entrypoint, user }: Pick<Recipe, "tag" | "entrypoint" | "user">,
): Promise<void> {
  await mkdir(join(dir, "blobs"));
  await mkdir(join(dir, "manifests"));
  const layer = join(dir, "layer.tar");
  const stable = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  const attributes = [
    "--xattrs",
    "--xattrs-include=security.capability",
    "--pax-option=delete=atime,delete=ctime",
  ];
  await execa("tar", ["-C", rootfs, ...stable, ...attributes, "-cf", layer, "."]);
  const layerDigest = `sha256:${await sha256(layer)}`;
  await rename(layer, join(dir, "blobs", layerDigest));
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      WorkingDir: "/",
      ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
      ...(user === undefined ? {} : { User: user }),
    },
    rootfs: { type: "layers", diff_ids: [layerDigest] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "openstack-kubernetes lab" }],
  });
  await writeFile(join(dir, "blobs", digestOf(config)), config);
  const { size } = await stat(join(dir, "blobs", layerDigest));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest[0],
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(config),
      size: Buffer.byteLength(config),
    },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layerDigest, size }],
  });
  for (const name of [tag, digestOf(manifest)]) await writeFile(join(dir, "manifests", name), manifest);
}

/** What every image needs of a root: users and a place for temporary files. */
async function skeleton(rootfs: string): Promise<void> {
  await mkdir(join(rootfs, "etc"), { recursive: true });
  await mkdir(join(rootfs, "tmp"), { recursive: true });
  await chmod(join(rootfs, "tmp"), 0o1777);
  await writeFile(
    join(rootfs, "etc/passwd"),
    "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n" +
      "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n",
  );
  await writeFile(join(rootfs, "etc/group"), "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n");
}

/** Makes an image of single programs. */
export async function buildImage(recipe: Recipe): Promise<Image> {
  const { repository, tag, files } = recipe;
  const name = repository.replaceAll("/", "-");
  const folder = await cached(
    `image-${name}`,
    { recipe, writer: await readFile(import.meta.filename, "utf8") },
    (dir) =>
      phase(`build image ${repository}:${tag}`, async () => {
        const rootfs = join(dir, "rootfs");
        await skeleton(rootfs);
        for (const [path, source] of Object.entries(files)) {
          await mkdir(dirname(join(rootfs, path)), { recursive: true });
          await cp(source, join(rootfs, path));
        }
        for (const [path, text] of Object.entries(recipe.capabilities ?? {})) {
          await execa("setcap", [text, join(rootfs, path)]);
        }
        await writeImage(rootfs, dir, recipe);
        await rm(rootfs, { recursive: true });
      }),
  );
  return { repository, tag, folder };
}

interface Manifest {
  readonly mediaType: string;
  readonly manifests?: readonly { digest: string; platform?: { os: string; architecture: string } }[];
  readonly config: { digest: string };
  readonly layers: readonly { digest: string }[];
}

async function fetchManifest(base: string, reference: string): Promise<string> {
  const accept = [...types.index, ...types.manifest].join(", ");
  const response = await fetch(`${base}/manifests/${reference}`, { headers: { Accept: accept } });
  if (!response.ok) throw new LabError(`${base}/manifests/${reference}: HTTP ${response.status}`);
  const text = await response.text();
  if (reference.startsWith("sha256:") && digestOf(text) !== reference) {
    throw new LabError(`${base}/manifests/${reference}: the content has another checksum. Not used.`);
  }
  return text;
}

/** Fetches an image for linux/amd64 from a registry, every part checked by its digest. */
export async function pullImage(
  repository: string,
  tag: string,
  registry = officialRegistry,
): Promise<Image> {
  const base = `${registry}/v2/${repository}`;
  const name = repository.replaceAll("/", "-");
  const folder = await cached(`image-${name}`, { pulled: `${base}:${tag}` }, (dir) =>
    phase(`pull image ${repository}:${tag}`, async () => {
      await mkdir(join(dir, "manifests"), { recursive: true });
      let text = await fetchManifest(base, tag);
      const { manifests } = JSON.parse(text) as Manifest;
      if (manifests !== undefined) {
        const ours = manifests.find(
          ({ platform }) => platform?.os === "linux" && platform.architecture === "amd64",
        );
        if (ours === undefined) throw new LabError(`${base}:${tag} has no image for linux/amd64`);
        text = await fetchManifest(base, ours.digest);
      }
      const { config, layers } = JSON.parse(text) as Manifest;
      for (const { digest } of [config, ...layers]) {
        await download(`${base}/blobs/${digest}`, join(dir, "blobs", digest), digest.replace("sha256:", ""));
      }
      for (const reference of [tag, digestOf(text)]) await writeFile(join(dir, "manifests", reference), text);
    }),
  );
  return { repository, tag, folder };
}

/** An image for tests, `lab/tools:1`: BusyBox with all its applets, curl, dig, iperf3 and sockperf. */
export async function toolsImage(): Promise<Image> {
  const [repository, tag] = ["lab/tools", "1"];
  const log = lab("log", "image-tools.log");
  const inputs = [await readFile(import.meta.filename, "utf8")];
  const folder = await cached("image-tools", inputs, (dir) =>
    phase(
      `build image ${repository}:${tag}`,
      async () => {
        const [packages, rootfs] = [join(dir, "packages"), join(dir, "rootfs")];
        await mkdir(packages);
        await downloadPackages(
          ["base-files", "bind9-dnsutils", "busybox-static", "curl", "iperf3", "sockperf"],
          packages,
          log,
        );
        // base-files first: it makes /bin and /lib the links that the others' programs are found by.
        const files = (await readdir(packages)).sort(
          (a, b) => Number(b.startsWith("base-files_")) - Number(a.startsWith("base-files_")),
        );
        for (const file of files) await execa("dpkg-deb", ["--extract", join(packages, file), rootfs]);
        await skeleton(rootfs);
        const { stdout } = await execa(join(rootfs, "usr/bin/busybox"), ["--list"]);
        for (const applet of stdout.split("\n")) {
          await symlink("busybox", join(rootfs, "usr/bin", applet)).catch((error: NodeJS.ErrnoException) => {
            if (error.code !== "EEXIST") throw error;
          });
        }
        for (const unused of ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/perl"]) {
          await rm(join(rootfs, unused), { recursive: true, force: true });
        }
        await writeImage(rootfs, dir, { tag });
        await rm(packages, { recursive: true });
        await rm(rootfs, { recursive: true });
      },
      log,
    ),
  );
  return { repository, tag, folder };
}
