import { describe, expect, it } from "vitest";
import { changed, example, summary, type Change } from "../../cli/changes/change.ts";
import { changes } from "../../cli/changes/changes.ts";
import { check } from "../../model/checks.ts";
import { plan } from "../../model/plan.ts";
import { foundationsOf } from "../../model/foundations.ts";
import { refusals } from "../../model/transitions.ts";
import { checksums, checksumsFile } from "../helpers/cluster.ts";
import { previewOf } from "../helpers/preview.ts";

const sums = checksumsFile(
  Object.assign({}, ...["1.35.4", "1.36.2", "1.36.3", "1.36.4", "1.37.1"].map(checksums)),
);

function planOf(settings: object) {
  const checked = check(changed(settings, { downloads: { checksums: "SHA256SUMS" } }), () => sums);
  return plan(checked.settings, checked.checksums);
}

function plansOf({ before = {}, after }: Change) {
  const settings = changed(example, before);
  return [planOf(settings), planOf(changed(settings, after))] as const;
}

const rows = Object.values(changes).flat();

describe("a change does to resources what docs/changes.md says", () => {
  it.each(rows.filter(({ does }) => does !== "refused"))("$what", async (change) => {
    const [before, after] = plansOf(change);
    expect(refusals(foundationsOf(before), foundationsOf(after), after.settings.allowDisruption)).toEqual([]);
    expect(summary(await previewOf(before, after))).toEqual(change.resources);
  });
});

describe("a change is refused, as docs/changes.md says", () => {
  it.each(rows.filter(({ does }) => does === "refused"))("$what", (change) => {
    const [before, after] = plansOf(change);
    const found = refusals(foundationsOf(before), foundationsOf(after), after.settings.allowDisruption);
    expect(found).not.toEqual([]);
    expect(change.resources).toEqual({});
  });
});
