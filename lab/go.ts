import { cp, copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { cached } from "./cache.ts";
import { lab } from "./paths.ts";
import { LabError, phase } from "./phase.ts";

/** One build of programs from a folder with go.mod and go.sum. */
export interface GoBuild {
  /** Name of the phase, of the cache entry and of the log. */
  readonly name: string;
  readonly module: string;
  /** Packages to build, each into a program of its last path element's name. */
  readonly packages: readonly string[];
  /** Variables that the linker sets: `-X name=value`. */
  readonly set?: Readonly<Record<string, string>>;
  /** A change in a file of a required module. */
  readonly patch?: Readonly<{ module: string; file: string; from: string; to: string }>;
}

const searchPath = `${process.env.PATH ?? ""}:/usr/local/go/bin`;
/** Environment of the Go command: static programs for the nodes, no settings of the person who builds. */
export const goEnvironment = {
  PATH: searchPath,
  CGO_ENABLED: "0",
  GOOS: "linux",
  GOARCH: "amd64",
  GOFLAGS: "",
};

/** Runs a command and adds what it prints to a log. */
export async function logged(
  log: string,
  file: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<void> {
  await mkdir(dirname(log), { recursive: true });
  const output = { file: log, append: true } as const;
  await execa(file, args, { ...options, stdin: "ignore", stdout: output, stderr: output });
}

async function goVersion(): Promise<string> {
  try {
    return (await execa("go", ["version"], { env: goEnvironment })).stdout;
  } catch {
    throw new LabError(
      "Go is missing: this machine reaches no official downloads, so the lab builds them. Install Go 1.26 (https://go.dev/dl).",
    );
  }
}

/** Runs a step with a go.mod that takes the patched module from a copy of it. */
async function withPatched(
  { module: required, file, from, to }: NonNullable<GoBuild["patch"]>,
  folder: string,
  step: (modfile: string) => Promise<void>,
): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), "go-patch-"));
  try {
    const go = (...args: string[]) => execa("go", args, { cwd: folder, env: goEnvironment });
    const download = await go("mod", "download", "-json", required);
    const copy = join(temporary, "module");
    await cp((JSON.parse(download.stdout) as { Dir: string }).Dir, copy, { recursive: true });
    const source = await readFile(join(copy, file), "utf8");
    if (!source.includes(from)) throw new LabError(`${file} of ${required} has no line to patch`);
    await rm(join(copy, file), { force: true });
    await writeFile(join(copy, file), source.replace(from, to));
    for (const name of ["go.mod", "go.sum"]) await copyFile(join(folder, name), join(temporary, name));
    const modfile = join(temporary, "go.mod");
    await go("mod", "edit", `-replace=${required}=${copy}`, modfile);
    await step(modfile);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Builds programs statically, each once for the same sources, flags and compiler. Returns their folder. */
export async function goBuild({ name, module, packages, set = {}, patch }: GoBuild): Promise<string> {
  const flags = ["-mod=readonly", "-trimpath", "-buildvcs=false"];
  const variables = Object.entries(set).map(([key, value]) => `-X ${key}=${value}`);
  const linker = ["-s", "-w", ...variables].join(" ");
  const files = (await readdir(module)).filter((file) => /^go\.(mod|sum)$|\.go$/.test(file)).sort();
  const sources = await Promise.all(
    files.map(async (file) => [file, await readFile(join(module, file), "utf8")]),
  );
  const inputs = { sources, packages, flags, linker, patch, go: await goVersion() };
  return cached(name, inputs, (dir) => {
    const log = lab("log", `build-${name}.log`);
    const build = (...more: string[]) => {
      const args = ["build", ...flags, ...more, "-ldflags", linker, "-o", `${dir}/`, ...packages];
      return logged(log, "go", args, { cwd: module, env: goEnvironment });
    };
    const patched = () =>
      patch ? withPatched(patch, module, (modfile) => build(`-modfile=${modfile}`)) : build();
    return phase(`build ${name}`, patched, log);
  });
}
