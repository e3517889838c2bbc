import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";

/** The folder of the project. */
export const project = join(import.meta.dirname, "..");

/** Something that the user can put right: printed without a stack trace. */
export class UserError extends Error {}

/**
 * What a command was called with: one stack, options with a value each, and flags.
 * @throws UserError with the usage
 */
export function commandLine<Option extends string, Flag extends string = never>(
  usage: string,
  options: readonly Option[],
  flags: readonly Flag[] = [],
) {
  try {
    const { values, positionals } = parseArgs({
      options: Object.fromEntries([
        ...options.map((option) => [option, { type: "string" as const }]),
        ...flags.map((flag) => [flag, { type: "boolean" as const }]),
      ]),
      allowPositionals: true,
    });
    const [stack, ...others] = positionals;
    if (stack === undefined || others.length > 0) throw new Error("one stack is to be named");
    return { stack, values: values as Partial<Record<Option, string> & Record<Flag, boolean>> };
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n${usage}`);
  }
}

/** A path of the command line: npm runs a command in the project's folder, wherever it was called. */
export function calledPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? process.cwd(), path);
}

/** Runs a command to its end; what a user can put right is one line. */
export async function command(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof UserError ? error.message : error);
    process.exit(1);
  }
}

/**
 * What the engine answers, as JSON. It may have secrets: it comes through a pipe and goes into no message.
 * @param what names the answer in errors
 */
export async function askEngine<T>(stack: string, what: string, args: readonly string[]): Promise<T> {
  const { failed, code, stdout, stderr } = await execa(
    "pulumi",
    [...args, "--non-interactive", "--stack", stack],
    { cwd: project, stdin: "ignore", reject: false, maxBuffer: 2 ** 30 },
  );
  if (code === "ENOENT") throw new UserError("pulumi is not on PATH");
  if (failed) throw new UserError(`${what} of stack ${stack} could not be read:\n${stderr.trim()}`);
  try {
    return JSON.parse(stdout) as T;
  } catch {
    throw new UserError(`what pulumi answers for stack ${stack} is no JSON`);
  }
}
