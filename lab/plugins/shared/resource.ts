import type * as api from "@pulumi/pulumi/provider/provider.js";
import { isObject, isSecret, mapValues, plain, secret, withSecretsOf } from "./values.ts";
import type { Props } from "./values.ts";

/** What an operation may ask about its request, and how it speaks to the person who waits. */
export interface Context {
  urn: string;
  /** The `customTimeouts` of the resource for this operation. */
  timeoutSeconds?: number;
  /** Ends with the engine's cancellation. */
  signal: AbortSignal;
  /** Shows a line beside the resource while it is worked on. */
  status(message: string): void;
  /** Leaves a warning that stays on the screen. */
  warn(message: string): void;
}

/** One resource type. All properties that it sees and returns are plain: no marks of secrets. */
export interface Resource {
  check?(news: Props, olds: Props, context: Context): api.CheckResult | Promise<api.CheckResult>;
  diff(olds: Props, news: Props): api.DiffResult | Promise<api.DiffResult>;
  create(news: Props, context: Context): Promise<{ id: string; outs: Props }>;
  read?(id: string, olds: Props, context: Context): Promise<api.ReadResult>;
  update?(id: string, olds: Props, news: Props, context: Context): Promise<Props>;
  delete?(id: string, olds: Props, context: Context): Promise<void>;
  /** Outputs that are secret whatever the inputs are. */
  secretOutputs?: readonly string[];
  /** Adds secrets that follow from the inputs at another place than their own. */
  markOutputs?(outs: Props, inputs: Props): Props;
}

/** A created object that did not become ready: the engine keeps it in the state, marked as such. */
export class InitializationError extends Error {
  readonly id: string;
  readonly reasons: string[];
  properties: Props;

  constructor(message: string, id: string, properties: Props) {
    super(message);
    this.id = id;
    this.properties = properties;
    this.reasons = [message];
  }
}

/** Looks a resource type up by its token; undefined if the plugin has no such type. */
export type Lookup = (type: string) => Promise<Resource | undefined>;

/** What an operation is handed beside its properties. */
type Environment = (urn: string) => Context;

const noEnvironment: Environment = (urn) => ({
  urn,
  signal: new AbortController().signal,
  status: () => {},
  warn: () => {},
});

/** The type token in a URN. */
function typeOf(urn: string): string {
  return urn.split("::")[2]!.split("$").at(-1)!;
}

/** The resource's name in a URN. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** A provider for `provider.main` out of resource types, which takes care of secrets for all of them. */
export function providerOf(version: string, lookup: Lookup, environment = noEnvironment): api.Provider {
  const resource = async (urn: string): Promise<Resource> => {
    const found = await lookup(typeOf(urn));
    if (!found) throw new Error(`${typeOf(urn)} is not among the resource types of this stand-in`);
    return found;
  };
  const marked = (kind: Resource, outs: Props, inputs: Props): Props => {
    const derived = withSecretsOf(kind.markOutputs?.(outs, inputs) ?? outs, inputs) as Props;
    return mapValues(derived, (value, key) =>
      kind.secretOutputs?.includes(key) && !isSecret(value) ? secret(value) : value,
    );
  };
  const keepState = (kind: Resource, error: unknown, inputs: Props): never => {
    if (error instanceof InitializationError) error.properties = marked(kind, error.properties, inputs);
    throw error;
  };

  return {
    version,
    async check(urn, olds, news) {
      const kind = await resource(urn);
      const result = await kind.check?.(plain(news), plain(olds ?? {}), environment(urn));
      const inputs = result?.inputs ? (withSecretsOf(result.inputs, news) as Props) : news;
      return { inputs, failures: result?.failures ?? [] };
    },
    async diff(_id, urn, olds, news) {
      return (await resource(urn)).diff(plain(olds), plain(news));
    },
    async create(urn, inputs) {
      const kind = await resource(urn);
      const result = await kind
        .create(plain(inputs), environment(urn))
        .catch((error) => keepState(kind, error, inputs));
      return { id: result.id, outs: marked(kind, result.outs, inputs) };
    },
    async read(id, urn, olds) {
      const kind = await resource(urn);
      if (!kind.read) return { id, props: olds };
      const result = await kind.read(id, plain(olds ?? {}), environment(urn));
      if (!result.id) return { id: "", props: {} };
      // The kubernetes plugin keeps the inputs apart in the state.
      const known = isObject(olds?.__inputs) ? { ...olds, ...olds.__inputs } : olds;
      const inputs = result.inputs && withSecretsOf(result.inputs, known);
      return { id: result.id, props: marked(kind, result.props, olds), ...(inputs ? { inputs } : {}) };
    },
    async update(id, urn, olds, news) {
      const kind = await resource(urn);
      if (!kind.update) throw new Error(`${typeOf(urn)} cannot be updated, only replaced`);
      const outs = await kind
        .update(id, plain(olds), plain(news), environment(urn))
        .catch((error) => keepState(kind, error, news));
      return { outs: marked(kind, outs, news) };
    },
    async delete(id, urn, olds) {
      await (await resource(urn)).delete?.(id, plain(olds), environment(urn));
    },
  };
}
