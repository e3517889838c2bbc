import { endBesideUsual, start } from "./helpers/labs.ts";

/** Starts the lab, or what of it does not run; ends the one beside it after the tests. */
export default async function startLab(): Promise<() => Promise<void>> {
  await start();
  return endBesideUsual;
}
