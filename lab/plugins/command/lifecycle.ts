import type { Context, Resource } from "../shared/resource.ts";
import { randomBytes } from "node:crypto";
import { nameOf } from "../shared/resource.ts";
import { changedKeys } from "../shared/values.ts";
import type { Props } from "../shared/values.ts";
import { loggings } from "./output.ts";

/** What a run of a command leaves in the state. */
export interface Result extends Props {
  stdout: string;
  stderr: string;
}

/** Inputs that both kinds of command have. */
export interface CommandProps extends Props {
  create?: string;
  update?: string;
  delete?: string;
  triggers?: unknown[];
  stdin?: string;
  logging?: "stdout" | "stderr" | "stdoutAndStderr" | "none";
  environment?: Record<string, string>;
  addPreviousOutputInEnv?: boolean;
}

/** An id as the official plugin makes them: the resource's name and eight random hexadecimal digits. */
export function newId(urn: string): string {
  return `${nameOf(urn)}${randomBytes(4).toString("hex")}`;
}

/** Variables that tell a command what the run before it printed. */
export function previousOutput(props: CommandProps, previous?: Partial<Result>): Record<string, string> {
  const before: Record<string, string> = {};
  if (props.addPreviousOutputInEnv !== false) {
    if (previous?.stdout) before.PULUMI_COMMAND_STDOUT = previous.stdout;
    if (previous?.stderr) before.PULUMI_COMMAND_STDERR = previous.stderr;
  }
  return before;
}

/**
 * The life of a command: `triggers` replace it, any other change runs `update`, or `create` where there is none.
 * `run` gets the properties that hold for this run and the outputs of the run before.
 */
export function commandResource<T extends CommandProps>(
  required: readonly string[],
  outputKeys: readonly string[],
  run: (command: string, props: T, previous: Partial<Result>, context: Context) => Promise<Props>,
): Resource {
  const outputsOf = (props: Props) => Object.fromEntries(outputKeys.map((key) => [key, props[key]] as const));
  return {
    check(news) {
      const failures = required
        .filter((key) => news[key] === undefined)
        .map((property) => ({ property, reason: "missing required property" }));
      if (news.logging !== undefined && !loggings.includes(news.logging as string)) {
        failures.push({ property: "logging", reason: `must be one of ${loggings.join(", ")}` });
      }
      return { failures };
    },
    diff(olds, news) {
      const keys = changedKeys(olds, news).filter((key) => !outputKeys.includes(key));
      return { changes: keys.length > 0, replaces: keys.filter((key) => key === "triggers") };
    },
    async create(news, context) {
      const props = news as T;
      const result = props.create === undefined ? {} : await run(props.create, props, {}, context);
      return { id: newId(context.urn), outs: { ...news, stdout: "", stderr: "", ...result } };
    },
    async update(_id, olds, news, context) {
      const props = news as T;
      const command = props.update ?? props.create;
      const before = outputsOf(olds);
      const result = command === undefined ? {} : await run(command, props, before, context);
      return { ...news, ...before, ...result };
    },
    async delete(_id, olds, context) {
      const props = olds as T;
      if (props.delete !== undefined) await run(props.delete, props, outputsOf(olds), context);
    },
  };
}
