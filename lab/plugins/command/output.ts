import { StringDecoder } from "node:string_decoder";
import type { Context } from "../shared/resource.ts";

/** Which streams are shown while a command runs. */
export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";

export const loggings: readonly string[] = ["stdout", "stderr", "stdoutAndStderr", "none"];

/** Collects what a command prints and shows its lines beside the resource. */
export class Output {
  stdout = "";
  stderr = "";
  /** Both streams in the order of their arrival, for the message of a failure. */
  both = "";
  readonly #context: Context;
  readonly #logging: Logging;

  constructor(context: Context, logging: Logging = "stdoutAndStderr") {
    this.#context = context;
    this.#logging = logging;
  }

  /** A receiver for one stream's data. */
  receiver(stream: "stdout" | "stderr"): (chunk: Buffer) => void {
    const decoder = new StringDecoder("utf8");
    const shown = this.#logging === stream || this.#logging === "stdoutAndStderr";
    let line = "";
    return (chunk) => {
      const text = decoder.write(chunk);
      this[stream] += text;
      this.both += text;
      if (!shown) return;
      const lines = (line + text).split("\n");
      line = lines.pop()!;
      for (const complete of lines) this.#context.status(complete);
    };
  }

  /** What the resource keeps: both streams without their last line feed. */
  outputs(): { stdout: string; stderr: string } {
    return { stdout: this.stdout.replace(/\n$/, ""), stderr: this.stderr.replace(/\n$/, "") };
  }

  /** The error of a command that failed, with all that it printed. */
  failure(reason: string, command: string): Error {
    return new Error(`${reason}: running ${JSON.stringify(command)}:\n${this.both}`);
  }
}
