import { askEngine } from "./command.ts";

/** A resource of a stack's state, its secrets readable. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  parent?: string;
  /** The engine has deleted it, in a run that is still at work or was ended, and makes it anew. */
  pendingReplacement?: boolean;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
}

/** Marks an object of the state as a secret. */
const secretMark = "4dabf18193072939515e22adb298388d";

function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (value === null || typeof value !== "object") return value;
  if (secretMark in value && "plaintext" in value) return readable(JSON.parse(String(value.plaintext)));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]));
}

/** A stack's state as `pulumi stack export --show-secrets` writes it. */
interface ExportedState {
  deployment?: {
    resources?: Partial<StateResource>[];
    pending_operations?: { type: string; resource: Partial<StateResource> }[];
  };
}

const withReadableSecrets = (resource: Partial<StateResource>): StateResource => ({
  ...(resource as StateResource),
  inputs: readable(resource.inputs ?? {}) as Record<string, unknown>,
  outputs: readable(resource.outputs ?? {}) as Record<string, unknown>,
});

/** A stack's resources as its last run has left them, and what runs that were killed had begun to make. */
interface StackState {
  resources: StateResource[];
  /** Without an id each; what a later run has made is not among them. */
  begun: StateResource[];
}

/** What the engine keeps of a stack. */
export function stateIn({ deployment }: ExportedState): StackState {
  const resources = (deployment?.resources ?? []).map(withReadableSecrets);
  const known = new Set(resources.map(({ urn }) => urn));
  // The engine keeps these for ever, unless it is told to forget them.
  const begun = (deployment?.pending_operations ?? [])
    .filter(({ type, resource }) => type === "creating" && !known.has(resource.urn!))
    .map(({ resource }) => withReadableSecrets(resource));
  return { resources, begun };
}

/** What the engine keeps of a stack of that name. */
export async function stateOf(stack: string): Promise<StackState> {
  return stateIn(await askEngine(stack, "the state", ["stack", "export", "--show-secrets"]));
}

/** The resources of a stack, as its last run has left them. */
export async function resourcesOf(stack: string): Promise<StateResource[]> {
  return (await stateOf(stack)).resources;
}

/** A resource's own name, the end of its URN. */
export function nameOf({ urn }: Pick<StateResource, "urn">): string {
  return urn.split("::").at(-1)!;
}
