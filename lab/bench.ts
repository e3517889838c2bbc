// npm run bench [-- NAME [OPTIONS]]: each bench is a file of lab/bench/ with its name; `up` is the default.
import { benchLife } from "./bench/life.ts";
import { benchNetwork } from "./bench/network.ts";
import { benchPreviews } from "./bench/preview.ts";
import { benchUp } from "./bench/up.ts";
import { LabError, reason, wasReported } from "./phase.ts";

const benches: Record<string, (options: string[]) => Promise<void>> = {
  life: benchLife,
  network: benchNetwork,
  preview: benchPreviews,
  up: benchUp,
};

const words = process.argv.slice(2);
const name = words[0]?.startsWith("-") === false ? words.shift()! : "up";

try {
  const bench = benches[name];
  if (bench === undefined)
    throw new LabError(`No bench ${name}; there are ${Object.keys(benches).join(", ")}`);
  await bench(words);
} catch (error) {
  if (!wasReported(error)) console.error(reason(error));
  process.exit(1);
}
