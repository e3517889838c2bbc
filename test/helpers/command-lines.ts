import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Files } from "../../model/bundle.ts";

/** What a node runs of Kubernetes, as its unit or static pod has it. */
export interface CommandLine {
  program: string;
  flags: string[];
}

/** Kubernetes' programs on a node; kubectl is not one that runs. */
export const programs = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-proxy",
  "kube-scheduler",
  "kubelet",
] as const;

/** Where the flags are that a program has in a minor version, one a line, as its `--help` names them. */
export const flagsFile = (minor: string, program: string) =>
  join(import.meta.dirname, `../render/flags/${program}-${minor}.txt`);

/** The names of the flags in what a program prints for `--help`. */
export function flagsOf(help: string): string[] {
  return [...help.matchAll(/^ +(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name!).sort();
}

/** The command lines of Kubernetes' programs in a node's files. */
export function commandLines(files: Files): CommandLine[] {
  const commands = Object.entries(files).flatMap(([path, { content }]) => {
    if (path.startsWith("/etc/kubernetes/manifests/")) {
      const { spec } = parse(content) as { spec: { containers: { command: string[] }[] } };
      return spec.containers.map(({ command }) => command);
    }
    const [, start] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(path.endsWith(".service") ? content : "") ?? [];
    return start === undefined ? [] : [start.split(/[\s\\]+/)];
  });
  return commands
    .map(([path, ...flags]) => ({ program: path!.split("/").at(-1)!, flags }))
    .filter(({ program }) => programs.some((known) => known === program));
}

/** What is wrong with the flags of command lines for a minor version of Kubernetes. */
export function wrongFlags(lines: readonly CommandLine[], minor: string): string[] {
  return lines.flatMap(({ program, flags }) => {
    const known = new Set(readFileSync(flagsFile(minor, program), "utf8").split("\n"));
    return flags
      .filter((flag) => !known.has(/^--([\w-]+)=?/.exec(flag)?.[1] ?? ""))
      .map((flag) => `${program} of Kubernetes ${minor} has no flag ${flag}`);
  });
}
