import * as pulumi from "@pulumi/pulumi";
import { endWarning } from "../model/certificate-ends.ts";
import type { Settings } from "../model/settings.ts";

/** Warns of a component's certificates that end soon, as far as a preview knows when: those to be renewed end later. */
export function warnOfEnds(
  component: pulumi.ComponentResource,
  { renewHours }: Settings["certificates"],
  ends: Record<string, pulumi.Output<string>>,
): void {
  const now = new Date();
  pulumi.all(ends).apply((known) => {
    const warning = endWarning(known, renewHours, now);
    if (warning !== undefined) void pulumi.log.warn(warning, component);
  });
}
