import { spawn } from "node:child_process";
import { commandResource, previousOutput } from "./lifecycle.ts";
import type { CommandProps, Result } from "./lifecycle.ts";
import { Output } from "./output.ts";
import type { Context } from "../shared/resource.ts";

interface LocalProps extends CommandProps {
  interpreter?: string[];
  dir?: string;
  assetPaths?: string[];
  archivePaths?: string[];
}

const command = commandResource<LocalProps>([], ["stdout", "stderr"], run);

/** `command:local:Command`: a command on this machine. Collecting files (assetPaths, archivePaths) is not there. */
export const localCommand: typeof command = {
  ...command,
  check(news, olds, context) {
    const failures = ["assetPaths", "archivePaths"]
      .filter((property) => news[property] !== undefined)
      .map((property) => ({ property, reason: "this stand-in does not collect files" }));
    return failures.length > 0 ? { failures } : command.check!(news, olds, context);
  },
};

async function run(line: string, props: LocalProps, previous: Partial<Result>, context: Context) {
  const output = new Output(context, props.logging);
  const [file, ...parameters] = [
    ...(props.interpreter?.length ? props.interpreter : ["/bin/sh", "-c"]),
    line,
  ];
  const child = spawn(file, parameters, {
    cwd: props.dir,
    env: { ...process.env, ...props.environment, ...previousOutput(props, previous) },
    signal: context.signal,
  });
  child.stdout.on("data", output.receiver("stdout"));
  child.stderr.on("data", output.receiver("stderr"));
  // A command may end without reading its input; that is no failure.
  child.stdin.on("error", () => {});
  child.stdin.end(props.stdin ?? "");
  const reason = await new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(code === null ? `signal: ${signal}` : `exit status ${code}`);
    });
  });
  if (reason) throw output.failure(reason, line);
  return output.outputs();
}
