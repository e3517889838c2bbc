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

/** The resources that the engine keeps in a stack's state, as `pulumi stack export --show-secrets` writes them. */
export function resourcesIn(state: { deployment?: { resources?: Partial<StateResource>[] } }) {
  return (state.deployment?.resources ?? []).map((resource) => ({
    ...(resource as StateResource),
    inputs: readable(resource.inputs ?? {}) as Record<string, unknown>,
    outputs: readable(resource.outputs ?? {}) as Record<string, unknown>,
  }));
}

/** The resources of a stack, as its last run has left them. */
export async function resourcesOf(stack: string): Promise<StateResource[]> {
  return resourcesIn(await askEngine(stack, "the state", ["stack", "export", "--show-secrets"]));
}

/** A resource's own name, the end of its URN. */
export function nameOf({ urn }: Pick<StateResource, "urn">): string {
  return urn.split("::").at(-1)!;
}
