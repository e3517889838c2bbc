import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** What a program and all that it started have used. */
export interface Consumption {
  /** Of all processes, in user and system mode. */
  cpuSeconds: number;
  /** Most memory at one time of all processes but plugins, in MB: the engine, the program and its host. */
  peakMemory: number;
}

interface Process {
  pid: number;
  parent: number;
  /** Jiffies in user and system mode. */
  ticks: number;
  /** Resident, in pages. */
  pages: number;
}

/** Of Linux on the machines that there are (`getconf CLK_TCK`, `getconf PAGESIZE`). */
const [ticksPerSecond, pageSize] = [100, 4096];
/** Seconds between two looks. What a process does after the last one is lost, at most this for each. */
const interval = 0.2;

/** The fields of /proc/PID/stat (proc_pid_stat(5)) behind the name, which may hold blanks. */
async function processes(): Promise<Process[]> {
  const found = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const read = found.map(async (pid): Promise<Process[]> => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (stat === undefined) return [];
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [parent, user, system, pages] = [1, 11, 12, 21].map((field) => Number(fields[field]));
    return [{ pid: Number(pid), parent: parent!, ticks: user! + system!, pages: pages! }];
  });
  return (await Promise.all(read)).flat();
}

/** A process and all below it. */
function familyOf(root: number, all: readonly Process[]): Process[] {
  const family = all.filter(({ pid }) => pid === root);
  for (const { pid } of family) family.push(...all.filter(({ parent }) => parent === pid));
  return family;
}

/**
 * Looks at a process and its family until `ended`.
 * @param isPlugin whether a command line is that of a plugin, whose memory is not counted
 */
export async function watch(
  root: number,
  ended: Promise<unknown>,
  isPlugin: (commandLine: string) => boolean,
): Promise<Consumption> {
  const ticks = new Map<number, number>();
  const plugins = new Map<number, boolean>();
  let peak = 0;
  let over = false;
  void ended.finally(() => (over = true)).catch(() => undefined);
  while (!over) {
    let pages = 0;
    for (const process of familyOf(root, await processes())) {
      ticks.set(process.pid, process.ticks);
      // A process may become another program a moment after it was made, so plugins are told until one is.
      if (!plugins.get(process.pid)) {
        const commandLine = await readFile(`/proc/${process.pid}/cmdline`, "utf8").catch(() => "");
        plugins.set(process.pid, isPlugin(commandLine));
      }
      if (!plugins.get(process.pid)) pages += process.pages;
    }
    peak = Math.max(peak, pages);
    await delay(interval * 1000);
  }
  const sum = [...ticks.values()].reduce((total, one) => total + one, 0);
  return { cpuSeconds: sum / ticksPerSecond, peakMemory: (peak * pageSize) / 1e6 };
}
