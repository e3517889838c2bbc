import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { provideFile } from "../../lab/mirror/mirror.ts";
import { minorOf } from "../../model/versions.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { commandLines, flagsFile, flagsOf, programs } from "../helpers/command-lines.ts";

// What a node's files say to Kubernetes' programs, asked of the programs themselves; needs no cluster.

describe.each(["1.35.4", "1.36.3"])("the programs of Kubernetes %s", (kubernetesVersion) => {
  const { files } = planOf({
    cluster: { ...stackSettings.cluster, kubernetesVersion },
    // This machine's kernel is not a node's.
    kubelet: { failCgroupV1: false },
  }).controlPlane;
  const paths: Record<string, string> = {};
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "programs-"));
    for (const program of programs) {
      const path = `dl.k8s.io/v${kubernetesVersion}/bin/linux/amd64/${program}`;
      paths[program] = await provideFile(path, kubernetesVersion);
    }
  });

  afterAll(() => rm(folder, { recursive: true }));

  const run = async (program: string, ...flags: string[]) => {
    const { exitCode, all } = await execa(paths[program]!, flags, { all: true, reject: false });
    return { exitCode, all };
  };
  /** Writes one of the node's files into the folder. */
  const configuration = async (path: string) => {
    const copy = join(folder, "configuration.yaml");
    await writeFile(copy, files[path]!.content);
    return `--config=${copy}`;
  };

  it.each(programs)("%s has the flags that are known of it", async (program) => {
    const { all } = await run(program, "--help");
    await expect(`${flagsOf(all).join("\n")}\n`).toMatchFileSnapshot(
      flagsFile(minorOf(kubernetesVersion), program),
    );
  });

  it.each(commandLines(files))("$program takes its flags with their values", async ({ program, flags }) => {
    const variables = parseEnv(files["/etc/openstack-kubernetes/node.env"]!.content);
    const values = flags.map((flag) =>
      flag.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => variables[name]!),
    );
    const { exitCode, all } = await run(program, ...values, "--help");
    expect(exitCode, all.slice(0, 500)).toBe(0);
  });

  it("the kubelet takes its configuration", async () => {
    const ended = /unable to load client CA file|cannot exit on lock file contention/;
    // It has read and checked its configuration when it ends on a file or, by the last flag, on a lock that is not here.
    const { all } = await run(
      "kubelet",
      await configuration("/etc/kubernetes/kubelet.yaml"),
      "--exit-on-lock-contention",
    );
    expect(all).toMatch(ended);
    expect(all).not.toContain("strict decoding");
  });

  it("kube-proxy takes its configuration", async () => {
    const written = `--write-config-to=${join(folder, "written.yaml")}`;
    const { exitCode, all } = await run(
      "kube-proxy",
      await configuration("/etc/kubernetes/kube-proxy.yaml"),
      written,
    );
    expect(exitCode, all).toBe(0);
    expect(all).not.toContain("strict decoding");
  });
});
