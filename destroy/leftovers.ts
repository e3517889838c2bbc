// What destroy/leftovers.sh does where there is something to be done. The engine notes what it is about to make, and its
// id when that is there; killed in between it leaves what it does not know, and a destroy would leave that too.
import { setTimeout as delay } from "node:timers/promises";
import { command, UserError } from "../cli/command.ts";
import { nameOf, stateOf } from "../cli/stack-state.ts";
import { kinds } from "../components/leftover-kinds.ts";
import { reasonOf } from "../components/openstack-api.ts";
import { login } from "./login.ts";

/** Milliseconds in which OpenStack may come to what it was asked for by a run that was killed just now. */
const underWay = 10_000;

await command(async () => {
  const { resources, begun } = await stateOf(process.env.STACK!);
  const unknown = begun.filter(({ type }) => type in kinds);
  if (unknown.length === 0) return;
  try {
    const cloud = await login(resources);
    const end = Date.now() + underWay;
    let left = unknown.reverse();
    while (left.length > 0 && Date.now() < end) {
      const sought = left;
      left = [];
      for (const begun of sought) {
        const { type, urn, inputs } = begun;
        const gone = await kinds[type]!.remove(cloud, inputs);
        if (gone.length === 0) left.push(begun);
        else console.log(`${nameOf({ urn })}: took away what a killed run had begun: ${gone.join(", ")}`);
      }
      if (left.length > 0) await delay(1000);
    }
  } catch (error) {
    const names = unknown.map(nameOf).join(", ");
    throw new UserError(
      `A killed run had begun these, and OpenStack could not be asked to take them away: ${names}\n${reasonOf(error)}`,
    );
  }
});
