import { mkdir, readFile, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { downloadsOf, parseChecksums } from "../../model/downloads.ts";
import { cniPlugins, criDockerd, flannel, minorOf, releases, type Release } from "../../model/versions.ts";
import { cached, sha256 } from "../cache.ts";
import { goBuild, goEnvironment, logged } from "../go.ts";
import { download, reachable } from "../official.ts";
import { lab, repo } from "../paths.ts";
import { LabError, phase } from "../phase.ts";
import { debianRepository } from "./debian.ts";
import { buildImage, pullImage, toolsImage, type Image } from "./images.ts";

const moduleOf = (name: string): string => join(import.meta.dirname, "modules", name);

/** Version of a required module in a go.mod. */
async function requiredVersion(folder: string, path: string): Promise<string | undefined> {
  const text = await readFile(join(folder, "go.mod"), "utf8").catch(() => "");
  return new RegExp(`^(?:require)?\\s+${path} v(\\S+)`, "m").exec(text)?.[1];
}

/** Versions of Kubernetes that can be built, which is where nothing can be downloaded. */
export async function buildable(): Promise<string[]> {
  const folders = Object.keys(releases).map((minor) => moduleOf(`kubernetes-${minor}`));
  const versions = await Promise.all(folders.map((folder) => requiredVersion(folder, "k8s.io/kubernetes")));
  return versions.filter((version) => version !== undefined);
}

async function kubernetesModule(version: string): Promise<string> {
  const versions = await buildable();
  if (versions.includes(version)) return moduleOf(`kubernetes-${minorOf(version)}`);
  throw new LabError(
    `Kubernetes ${version} can be neither downloaded from here nor built; choose one of ${versions.join(", ")}`,
  );
}

/** All programs of a Kubernetes version, static. */
async function buildKubernetes(version: string): Promise<string> {
  const module = await kubernetesModule(version);
  const [major = "", minor = ""] = version.split(".");
  const facts = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const set = Object.entries(facts).flatMap(([key, value]) => [
    [`k8s.io/component-base/version.${key}`, value],
    [`k8s.io/client-go/pkg/version.${key}`, value],
  ]);
  const programs = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
  ];
  return goBuild({
    name: `kubernetes-${version}`,
    module,
    packages: programs.map((program) => `k8s.io/kubernetes/cmd/${program}`),
    set: Object.fromEntries(set),
  });
}

/** The container that holds a pod's namespaces, from the C source in the Kubernetes module. */
async function buildPause(version: string, tag: string): Promise<string> {
  const module = await kubernetesModule(version);
  const log = lab("log", `build-pause-${tag}.log`);
  const list = ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"];
  return cached("pause", { version, tag }, (dir) =>
    phase(
      `build pause ${tag}`,
      async () => {
        const { stdout } = await execa("go", list, { cwd: module, env: goEnvironment });
        const source = join(stdout, "build/pause/linux/pause.c");
        await logged(log, "gcc", [
          "-Os",
          "-static",
          "-s",
          `-DVERSION=v${tag}`,
          "-o",
          join(dir, "pause"),
          source,
        ]);
      },
      log,
    ),
  );
}

/** An archive as upstream releases it: programs from `folder` at `prefix`, the same bytes for the same programs. */
async function archive(
  name: string,
  folder: string,
  prefix: string,
  programs: readonly string[],
): Promise<string> {
  const entry = await cached(`${name}-archive`, { folder, prefix, programs }, async (dir) => {
    const stable = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const transform = `--transform=s,^,${prefix},`;
    await execa("tar", ["-C", folder, ...stable, transform, "-czf", join(dir, "archive.tgz"), ...programs], {
      env: { GZIP: "-n" },
    });
  });
  return join(entry, "archive.tgz");
}

async function buildCniPlugins(): Promise<string> {
  const packages = ["main/bridge", "main/loopback", "ipam/host-local", "meta/portmap"];
  const folder = await goBuild({
    name: "cni-plugins",
    module: moduleOf("cni-plugins"),
    packages: packages.map((path) => `github.com/containernetworking/plugins/plugins/${path}`),
    set: { "github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion": `v${cniPlugins}` },
  });
  return archive("cni-plugins", folder, "./", ["bridge", "host-local", "loopback", "portmap"]);
}

async function buildCriDockerd(): Promise<string> {
  const folder = await goBuild({
    name: "cri-dockerd",
    module: moduleOf("cri-dockerd"),
    packages: ["github.com/Mirantis/cri-dockerd"],
    set: { "github.com/Mirantis/cri-dockerd/cmd/version.Version": criDockerd },
  });
  return archive("cri-dockerd", folder, "cri-dockerd/", ["cri-dockerd"]);
}

/** Flannel's daemon, without the two backends that are C or a foreign cloud's, and which no node uses. */
async function buildFlannel(): Promise<string> {
  const name = "github.com/flannel-io/flannel";
  const unused = ["tencentvpc", "udp"].map((backend) => `\t_ "${name}/pkg/backend/${backend}"\n`);
  const folder = await goBuild({
    name: "flannel",
    module: moduleOf("flannel"),
    packages: [name],
    set: { [`${name}/pkg/version.Version`]: `v${flannel}` },
    patch: { module: name, file: "main.go", from: unused.join(""), to: "" },
  });
  return join(folder, "flannel");
}

/** Builds one of the files that nodes download, by its path below the mirror's root. */
async function buildFile(path: string, kubernetes: string): Promise<string> {
  if (path.includes("/containernetworking/")) return buildCniPlugins();
  if (path.includes("/cri-dockerd/")) return buildCriDockerd();
  if (path.includes("/flannel/")) return buildFlannel();
  return join(await buildKubernetes(kubernetes), path.slice(path.lastIndexOf("/") + 1));
}

async function pinnedChecksum(path: string): Promise<string | undefined> {
  const pinned = JSON.parse(await readFile(join(repo, "model/checksums.json"), "utf8")) as Record<
    string,
    string
  >;
  return pinned[path];
}

/** The checksum that dl.k8s.io has beside each of its files. */
async function publishedChecksum(path: string): Promise<string | undefined> {
  if (!path.startsWith("dl.k8s.io/")) return undefined;
  const response = await fetch(`https://${path}.sha256`);
  if (!response.ok) throw new LabError(`https://${path}.sha256: HTTP ${response.status}`);
  return (await response.text()).trim();
}

/** A file that nodes download: the official one where its place answers, else our own build. */
export async function provideFile(path: string, kubernetes: string): Promise<string> {
  const [host = ""] = path.split("/");
  if (!(await reachable(host))) return buildFile(path, kubernetes);
  const expected = (await pinnedChecksum(path)) ?? (await publishedChecksum(path));
  const entry = await cached("download", { path, expected }, (dir) =>
    phase(`download ${path}`, () => download(`https://${path}`, join(dir, "file"), expected)),
  );
  return join(entry, "file");
}

/** Images of a control plane, of CoreDNS and of pause for one Kubernetes version. */
async function provideImages(kubernetes: string, release: Release): Promise<Image[]> {
  const components = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  if (await reachable("registry.k8s.io")) {
    const tags = [
      ...components.map((component) => [component, `v${kubernetes}`] as const),
      ["etcd", release.etcd] as const,
      ["coredns/coredns", release.coredns] as const,
      ["pause", release.pause] as const,
    ];
    const images: Image[] = [];
    for (const [repository, tag] of tags) images.push(await pullImage(repository, tag));
    return images;
  }
  const programs = await buildKubernetes(kubernetes);
  const images: Image[] = [];
  for (const component of components) {
    images.push(
      await buildImage({
        repository: component,
        tag: `v${kubernetes}`,
        files: { [`usr/local/bin/${component}`]: join(programs, component) },
        entrypoint: [component],
      }),
    );
  }
  const etcdVersion = release.etcd.replace(/-\d+$/, "");
  const etcd = await goBuild({
    name: `etcd-${etcdVersion}`,
    module: moduleOf(`etcd-${etcdVersion}`),
    packages: ["server", "etcdctl", "etcdutl"].map((program) => `go.etcd.io/etcd/${program}/v3`),
  });
  const etcdFiles = {
    "usr/local/bin/etcd": join(etcd, "server"),
    "usr/local/bin/etcdctl": join(etcd, "etcdctl"),
    "usr/local/bin/etcdutl": join(etcd, "etcdutl"),
  };
  images.push(await buildImage({ repository: "etcd", tag: release.etcd, files: etcdFiles }));
  const coredns = await goBuild({
    name: `coredns-${release.coredns.slice(1)}`,
    module: moduleOf(`coredns-${release.coredns.slice(1)}`),
    packages: ["github.com/coredns/coredns"],
  });
  images.push(
    await buildImage({
      repository: "coredns/coredns",
      tag: release.coredns,
      files: { coredns: join(coredns, "coredns") },
      entrypoint: ["/coredns"],
      user: "65532:65532",
      capabilities: { coredns: "cap_net_bind_service=+ep" },
    }),
  );
  const pause = await buildPause(kubernetes, release.pause);
  images.push(
    await buildImage({
      repository: "pause",
      tag: release.pause,
      files: { pause: join(pause, "pause") },
      entrypoint: ["/pause"],
      user: "65535:65535",
    }),
  );
  return images;
}

/** Makes `path` a link to `target`; leaves a right one alone, for a server may be reading there. */
async function link(target: string, path: string): Promise<void> {
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await rm(path, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path);
}

async function linkImage({ repository, folder }: Image, registryRoot: string): Promise<void> {
  for (const part of ["manifests", "blobs"]) {
    for (const name of await readdir(join(folder, part))) {
      await link(join(folder, part, name), join(registryRoot, repository, part, name));
    }
  }
}

/** What a cluster asks the mirror for. */
export interface Wanted {
  kubernetesVersion: string;
  /** `docker` asks for cri-dockerd. */
  runtime?: string;
  /** `flannel` asks for itself. */
  routing?: string;
}

/**
 * Fills the mirror and the registry with what these clusters ask for, beside what is there already, and writes
 * `.lab/SHA256SUMS`, the checksums of the files that nodes download.
 */
export async function fillMirror(...clusters: readonly Wanted[]): Promise<{
  /** Folder of the mirror: official places as top folders. */
  root: string;
  /** Folder of the registry. */
  registryRoot: string;
  /** A kubectl of the first version. */
  kubectl: string;
}> {
  const root = lab("mirror");
  const registryRoot = lab("registry");
  const repository = debianRepository();
  // Its failure counts at the end; until then it must not count as one that nobody waits for.
  repository.catch(() => undefined);

  const files = new Map<string, string>();
  const images: Image[] = [];
  for (const { kubernetesVersion, runtime, routing } of clusters) {
    const release = releases[minorOf(kubernetesVersion)];
    if (release === undefined) throw new LabError(`Kubernetes ${kubernetesVersion} is not supported`);
    const versions = {
      ...{ kubernetesVersion, cniPlugins },
      criDockerd: runtime === "docker" ? criDockerd : undefined,
      flannel: routing === "flannel" ? flannel : undefined,
    };
    for (const { path } of downloadsOf(versions)) {
      files.set(path, await provideFile(path, kubernetesVersion));
    }
    images.push(...(await provideImages(kubernetesVersion, release)));
  }
  images.push(await toolsImage());

  for (const [path, file] of files) await link(file, join(root, path));
  for (const image of images) await linkImage(image, registryRoot);
  await link(await repository, join(root, "debian"));
  const sums = parseChecksums(await readFile(lab("SHA256SUMS"), "utf8").catch(() => ""));
  for (const [path, file] of files) sums[path] = await sha256(file);
  const lines = Object.entries(sums).map(([path, sum]) => `${sum}  ${path}\n`);
  await writeFile(lab("SHA256SUMS"), lines.join(""));
  const kubectl = [...files].find(([path]) => path.endsWith("/kubectl"))?.[1];
  if (kubectl === undefined) throw new LabError("No Kubernetes version was asked for");
  return { root, registryRoot, kubectl };
}
