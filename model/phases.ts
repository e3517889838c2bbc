/** How far a stack goes; each phase has all of those before it. */
export const phases = ["machines", "docker", "kubernetes"] as const;

export type Phase = (typeof phases)[number];

/** Whether a stack in this phase has what belongs to `part`. */
export function includes(phase: Phase, part: Phase): boolean {
  return phases.indexOf(part) <= phases.indexOf(phase);
}
