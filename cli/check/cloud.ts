import { execa } from "execa";
import { driftMark } from "../../model/route-drift.ts";
import { project, UserError } from "../command.ts";
import { nameOf, type StateResource } from "../stack-state.ts";
import type { Finding } from "./finding.ts";

/** What `pulumi preview --json` says, as far as it is used here (PreviewDigest of pulumi/sdk/go/common/display). */
interface Preview {
  steps?: { op: string; urn: string; diffReasons?: string[]; detailedDiff?: Record<string, unknown> }[];
  diagnostics?: { message: string; severity: string }[];
}

/**
 * A preview that first asks OpenStack and the API what there is. It changes nothing.
 * @param options further ones of `pulumi preview`
 */
export async function previewOf(stack: string, options: readonly string[]): Promise<Preview> {
  const { stdout, stderr } = await execa(
    "pulumi",
    ["preview", "--refresh", "--json", "--non-interactive", "--stack", stack, ...options],
    {
      cwd: project,
      stdin: "ignore",
      reject: false,
      maxBuffer: 2 ** 30,
      env: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "false" },
    },
  );
  try {
    return JSON.parse(stdout) as Preview;
  } catch {
    throw new UserError(`pulumi preview of stack ${stack} failed: ${stderr.trim()}`);
  }
}

/** What Pulumi would change of OpenStack and of the API's objects, and what the program says about routes. */
export function cloudFindings(
  { steps = [], diagnostics = [] }: Preview,
  resources: readonly StateResource[],
  nodes: readonly string[],
): Finding[] {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  // The last step of a resource counts; those before are of the refresh.
  const last = new Map(steps.map((step) => [step.urn, step]));
  const known = new Set(resources.map(({ urn }) => urn));
  const changes = [...last.values()].flatMap(({ op, urn, diffReasons, detailedDiff }): Finding[] => {
    const type = urn.split("::")[2]!.split("$").at(-1)!;
    // Commands and certificates are changed by what they depend on, and components by what is in them.
    if (!/^(openstack|kubernetes):/.test(type)) return [];
    const name = nameOf({ urn });
    const about = { node: nodeOf(name, nodes), repair: ["--refresh"] };
    const kind = `${type.split(":").at(-1)} ${name}`;
    const fields = [
      ...new Set((diffReasons ?? Object.keys(detailedDiff ?? {})).map((key) => key.split(/[.[]/)[0])),
    ];
    switch (op) {
      case "create":
        return [{ ...about, what: known.has(urn) ? `${kind} is gone` : `${kind} is not made yet` }];
      case "delete":
        return [{ ...about, what: `${kind} is in the state and not in the settings` }];
      case "update":
      case "replace":
      case "create-replacement":
      case "delete-replaced":
        return [{ ...about, what: `${kind} differs: ${fields.join(", ")}` }];
      default:
        return [];
    }
  });
  return [
    ...errors.map(({ message }) => ({ what: `the preview failed: ${message.trim()}` })),
    ...changes,
    ...diagnostics.flatMap(({ message }) => routeFinding(message) ?? []),
  ];
}

/** The node that a resource of this name belongs to. */
function nodeOf(name: string, nodes: readonly string[]): string | undefined {
  return nodes
    .filter((node) => name.endsWith(`-${node}`) || name.includes(`-${node}-`))
    .sort((a, b) => b.length - a.length)[0];
}

/** A warning of components/route-watch.ts. */
function routeFinding(message: string): Finding | undefined {
  const [, what, how] = new RegExp(`${driftMark}(.*?)[;:] ((?:pulumi|openstack) .*)`).exec(message) ?? [];
  if (what === undefined) return undefined;
  return how!.startsWith("pulumi") ? { what, repair: [] } : { what, advice: how };
}
