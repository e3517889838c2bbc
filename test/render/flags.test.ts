import { describe, expect, it } from "vitest";
import { minorOf } from "../../model/versions.ts";
import { planOf, stackSettings } from "../helpers/cluster.ts";
import { commandLines, programs, wrongFlags } from "../helpers/command-lines.ts";

// The lists in flags/ are what the programs print; test/lab/programs.e2e.ts asks them again.

describe.each(["1.35.4", "1.36.3"])("the command lines of Kubernetes %s", (kubernetesVersion) => {
  const { nodes } = planOf({ cluster: { ...stackSettings.cluster, kubernetesVersion } });

  it("are those of all its programs", () => {
    const found = nodes.flatMap(({ files }) => commandLines(files).map(({ program }) => program));
    expect([...new Set(found)].sort()).toEqual(programs);
  });

  it.each(nodes)("have only flags that the programs have, on $name", ({ files }) => {
    expect(wrongFlags(commandLines(files), minorOf(kubernetesVersion))).toEqual([]);
  });
});
