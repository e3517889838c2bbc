import { besideUsual, startBesideUsual } from "./helpers/labs.ts";

// The second worker's tests go on a lab beside the usual one. What reads LAB is loaded after this.
if (process.env.VITEST_POOL_ID === "2") {
  process.env.LAB = besideUsual;
  await startBesideUsual();
}
