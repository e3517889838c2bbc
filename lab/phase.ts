import { relative } from "node:path";
import { styleText } from "node:util";

/** Something that a person can put right: printed without a stack trace. */
export class LabError extends Error {
  readonly log: string | undefined;
  constructor(message: string, log?: string) {
    super(message);
    this.log = log;
  }
}

/** First lines of an error, as a person wants them; execa's own messages repeat the whole command. */
export function reason(error: unknown): string {
  if (error instanceof LabError) return error.message;
  if (error instanceof Error) {
    const short = "shortMessage" in error ? String(error.shortMessage) : error.message;
    const stderr = "stderr" in error && typeof error.stderr === "string" ? error.stderr.trim() : "";
    return stderr === "" ? short : `${short}\n${stderr.split("\n").slice(-5).join("\n")}`;
  }
  return String(error);
}

const reported = new WeakSet<object>();

/** Was this failure printed by a phase already? */
export const wasReported = (error: unknown): boolean =>
  typeof error === "object" && error !== null && reported.has(error);

/** Runs one step and prints one line: how long it took, or what failed and where its log is. */
export async function phase<T>(name: string, step: () => Promise<T>, log?: string): Promise<T> {
  const start = performance.now();
  const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(1).padStart(7)} s`;
  try {
    const result = await step();
    console.log(`${seconds()}  ${name}`);
    return result;
  } catch (error) {
    // A step inside this one has said it: one failure, one line.
    if (!wasReported(error)) {
      const where = (error instanceof LabError && error.log) || log;
      console.error(`${seconds()}  ${styleText("red", "FAILED")}  ${name}: ${reason(error)}`);
      if (where !== undefined) console.error(`            log: ${relative(process.cwd(), where) || where}`);
      if (typeof error === "object" && error !== null) reported.add(error);
    }
    throw error;
  }
}

/** Tries until `probe` answers true; `failed` may end the wait early by throwing. */
export async function waitFor(
  what: string,
  limitSeconds: number,
  probe: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + limitSeconds * 1000;
  while (!(await probe())) {
    if (performance.now() > end) throw new LabError(`${what} did not answer within ${limitSeconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
