import type { Checkout } from "./checkout.ts";
import { differencesOf, type Comparable, type Differences } from "./differences.ts";
import { machinesOf, overview } from "./overview.ts";
import { planStack, stackNames, type OfflinePlan } from "./stacks.ts";

/** What changes of a stack. */
export interface Comparison extends Differences {
  /** Said where less than all was compared. */
  limit?: string;
}

/**
 * What changes of a stack between a git ref and the files that are here. Where a side has no such stack, all of the
 * other's nodes come or go.
 * @throws Error where a side's program makes no plan of it
 */
export async function compareStack(project: string, checkout: Checkout, stack: string): Promise<Comparison> {
  const here = stackNames(project).includes(stack);
  const there = checkout.stacks.includes(stack);
  const plan = async () => (here || !there ? planStack(project, stack) : undefined);
  if (!there) return differencesOf(none, complete(stack, await plan()));
  if (!checkout.hasPlan) {
    const [before, now] = await Promise.all([checkout.plan(stack), plan()]);
    return {
      ...differencesOf(machinesAlone(before), machinesAlone(now)),
      limit: `${checkout.ref} has no offline plan: nodes and their files were compared, nothing else`,
    };
  }
  // Both sides are planned at the same time.
  const [before, now] = await Promise.all([checkout.overview(stack), plan()]);
  if (before.format !== 1) throw new Error(`the plan of ${checkout.ref} is of another format`);
  return differencesOf(before, complete(stack, now));
}

const none: Comparable = { nodes: {}, texts: {} };

function complete(stack: string, planned: OfflinePlan | undefined): Comparable {
  return planned === undefined ? none : overview(stack, planned.plan, planned.secretSettings);
}

function machinesAlone(planned: OfflinePlan | undefined): Comparable {
  if (planned === undefined) return none;
  const { machines, texts } = machinesOf(planned.plan);
  return { nodes: machines, texts };
}
