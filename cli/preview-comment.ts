import { join } from "node:path";
import { parseArgs } from "node:util";
import { Checkout } from "./plan/checkout.ts";
import { comment, type StackResult } from "./plan/comment.ts";
import { compareStack } from "./plan/compare.ts";
import { stackNames } from "./plan/stacks.ts";

const usage = `npm run --silent preview-comment -- --base GIT-REF

Prints a pull request's comment, in Markdown: what changes in every stack from that commit to the files that are here.
`;

const project = join(import.meta.dirname, "..");

async function run(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options: { base: { type: "string" }, help: { type: "boolean" } } });
  if (values.help) return usage;
  const { base } = values;
  if (base === undefined) throw new Error(`--base is missing\n\n${usage}`);
  return await Checkout.use(project, base, async (checkout) => {
    const results: StackResult[] = [];
    for (const stack of [...new Set([...stackNames(project), ...checkout.stacks])].sort()) {
      results.push(await resultOf(checkout, stack));
    }
    return comment(base, results);
  });
}

/** A stack that cannot be planned keeps no other from being compared. */
async function resultOf(checkout: Checkout, stack: string): Promise<StackResult> {
  try {
    return { stack, comparison: await compareStack(project, checkout, stack) };
  } catch (error) {
    return { stack, problem: (error as Error).message };
  }
}

try {
  process.stdout.write(await run(process.argv.slice(2)));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
