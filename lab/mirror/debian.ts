import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cached, sha256 } from "../cache.ts";
import { logged } from "../go.ts";
import { lab } from "../paths.ts";
import { phase } from "../phase.ts";

/** Debian release of the guests. */
const release = "trixie";

/** What nodes may ask for; everything that these depend on goes into the repository too. */
const nodePackages = [
  "bind9-host",
  "ca-certificates",
  "conntrack",
  "containerd",
  "curl",
  "docker-cli",
  "docker.io",
  "ebtables",
  "ethtool",
  "iproute2",
  "iptables",
  "iputils-ping",
  "jq",
  "kmod",
  "nftables",
  "runc",
  "socat",
  "systemd-timesyncd",
];

/** Debian's address as this machine's own sources have it, so that a mirror or proxy of the machine serves here too. */
async function debianMirror(): Promise<string> {
  const list = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
  const { stdout } = await execa("apt-get", list, { reject: false });
  return stdout.split("\n").find((uri) => /\/debian\/?$/.test(uri)) ?? "http://deb.debian.org/debian";
}

/** Downloads packages of the guests' release with all that they depend on, verified by apt, into a folder. */
export async function downloadPackages(packages: readonly string[], dir: string, log: string): Promise<void> {
  const root = join(dir, ".apt");
  const archives = join(root, "var/cache/apt/archives");
  for (const folder of [
    "etc/apt/preferences.d",
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
  ]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const status = join(root, "status");
  await writeFile(status, "");
  const sources = join(root, "etc/apt/sources.list");
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  await writeFile(sources, `deb [arch=amd64 signed-by=${keyring}] ${await debianMirror()} ${release} main\n`);
  const settings = {
    Dir: root,
    "Dir::State::status": status,
    "Acquire::Languages": "none",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
    "Acquire::Retries": "3",
    "APT::Architecture": "amd64",
    "APT::Architectures": "amd64",
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const env = { LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
  await logged(log, "apt-get", [...options, "update"], { env });
  await logged(log, "apt-get", [...options, "-y", "--download-only", "install", ...packages], { env });
  for (const name of await readdir(archives)) {
    // Without the epoch, whose colon apt writes as a percent sign that an address would have to write otherwise.
    if (name.endsWith(".deb")) await rename(join(archives, name), join(dir, name.replace(/_\d+%3a/, "_")));
  }
  await rm(root, { recursive: true });
}

/** The entry of a package in a repository's index. */
async function indexEntry(repository: string, path: string): Promise<string> {
  const file = join(repository, path);
  const { stdout } = await execa("dpkg-deb", ["--field", file]);
  const { size } = await stat(file);
  return `${stdout}\nFilename: ${path}\nSize: ${size}\nSHA256: ${await sha256(file)}\n`;
}

/** An apt repository with Docker, containerd and what else nodes install, as `<release> main`. Returns its folder. */
export async function debianRepository(): Promise<string> {
  const log = lab("log", "debian-repository.log");
  const make = async (dir: string): Promise<void> => {
    await mkdir(join(dir, "pool"));
    await downloadPackages(nodePackages, join(dir, "pool"), log);
    const files = (await readdir(join(dir, "pool"))).sort();
    const entries = await Promise.all(files.map((file) => indexEntry(dir, `pool/${file}`)));
    const index = entries.join("\n");
    const folder = join(dir, "dists", release);
    const packages = "main/binary-amd64/Packages";
    await mkdir(join(folder, "main/binary-amd64"), { recursive: true });
    await writeFile(join(folder, packages), index);
    const sum = createHash("sha256").update(index).digest("hex");
    const fields = [
      `Suite: ${release}`,
      `Codename: ${release}`,
      "Architectures: amd64",
      "Components: main",
      `Date: ${new Date().toUTCString()}`,
      "SHA256:",
      ` ${sum} ${Buffer.byteLength(index)} ${packages}`,
    ];
    await writeFile(join(folder, "Release"), `${fields.join("\n")}\n`);
  };
  return cached("debian-repository", { recipe: await readFile(import.meta.filename, "utf8") }, (dir) =>
    phase("download the nodes' Debian packages", () => make(dir), log),
  );
}
