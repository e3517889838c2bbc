import { join } from "node:path";
import { parseArgs } from "node:util";
import { clusterPicture } from "./cluster-picture.ts";
import { Checkout } from "./plan/checkout.ts";
import { compareStack } from "./plan/compare.ts";
import { differencesText } from "./plan/differences-text.ts";
import { fileText } from "./plan/file-text.ts";
import { overview } from "./plan/overview.ts";
import { planStack } from "./plan/stacks.ts";
import { text } from "./plan/text.ts";

const usage = `npm run plan -- STACK [OPTION]

Shows what a stack will be, by Pulumi.STACK.yaml alone: no engine, no cloud, no credentials.

  --file NODE:PATH  the text of one file of a node
  --diff GIT-REF    what changes from that commit's program and settings to those that are here
  --json            all of it for programs (docs/plan.md)
  --svg             a drawing of the cluster
  --help            this text

With \`npm run --silent plan\` nothing but the plan is printed.
`;

const project = join(import.meta.dirname, "..");

/** What the command prints. */
async function run(args: string[]): Promise<string> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      file: { type: "string" },
      diff: { type: "string" },
      json: { type: "boolean" },
      svg: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return usage;
  const [stack, ...more] = positionals;
  if (stack === undefined || more.length > 0 || Object.keys(values).length > 1) {
    throw new Error(`one stack and one option at most\n\n${usage}`);
  }
  if (values.diff !== undefined) return await differences(stack, values.diff);
  const { plan, secretSettings } = planStack(project, stack);
  if (values.file !== undefined) return fileText(plan, values.file);
  if (values.svg) return clusterPicture(plan);
  const whole = overview(stack, plan, secretSettings);
  return values.json ? `${JSON.stringify(whole)}\n` : text(whole);
}

async function differences(stack: string, ref: string): Promise<string> {
  const comparison = await Checkout.use(project, ref, (checkout) => compareStack(project, checkout, stack));
  return differencesText(stack, ref, comparison);
}

// A reader that has seen enough, such as head, is no error.
process.stdout.on("error", () => process.exit());
try {
  process.stdout.write(await run(process.argv.slice(2)));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
