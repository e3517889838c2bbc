import { describe, expect, it } from "vitest";
import { checksumsFile, stackSettings } from "../helpers/cluster.ts";
import { problemsOf } from "../helpers/problems.ts";
import { clusterValues } from "./bad-values/cluster.ts";
import { loadBalancersValues } from "./bad-values/load-balancers.ts";
import { machinesValues } from "./bad-values/machines.ts";
import { networkValues } from "./bad-values/network.ts";
import { nodesValues } from "./bad-values/nodes.ts";
import { surroundingsValues } from "./bad-values/surroundings.ts";

/** By row of docs/seed.md. Row 15, the gate, has no settings: it says what is wrong with a cluster. */
const rows = {
  ...clusterValues,
  ...loadBalancersValues,
  ...machinesValues,
  ...networkValues,
  ...nodesValues,
  ...surroundingsValues,
};
const values = Object.entries(rows)
  .flatMap(([row, ofRow]) => ofRow.map((value) => ({ row: row.padStart(2, "0"), value })))
  .map(({ row, value: [title, changes, problem] }, index) => ({
    number: index + 1,
    row,
    title,
    changes,
    problem,
  }));

describe("a wrong setting is said in one line, before anything is asked of OpenStack", () => {
  it.each(values)("bad value $number, seed-$row: $title", ({ changes, problem }) => {
    const { downloads = {} } = changes as { downloads?: object };
    const settings = { ...stackSettings, ...changes, downloads: { checksums: "SHA256SUMS", ...downloads } };
    expect(problemsOf(settings, checksumsFile())).toEqual([problem]);
  });

  it("for every row of the seed that has settings", () => {
    expect(Object.keys(rows).map(Number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17]);
    expect(values.length).toBeGreaterThanOrEqual(100);
  });
});
