import { execa } from "execa";
import { repo } from "../paths.ts";

export interface RunOptions {
  /** Standard input. */
  input?: string;
  env?: Record<string, string>;
  /** Seconds after which the program is given up; none by default. */
  limit?: number;
}

export interface Finished {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs a program by `lab/run`, and hands back how it ended, whatever that was. */
export async function tryInLab(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { input = "", env = {}, limit } = options;
  const { exitCode, stdout, stderr } = await execa(`${repo}/lab/run`, args, {
    cwd: repo,
    input,
    env,
    timeout: limit === undefined ? undefined : limit * 1000,
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

/** Standard output of a program run by `lab/run`; an error with what it said when it fails. */
export async function inLabRun(args: readonly string[], options?: RunOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await tryInLab(args, options);
  if (exitCode !== 0) {
    const how = exitCode === undefined ? "did not end by itself" : `ended with ${exitCode}`;
    throw new Error(`lab/run ${args.join(" ").slice(0, 300)} ${how}\n${[stdout, stderr].join("\n").trim()}`);
  }
  return stdout;
}
