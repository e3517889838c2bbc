import * as pulumi from "@pulumi/pulumi";
import { kinds, type Kind } from "./leftover-kinds.ts";
import { OpenStackApi } from "./openstack-api.ts";

const madeAnew = ({ mayStandTwice }: Kind) => ({
  replaceOnChanges: ["*"],
  deleteBeforeReplace: !mayStandTwice,
});

/**
 * Lets a run go on from what an earlier one has left that did not come to its end.
 *
 * What is unfinished in the state, and cannot be finished, is made anew. And just before a resource is made, what a run
 * that was killed has left in its place is taken away. The engine notes an id only when it is there, and OpenStack goes on
 * with what it was asked for: a machine, port or address that no state knows then stands in the next run's way. Only what
 * holds a place that is this stack's own (its port, its network, its group, its router), or has its name and says that it
 * is this stack's and is not in use, is taken away.
 */
export function withoutLeftovers(): pulumi.ResourceTransformation {
  let cloud: Promise<OpenStackApi> | undefined;
  const made = new Set<string>();
  const before = new pulumi.ResourceHook("leftovers", async ({ type, name, newInputs = {}, oldInputs }) => {
    const { within, remove, goesFirst, withoutUpdate } = kinds[type]!;
    // The place of most replacements is held by the resource that they replace.
    const held = oldInputs !== undefined && !goesFirst && !withoutUpdate;
    if (held || (within && made.has(within(newInputs)))) return;
    cloud ??= OpenStackApi.connect();
    const gone = await remove(await cloud, newInputs);
    if (gone.length > 0)
      void pulumi.log.warn(`${name}: took away what a killed run had left in its place: ${gone.join(", ")}`);
  });
  const after = new pulumi.ResourceHook("made", ({ id }) => {
    made.add(id);
  });
  return ({ type, props, opts }) =>
    type in kinds
      ? {
          props,
          opts: {
            ...opts,
            ...(kinds[type]!.withoutUpdate && madeAnew(kinds[type]!)),
            hooks: { beforeCreate: [before], afterCreate: [after] },
          },
        }
      : undefined;
}
