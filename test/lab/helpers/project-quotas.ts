import { expect } from "vitest";
import { openStack } from "../../../lab/client/openstack.ts";

type Numbers = Record<string, number>;
interface Limits {
  limits: { absolute: Numbers };
}
interface Details {
  quota: Record<string, { limit: number; used: number }>;
}

/** What Nova's quotas are called in its answer about usage. */
const used: Record<string, string> = {
  instances: "totalInstancesUsed",
  cores: "totalCoresUsed",
  ram: "totalRAMUsed",
};

/** Quotas of the lab's project, by Nova's and Neutron's names. */
export class ProjectQuotas {
  readonly #compute: string;
  readonly #network: string;
  #atFirst: object[] = [];

  private constructor(project: string) {
    this.#compute = `/os-quota-sets/${project}`;
    this.#network = `/v2.0/quotas/${project}`;
  }

  static async ofLab(): Promise<ProjectQuotas> {
    const [{ project }] = await openStack<[{ project: { project_id: string } }]>({
      service: "network",
      path: "/v2.0/quotas/project",
    });
    const quotas = new ProjectQuotas(project.project_id);
    quotas.#atFirst = await quotas.#limits();
    return quotas;
  }

  /** Sets limits so that this much is left of each. */
  async leave(left: Numbers): Promise<void> {
    const [{ limits }, { quota }] = await openStack<[Limits, Details]>(
      { service: "compute", path: "/limits" },
      { service: "network", path: `${this.#network}/details.json` },
    );
    const ofNova = Object.keys(left).filter((name) => name in used);
    const ofNeutron = Object.keys(left).filter((name) => !(name in used));
    const set = (names: string[], usage: (name: string) => number) =>
      Object.fromEntries(names.map((name) => [name, usage(name) + left[name]!]));
    const quota_set = { force: true, ...set(ofNova, (name) => limits.absolute[used[name]!]!) };
    await openStack(
      { service: "compute", method: "PUT", path: this.#compute, body: { quota_set } },
      {
        service: "network",
        method: "PUT",
        path: this.#network,
        body: { quota: set(ofNeutron, (name) => quota[name]!.used) },
      },
    );
  }

  /** Takes the project's own limits away, of which it has none at first, and makes sure that the first ones are back. */
  async restore(): Promise<void> {
    await openStack(
      { service: "compute", method: "DELETE", path: this.#compute },
      { service: "network", method: "DELETE", path: this.#network, orGone: true },
    );
    expect(await this.#limits()).toEqual(this.#atFirst);
  }

  async #limits(): Promise<object[]> {
    return await openStack<object[]>(
      { service: "compute", path: this.#compute },
      { service: "network", path: this.#network },
    );
  }
}
