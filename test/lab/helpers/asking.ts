import { startInLab } from "./programs.ts";

/** What became of the requests of a program that asks again and again. */
export interface Tally {
  answered: number;
  /** A line for each request that failed: when it was made, and what it was told. */
  failed: string[];
}

/** The same, and what the step came to that went on meanwhile. */
export interface Asked<T> extends Tally {
  result: T;
}

/** Counts a program's lines: "answered", or one that begins with "failed". */
export const tally = (lines: readonly string[]): Tally => ({
  answered: lines.filter((line) => line === "answered").length,
  failed: lines.filter((line) => line.startsWith("failed")),
});

/**
 * Runs a program of the lab while a step goes on.
 * @param program prints a line for each request: "answered", or one that begins with "failed"
 */
export async function askedBy<T>(program: readonly string[], step: () => Promise<T>): Promise<Asked<T>> {
  const { lines, stop } = await startInLab(program, /^answered$/);
  try {
    // kube-proxy takes a second to learn of pods that have just become ready.
    const before = lines.indexOf("answered");
    const result = await step();
    return { result, ...tally(lines.slice(before)) };
  } finally {
    await stop();
  }
}

const byKubectl = `while :; do
  asked=$(date -u +%FT%T.%3NZ)
  if answer=$(kubectl --kubeconfig "$0" --request-timeout 10s get --raw /api/v1/namespaces/default 2>&1 >/dev/null); then
    echo answered
  else
    echo "failed, asked at $asked:" $answer
  fi
  sleep 0.3
done`;

/** Asks the API about twice a second by kubectl, each time with a client file as it then is, while a step goes on. */
export const apiAskedDuring = <T>(kubeconfig: string, step: () => Promise<T>): Promise<Asked<T>> =>
  askedBy(["bash", "-c", byKubectl, kubeconfig], step);
