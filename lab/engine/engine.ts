import { access, chmod, constants, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { cached } from "../cache.ts";
import { goBuild, logged } from "../go.ts";
import { reachable } from "../official.ts";
import { lab, repo } from "../paths.ts";
import { phase } from "../phase.ts";

const engineVersion = "3.246.0";
/** The last language host that a module of its own is served for; it runs any program of the same major version. */
const languageVersion = "3.68.0";
/** npm package that downloads the engine which PULUMI_VERSION names, with its language hosts. */
const installer = "pulumi@3.265.0";
const downloads = "get.pulumi.com";

/** Plugins that the program needs, at the versions of their SDKs. */
async function plugins(): Promise<Record<string, string>> {
  const { dependencies } = JSON.parse(await readFile(join(repo, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const names = ["openstack", "tls", "command", "kubernetes"];
  return Object.fromEntries(names.map((name) => [name, dependencies[`@pulumi/${name}`] ?? ""]));
}

/** Folder of PATH with this program, without those that npm adds. */
async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "" || folder.includes("node_modules")) continue;
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return folder;
  }
  return undefined;
}

/** The official engine with its language hosts, by the official installer. */
async function downloadEngine(): Promise<string> {
  const log = lab("log", "download-engine.log");
  const entry = await cached("pulumi", { installer, engineVersion }, (dir) =>
    phase(
      `download the engine ${engineVersion}`,
      () =>
        logged(log, "npm", ["exec", "--yes", `--package=${installer}`, "--", "pulumi", "version"], {
          env: { PULUMI_VERSION: engineVersion, PULUMI_HOME: dir, PULUMI_SKIP_UPDATE_CHECK: "true" },
        }),
      log,
    ),
  );
  return join(entry, "versions", engineVersion, "bin");
}

async function buildEngine(): Promise<string[]> {
  const version = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
  const language = await goBuild({
    name: "pulumi-language-nodejs",
    module: join(import.meta.dirname, "language-nodejs"),
    packages: ["github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"],
    set: { [version]: `v${languageVersion}` },
    // It stands between program and engine and passes on only what it knew then, which resource hooks are not.
    patch: {
      module: "github.com/pulumi/pulumi/sdk/v3",
      file: "nodejs/cmd/pulumi-language-nodejs/main.go",
      from: 'maybeAppendArg("monitor", address)',
      to: 'maybeAppendArg("monitor", req.GetMonitorAddress())',
    },
  });
  const engine = await goBuild({
    name: "pulumi",
    module: join(import.meta.dirname, "pulumi"),
    packages: ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
    set: { [version]: `v${engineVersion}` },
  });
  return [engine, language];
}

/** Pulumi engine and Node.js language host: from PATH, else downloaded, else built. */
async function engineFolders(): Promise<string[]> {
  const engine = await onPath("pulumi");
  const language = await onPath("pulumi-language-nodejs");
  if (engine !== undefined && language !== undefined) return [engine, language];
  return (await reachable(downloads)) ? [await downloadEngine()] : buildEngine();
}

/** Is the official plugin among those which the engine keeps? */
async function isInstalled(name: string, version: string): Promise<boolean> {
  const kept = join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), "plugins");
  const folders = await readdir(kept).catch((): string[] => []);
  return (
    folders.includes(`resource-${name}-v${version}`) &&
    !folders.includes(`resource-${name}-v${version}.partial`)
  );
}

/** Has the engine itself fetch the official plugin, here where the lab's namespaces are not yet in the way. */
async function downloadPlugin(name: string, version: string, path: string[]): Promise<void> {
  const log = lab("log", `download-plugin-${name}.log`);
  const env = { PATH: [...path, process.env.PATH ?? ""].join(delimiter), PULUMI_SKIP_UPDATE_CHECK: "true" };
  await phase(
    `download the plugin ${name} ${version}`,
    () => logged(log, "pulumi", ["plugin", "install", "resource", name, version], { env }),
    log,
  );
}

/** Our own plugin in the place of an official one that cannot be had. */
async function standIn(name: string): Promise<string> {
  if (name === "openstack") {
    const module = join(import.meta.dirname, "openstack");
    return goBuild({ name: "pulumi-resource-openstack", module, packages: ["."] });
  }
  const folder = lab("plugins", name);
  const wrapper = join(folder, `pulumi-resource-${name}`);
  const main = join(repo, "lab", "plugins", name, "main.ts");
  await mkdir(folder, { recursive: true });
  await writeFile(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(wrapper, 0o755);
  return folder;
}

/**
 * Folders to put on PATH so that the engine, its language host and its plugins are found. Each comes from PATH, else
 * from the official downloads, else from our own builds and stand-ins.
 */
export async function engine(): Promise<string[]> {
  const folders = await engineFolders();
  for (const [name, version] of Object.entries(await plugins())) {
    const found = await onPath(`pulumi-resource-${name}`);
    if (found !== undefined) folders.push(found);
    else if (await isInstalled(name, version)) continue;
    else if (await reachable(downloads)) await downloadPlugin(name, version, folders);
    else folders.push(await standIn(name));
  }
  return [...new Set(folders)];
}
