import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parse } from "yaml";
import { check } from "../../model/checks.ts";
import { plan, type ClusterPlan } from "../../model/plan.ts";
import { namespace, settingsFromConfig } from "../../model/settings.ts";

/** What stands in a plan for a value that only Pulumi's engine can decrypt. */
export const secretValue = "[secret]";

/** The part of the model that makes a plan. */
export interface Model {
  settingsFromConfig: typeof settingsFromConfig;
  check: typeof check;
  plan: typeof plan;
}

/** A stack's plan, made without an engine. */
export interface OfflinePlan {
  plan: ClusterPlan;
  /** Paths of the settings that are secrets. */
  secretSettings: string[];
}

/** Names of the stacks of a project's folder. */
export function stackNames(project: string): string[] {
  return readdirSync(project)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}

/**
 * The plan of a stack by its Pulumi.STACK.yaml alone.
 * @param model that of another version of the program, where it is not this one's
 * @throws SettingsError as `pulumi up` does, and Error for a stack that is not there or no YAML
 */
export function planStack(
  project: string,
  stack: string,
  model: Model = { settingsFromConfig, check, plan },
): OfflinePlan {
  const { config, secretSettings } = stackConfig(project, stack);
  try {
    // A path as `pulumi up` would name it in an error, where the project's folder is the current one.
    const readText = (file: string) => readFileSync(relative("", resolve(project, file)), "utf8");
    const { settings, checksums } = model.check(model.settingsFromConfig(config), readText);
    return { plan: model.plan(settings, checksums), secretSettings };
  } catch (error) {
    if (secretSettings.length > 0 && error instanceof Error) {
      error.message += `\nonly pulumi can read these secrets, taken as ${secretValue} here: ${secretSettings.join(", ")}`;
    }
    throw error;
  }
}

/** The file of checksums that a stack names, relative to the project. */
export function checksumsFile(project: string, stack: string): string | undefined {
  const { downloads } = settingsFromConfig(stackConfig(project, stack).config) as {
    downloads?: { checksums?: unknown };
  };
  return typeof downloads?.checksums === "string" ? downloads.checksums : undefined;
}

/** A stack's settings as the engine hands them to a program: text, structured values as JSON. */
function stackConfig(project: string, stack: string) {
  const file = `Pulumi.${stack}.yaml`;
  const path = join(project, file);
  const names = stackNames(project);
  if (!names.includes(stack)) throw new Error(`there is no ${file}; stacks: ${names.join(", ") || "none"}`);
  const secretSettings: string[] = [];
  const content = readYaml(path, file);
  const own = Object.entries(content.config ?? {}).filter(([key]) => key.startsWith(`${namespace}:`));
  const config = Object.fromEntries(
    own.map(([key, value]) => {
      const open = withoutSecrets(value, key, secretSettings);
      return [key, typeof open === "string" ? open : JSON.stringify(open)];
    }),
  );
  return { config, secretSettings };
}

function readYaml(path: string, file: string): { config?: Record<string, unknown> } {
  try {
    return (parse(readFileSync(path, "utf8"), { merge: true }) ?? {}) as { config?: Record<string, unknown> };
  } catch (error) {
    // The further lines quote the file, which may have secrets.
    throw new Error(`${file}: ${(error as Error).message.split("\n")[0]!.replace(/:$/, "")}`);
  }
}

/** The value with `secretValue` for each `{secure: …}` in it, whose paths are noted. */
function withoutSecrets(value: unknown, path: string, secrets: string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => withoutSecrets(item, `${path}.${index}`, secrets));
  }
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === "secure" && typeof entries[0]![1] === "string") {
    secrets.push(path);
    return secretValue;
  }
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, withoutSecrets(inner, `${path}.${key}`, secrets)]),
  );
}
