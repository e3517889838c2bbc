import { execa } from "execa";
import { repo } from "../../../lab/paths.ts";

/** A program that runs inside the lab while a test needs it. */
export interface LabProgram {
  /** The lines that it has printed so far. */
  lines: string[];
  /** Ends it. */
  stop(): Promise<void>;
}

/** Starts a program inside the lab; it is ready once it prints a line that matches. */
export async function startInLab(command: readonly string[], ready: RegExp): Promise<LabProgram> {
  // The end of its input is the program's sign to go; most programs do not look at theirs.
  const ended = '"$@" & program=$!; cat >/dev/null; kill $program; wait $program';
  const program = execa(`${repo}/lab/run`, ["sh", "-c", ended, "sh", ...command], {
    cwd: repo,
    stdin: "pipe",
    reject: false,
    all: true,
    buffer: false,
  });
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const read = async (): Promise<void> => {
      for await (const line of program.iterable({ from: "all" })) {
        lines.push(line);
        if (ready.test(line)) resolve();
      }
      reject(new Error(`${command.join(" ").slice(0, 100)} ended: ${lines.join("\n")}`));
    };
    read().catch(reject);
  });
  const stop = async (): Promise<void> => {
    program.stdin.end();
    await program;
  };
  return { lines, stop };
}
