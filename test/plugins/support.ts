import type { Provider } from "@pulumi/pulumi/provider/provider.js";
import { providerOf } from "../../lab/plugins/shared/resource.ts";
import type { Context, Lookup } from "../../lab/plugins/shared/resource.ts";
import { isSecret, plain } from "../../lab/plugins/shared/values.ts";
import type { Props } from "../../lab/plugins/shared/values.ts";

/** A URN of a resource in a made-up stack. */
export function urnOf(type: string, name = "it"): string {
  return `urn:pulumi:test::project::${type}::${name}`;
}

/** One resource type as the engine drives it, with marks of secrets going in and out. */
export class Driven {
  readonly provider: Required<Provider>;
  readonly urn: string;
  readonly statuses: string[] = [];
  readonly warnings: string[] = [];
  readonly cancellation = new AbortController();

  constructor(lookup: Lookup, type: string, more: Partial<Context> = {}) {
    this.urn = urnOf(type);
    this.provider = providerOf("0.0.0", lookup, (urn) => ({
      urn,
      signal: this.cancellation.signal,
      status: (message) => this.statuses.push(message),
      warn: (message) => this.warnings.push(message),
      ...more,
    })) as Required<Provider>;
  }

  /** The properties that `check` finds fault with. */
  async faults(news: Props, olds: Props = {}): Promise<string[]> {
    return ((await this.provider.check(this.urn, olds, news)).failures ?? []).map(({ property }) => property);
  }

  async check(news: Props, olds: Props = {}): Promise<Props> {
    return (await this.provider.check(this.urn, olds, news)).inputs;
  }

  create(news: Props): Promise<{ id: string; outs: Props }> {
    return this.provider.create(this.urn, news) as Promise<{ id: string; outs: Props }>;
  }

  diff(olds: Props, news: Props) {
    return this.provider.diff("id", this.urn, olds, news);
  }

  async update(olds: Props, news: Props): Promise<Props> {
    return (await this.provider.update("id", this.urn, olds, news)).outs;
  }

  read(olds: Props, id = "id") {
    return this.provider.read(id, this.urn, olds);
  }

  delete(olds: Props, id = "id"): Promise<void> {
    return this.provider.delete(id, this.urn, olds);
  }
}

/** The top-level outputs that are marked as secret. */
export function secretsIn(outs: Props): string[] {
  return Object.keys(outs)
    .filter((key) => isSecret(outs[key]))
    .sort();
}

/** Outputs without marks. */
export function open<T = Record<string, string>>(outs: Props): T {
  return plain<T>(outs);
}
