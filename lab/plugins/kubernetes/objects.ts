import { randomBytes } from "node:crypto";
import { InitializationError, nameOf } from "../shared/resource.ts";
import type { Context, Resource } from "../shared/resource.ts";
import {
  hasSecret,
  isObject,
  isSecret,
  mapValues,
  same,
  secret,
  unknown,
  withSecretsOf,
} from "../shared/values.ts";
import type { Props } from "../shared/values.ts";
import { ApiError, Cluster, NoSuchKindError, UnreachableError } from "./cluster.ts";
import type { Pause } from "./cluster.ts";
import { annotation, isNamespaced, kindOf, replacedBy } from "./kinds.ts";
import type { KubeObject } from "./kinds.ts";
import { progressOf } from "./ready.ts";
import { defaultNamespace, openCluster } from "./settings.ts";
import type { Settings } from "./settings.ts";

/** How long to wait before looking again: often at first, then less. */
const pollMilliseconds = (waited: number) => (waited < 30_000 ? 500 : 2000);
const defaultTimeoutSeconds = 600;
const unreachablePatience = 10_000;
/** How often a missing namespace or kind is tried again when an object is created, with doubled pauses. */
const creationTries = 5;

/** What the state holds beside the live object. */
interface Bookkeeping {
  __inputs: KubeObject;
  __initialApiVersion: string;
  __fieldManager: string;
}

type State = KubeObject & Bookkeeping;

/** All objects of one provider: the same code for every kind. */
export class Objects {
  readonly #settings: Settings;
  readonly #pause: Pause | undefined;
  #cluster: Promise<Cluster> | undefined;
  /** A cluster that is gone is waited for once, not once an object. */
  #gaveUp = false;

  constructor(settings: Settings, pause?: Pause) {
    this.#settings = settings;
    this.#pause = pause;
  }

  /** The resource type of a token, if it is one of objects. */
  resource(token: string): Resource | undefined {
    const type = kindOf(token);
    if (!type) return undefined;
    return {
      check: (news, olds, context) => this.#check({ ...type, ...news }, olds, context),
      diff: (olds, news) => this.#diff(olds as State, news as KubeObject),
      create: (news, context) => this.#create(news as KubeObject, context),
      read: (id, olds, context) => this.#read(id, olds, type, context),
      update: (id, olds, news, context) => this.#update(id, olds as State, news as KubeObject, context),
      delete: (id, olds, context) => this.#delete(id, olds as State, context),
      markOutputs,
    };
  }

  async #check(news: Props, olds: Props, { urn }: Context) {
    const metadata = isObject(news.metadata) ? { ...news.metadata } : {};
    if (news.metadata === unknown) return { inputs: news };
    if (metadata.generateName !== undefined) {
      const reason = "is not supported in Server-Side Apply mode; leave out the name to have one made up";
      return { failures: [{ property: "metadata.generateName", reason }] };
    }
    const inputs = { ...news, metadata } as unknown as KubeObject;
    if (metadata.name === undefined) {
      const before = olds as Partial<KubeObject>;
      const kept =
        before.metadata && annotation(olds, "autonamed") === "true" ? before.metadata.name : undefined;
      metadata.name = kept ?? `${nameOf(urn)}-${randomBytes(4).toString("hex")}`;
      const annotations = metadata.annotations;
      if (annotations !== unknown) {
        metadata.annotations = { ...(annotations as object | undefined), "pulumi.com/autonamed": "true" };
      }
    }
    if (metadata.namespace === undefined && isNamespaced(inputs)) {
      metadata.namespace = await defaultNamespace(this.#settings);
    }
    return { inputs };
  }

  async #diff(olds: State, news: KubeObject) {
    const before = olds.__inputs ?? olds;
    const changed = [...new Set([...Object.keys(before), ...Object.keys(news)])].filter(
      (key) => !same(canonical(before)[key], canonical(news)[key]),
    );
    const replaces = replacedBy(canonical(before), canonical(news), this.#settings);
    // Two objects of the same name cannot be there at once.
    const inTheWay =
      annotation(news, "autonamed") !== "true" &&
      news.metadata.name === olds.metadata.name &&
      (news.metadata.namespace ?? "default") === (olds.metadata.namespace ?? "default");
    return { changes: changed.length > 0, replaces, deleteBeforeReplace: replaces.length > 0 && inTheWay };
  }

  async #create(inputs: KubeObject, context: Context) {
    const cluster = await this.#open();
    const manager = `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
    const force = this.#force(inputs);
    let live: KubeObject;
    for (let tried = 0; ; tried++) {
      try {
        await this.#refuseExisting(cluster, inputs, context);
        live = await cluster.apply(toServer(inputs), manager, force, { signal: context.signal });
        break;
      } catch (error) {
        // The namespace or the definition may be made by another resource at this very moment.
        const early = error instanceof NoSuchKindError || (error instanceof ApiError && error.code === 404);
        if (!early || tried >= creationTries) throw explained(error, inputs, "create");
        context.status(`Retry #${tried}; creation failed: ${error.message}`);
        await cluster.pause(1000 * 2 ** tried, context.signal);
      }
    }
    const id = idOf(live);
    const outs = state(inputs, live, inputs.apiVersion, manager);
    return { id, outs: await this.#ready(cluster, id, outs, context) };
  }

  async #refuseExisting(cluster: Cluster, inputs: KubeObject, { signal }: Context) {
    if (this.#settings.upsertExistingObjects || !(await cluster.get(inputs, { signal }))) return;
    const { name } = inputs.metadata;
    throw new ApiError(
      409,
      "AlreadyExists",
      `${inputs.kind} ${JSON.stringify(name)} already exists. Rename it, import it with 'pulumi import', ` +
        "or let the provider take such objects over with upsertExistingObjects",
    );
  }

  async #update(id: string, olds: State, inputs: KubeObject, context: Context) {
    const cluster = await this.#open();
    const { signal } = context;
    const target = located(inputs, id);
    try {
      if (!(await cluster.get(target, { signal })))
        throw new ApiError(404, "NotFound", `${inputs.kind} ${id} is gone`);
      const live = await cluster.apply(toServer(target), olds.__fieldManager, this.#force(inputs), {
        signal,
      });
      return await this.#ready(
        cluster,
        id,
        state(inputs, live, olds.__initialApiVersion, olds.__fieldManager),
        context,
      );
    } catch (error) {
      throw explained(error, inputs, "update");
    }
  }

  async #read(id: string, olds: Props, type: { apiVersion: string; kind: string }, { signal }: Context) {
    const before = olds as Partial<State>;
    const { apiVersion, kind } = { ...type, ...before };
    const live = await (await this.#open()).get(located({ apiVersion, kind, metadata: {} }, id), { signal });
    if (!live) return { id: "" };
    const inputs = before.__inputs ? drifted(before.__inputs, before, fromServer(live)) : imported(live);
    const manager = before.__fieldManager ?? `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
    const props = state(inputs as KubeObject, live, before.__initialApiVersion ?? live.apiVersion, manager);
    return { id: idOf(live), props, inputs };
  }

  async #delete(id: string, olds: State, context: Context) {
    const target = located(olds, id);
    const { deleteUnreachable } = this.#settings;
    const patience = deleteUnreachable ? { patience: this.#gaveUp ? 0 : unreachablePatience } : {};
    try {
      const cluster = await this.#open();
      const options = { ...patience, signal: context.signal };
      const policy = annotation(olds.__inputs ?? olds, "deletionPropagationPolicy") ?? "foreground";
      if (!(await cluster.delete(target, policies[policy.toLowerCase()] ?? "Foreground", options))) return;
      if (annotation(olds.__inputs ?? olds, "skipAwait") !== "true")
        await this.#gone(cluster, target, olds, context);
    } catch (error) {
      if (error instanceof NoSuchKindError) return;
      if (!(error instanceof UnreachableError)) throw explained(error, target, "delete");
      this.#gaveUp = true;
      if (!deleteUnreachable) {
        throw new Error(
          `${error.message}. If the cluster is gone, set deleteUnreachable on the provider, or ` +
            'PULUMI_K8S_DELETE_UNREACHABLE to "true", and run this again',
          { cause: error },
        );
      }
      context.warn(
        `${error.message}; deleteUnreachable is set, so ${target.kind} ${id} is taken out of the state only`,
      );
    }
  }

  /** Waits until a deleted object is really gone, finalizers included. */
  async #gone(cluster: Cluster, target: KubeObject, olds: State, context: Context) {
    const seconds = timeoutOf(olds.__inputs ?? olds, context);
    for (let waited = 0; ; waited += pollMilliseconds(waited)) {
      const live = await cluster.get(target, { signal: context.signal });
      // Another object under the same name is not the one that was deleted.
      if (!live || (olds.metadata.uid && live.metadata.uid !== olds.metadata.uid)) return;
      const finalizers = live.metadata.finalizers;
      const held = Array.isArray(finalizers) && finalizers.length > 0 ? ` by ${finalizers.join(", ")}` : "";
      const message = `waiting for ${target.kind} ${idOf(live)} to go, held up${held || " by the API server"}`;
      if (waited >= seconds * 1000) throw new Error(`gave up after ${seconds} s ${message}`);
      if (waited > 0) context.status(message);
      await cluster.pause(pollMilliseconds(waited), context.signal);
    }
  }

  /** Waits until an object is ready, and returns its state as it is then. */
  async #ready(cluster: Cluster, id: string, outs: State, context: Context): Promise<State> {
    if (annotation(outs.__inputs, "skipAwait") === "true") return outs;
    const seconds = timeoutOf(outs.__inputs, context);
    let current = outs;
    let shown = "";
    const fail = (message: string) => {
      throw new InitializationError(
        `${outs.kind} ${id} was applied but is not ready: ${message}`,
        id,
        current,
      );
    };
    for (let waited = 0; ; waited += pollMilliseconds(waited)) {
      const progress = await progressOf(current, cluster);
      if (progress.ready || (waited >= seconds * 1000 && progress.enough)) return current;
      if (progress.failed) fail(progress.message);
      if (waited >= seconds * 1000) fail(`gave up after ${seconds} s: ${progress.message}`);
      if (progress.message !== shown) context.status((shown = progress.message));
      await cluster
        .pause(pollMilliseconds(waited), context.signal)
        .catch((error: Error) =>
          fail(context.signal.aborted ? `cancelled: ${progress.message}` : error.message),
        );
      const live = await cluster.get(located(outs, id), { signal: context.signal });
      if (!live) return fail("it was deleted by somebody else");
      current = state(outs.__inputs, live, outs.__initialApiVersion, outs.__fieldManager);
    }
  }

  #force(inputs: KubeObject): boolean {
    return this.#settings.enablePatchForce || annotation(inputs, "patchForce") === "true";
  }

  #open(): Promise<Cluster> {
    this.#cluster ??= openCluster(this.#settings, this.#pause).catch((error: Error) => {
      throw new UnreachableError(`the kubeconfig cannot be used: ${error.message}`, { cause: error });
    });
    return this.#cluster;
  }
}

const policies: Record<string, string> = {
  foreground: "Foreground",
  background: "Background",
  orphan: "Orphan",
};

function state(inputs: KubeObject, live: KubeObject, initialApiVersion: string, manager: string): State {
  const bookkeeping = { __inputs: inputs, __initialApiVersion: initialApiVersion, __fieldManager: manager };
  return { ...fromServer(live), ...bookkeeping };
}

/** The inputs once more inside the outputs are as secret as the inputs, and so is what `stringData` becomes. */
function markOutputs(outs: Props, inputs: Props): Props {
  const source = isObject(inputs.__inputs) ? inputs.__inputs : inputs;
  const marked = {
    ...(withSecretsOf(outs, source) as Props),
    __inputs: withSecretsOf(outs.__inputs, source),
  };
  const { kind, data } = marked as Props;
  const hidden = kind === "Secret" && hasSecret(source.stringData) && isObject(data) && !isSecret(data);
  return hidden ? { ...marked, data: secret(data) } : marked;
}

function idOf({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name!;
}

/** The object with the name and namespace that its id tells. */
function located<T extends KubeObject>(object: T, id: string): T {
  const [name, namespace] = id.split("/").toReversed();
  return { ...object, metadata: { ...object.metadata, name, ...(namespace ? { namespace } : {}) } };
}

/** The default namespace may be written or left out. */
function canonical(object: KubeObject): KubeObject {
  const { metadata } = object;
  if (!isObject(metadata) || isNamespaced(object) === false) return object;
  return { ...object, metadata: { ...metadata, namespace: metadata.namespace ?? "default" } };
}

/** What is sent: the SDK's spelling of extension fields turned back. */
function toServer(object: KubeObject): KubeObject {
  return renamed(object, "x_kubernetes_", "x-kubernetes-") as KubeObject;
}

function fromServer(object: KubeObject): KubeObject {
  return renamed(object, "x-kubernetes-", "x_kubernetes_") as KubeObject;
}

function renamed(value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, from, to));
  if (!isObject(value)) return value;
  const name = (key: string) =>
    key.startsWith(from) ? to + spelled(key.slice(from.length), to.endsWith("-")) : key;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [name(key), renamed(field, from, to)]),
  );
}

function spelled(rest: string, dashes: boolean): string {
  return dashes ? rest.replaceAll("_", "-") : rest.replaceAll("-", "_");
}

/** The inputs that describe what is live now: a field that changed since the last write shows its new value. */
function drifted(inputs: Props, before: Props, live: Props): Props {
  return mapValues(inputs, (value, key) => {
    if (isObject(value) && isObject(before[key]) && isObject(live[key])) {
      return drifted(value, before[key], live[key]);
    }
    return same(before[key], live[key]) || !(key in before) ? value : live[key];
  });
}

/** Inputs for an object that was found, without what the server adds. */
function imported(live: KubeObject): Props {
  const { status: _, ...rest } = live;
  const { creationTimestamp, generation, managedFields, resourceVersion, selfLink, uid, ...metadata } =
    live.metadata;
  return { ...rest, metadata };
}

function timeoutOf(inputs: Props, { timeoutSeconds }: Context): number {
  const annotated = Number(annotation(inputs, "timeoutSeconds"));
  return timeoutSeconds ?? (annotated > 0 ? annotated : defaultTimeoutSeconds);
}

function explained(error: unknown, object: KubeObject, action: string): unknown {
  if (!(error instanceof Error) || error instanceof InitializationError) return error;
  const name = `${object.kind} ${object.metadata.name}`;
  const conflict = error instanceof ApiError && error.code === 409 && error.reason === "Conflict";
  const hint = conflict
    ? ". Another manager owns these fields: take them out of the program, or take them over with the annotation pulumi.com/patchForce"
    : "";
  return new Error(`could not ${action} ${name}: ${error.message}${hint}`, { cause: error });
}
