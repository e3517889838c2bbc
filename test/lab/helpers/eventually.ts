import { setTimeout as delay } from "node:timers/promises";
import { patience } from "./patience.ts";

/** Repeats a step until it succeeds; its last error counts when it never does within the seconds of a fast machine. */
export async function eventually<T>(seconds: number, step: () => Promise<T>): Promise<T> {
  const end = performance.now() + seconds * patience * 1000;
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(500);
    }
  }
}
