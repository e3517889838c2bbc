import { startedCompute } from "../../../lab/compute.ts";

/** How many times as long anything may take in this lab: machines in software have a small part of the host's speed. */
export const patience = (await startedCompute()) === "qemu" ? 10 : 1;

/** Seconds for one request to a pod or a machine. */
export const answerTime = 5 * patience;
