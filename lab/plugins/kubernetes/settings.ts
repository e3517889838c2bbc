import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isObject, same, unknown } from "../shared/values.ts";
import type { Props } from "../shared/values.ts";
import type { Mutability } from "./kinds.ts";
import { Cluster } from "./cluster.ts";
import type { Pause } from "./cluster.ts";

/** The provider's own settings, as far as this stand-in obeys them. */
export interface Settings extends Mutability {
  kubeconfig?: string;
  context?: string;
  cluster?: string;
  namespace?: string;
  deleteUnreachable: boolean;
  enablePatchForce: boolean;
  upsertExistingObjects: boolean;
}

/** Reads what the engine configures the provider with; variables of the environment stand behind it. */
export function readSettings(given: Props): Settings {
  const text = (name: string) => (typeof given[name] === "string" && given[name] ? given[name] : undefined);
  const flag = (name: string, variable: string) =>
    String(
      (given[name] as string | boolean | undefined) ?? process.env[`PULUMI_K8S_${variable}`] ?? "false",
    ) === "true";
  return {
    ...Object.fromEntries(
      ["kubeconfig", "context", "cluster", "namespace"].flatMap((name) =>
        text(name) ? [[name, text(name)]] : [],
      ),
    ),
    deleteUnreachable: flag("deleteUnreachable", "DELETE_UNREACHABLE"),
    enablePatchForce: flag("enablePatchForce", "ENABLE_PATCH_FORCE"),
    enableConfigMapMutable: flag("enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
    enableSecretMutable: flag("enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
    upsertExistingObjects: flag("upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
  };
}

/** Opens the cluster that the settings name. Loads the client library, so it waits for the first need. */
export async function openCluster(settings: Settings, pause?: Pause): Promise<Cluster> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  const text = contentOf(settings.kubeconfig);
  if (text === undefined) config.loadFromDefault();
  else config.loadFromString(text);
  if (settings.context) config.setCurrentContext(settings.context);
  const context = config.getContextObject(config.currentContext);
  if (!context) throw new Error(`the kubeconfig has no context ${JSON.stringify(config.currentContext)}`);
  Object.assign(context, { ...(settings.cluster ? { cluster: settings.cluster } : {}) });
  Object.assign(context, { ...(settings.namespace ? { namespace: settings.namespace } : {}) });
  return new Cluster(config, pause);
}

/** The setting holds either the kubeconfig itself or where it lies. */
function contentOf(kubeconfig: string | undefined): string | undefined {
  if (kubeconfig === undefined) return undefined;
  const path = kubeconfig.replace(/^~(?=\/)/, homedir());
  return !path.includes("\n") && !path.startsWith("{") && existsSync(path)
    ? readFileSync(path, "utf8")
    : kubeconfig;
}

/** The default namespace, known without a cluster. */
export async function defaultNamespace(settings: Settings): Promise<string> {
  if (settings.namespace) return settings.namespace;
  const { context } = await activeOf(settings);
  return typeof context?.namespace === "string" ? context.namespace : "default";
}

/** How a change of the provider's settings is to be taken: does it speak of another cluster? */
export async function diffSettings(
  olds: Props,
  news: Props,
): Promise<{ changes: string[]; replaces: string[] }> {
  const changes = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => !same(olds[key], news[key]),
  );
  const identifier = [olds.clusterIdentifier, news.clusterIdentifier];
  if (identifier.every((value) => value !== undefined)) {
    return { changes, replaces: same(...(identifier as [unknown, unknown])) ? [] : ["clusterIdentifier"] };
  }
  const naming = changes.filter((key) => ["kubeconfig", "context", "cluster"].includes(key));
  // What is not known yet may be another cluster.
  const unsure = naming.filter((key) => news[key] === unknown);
  if (unsure.length > 0) return { changes, replaces: unsure };
  const [before, after] = await Promise.all([activeOf(readSettings(olds)), activeOf(readSettings(news))]);
  const other = before.cluster && after.cluster && !same(before.cluster, after.cluster);
  return { changes, replaces: other ? naming : [] };
}

interface Named {
  name?: unknown;
  [key: string]: unknown;
}

async function activeOf(settings: Settings): Promise<{ context?: Props; cluster?: Props }> {
  const { parse } = await import("yaml");
  const text = contentOf(settings.kubeconfig);
  if (text === undefined) return {};
  let config: unknown;
  try {
    config = parse(text);
  } catch {
    return {};
  }
  if (!isObject(config)) return {};
  const named = (list: unknown, name: unknown, key: string): Props | undefined => {
    const found = (Array.isArray(list) ? (list as Named[]) : []).find((item) => item?.name === name)?.[key];
    return isObject(found) ? found : undefined;
  };
  const context = named(config.contexts, settings.context ?? config["current-context"], "context");
  const cluster = named(config.clusters, settings.cluster ?? context?.cluster, "cluster");
  return { ...(context ? { context } : {}), ...(cluster ? { cluster } : {}) };
}
