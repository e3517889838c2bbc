import { createHash } from "node:crypto";
import { exampleSettings } from "../../cli/example.ts";
import { check, type Checked } from "../../model/checks.ts";
import { downloadsOf, type Checksums } from "../../model/downloads.ts";
import { plan, type ClusterPlan } from "../../model/plan.ts";
import { cniPlugins, criDockerd, flannel } from "../../model/versions.ts";

export const kubernetesVersion = "1.36.3";

/** The example of the docs, with a version that stays when the default one changes. */
export const stackSettings = {
  ...exampleSettings,
  cluster: { ...exampleSettings.cluster, kubernetesVersion },
};

/** SHA-256 of every download of a version; made up, but of the right form and stable. */
export function checksums(version = kubernetesVersion): Checksums {
  const downloads = downloadsOf({ kubernetesVersion: version, cniPlugins, criDockerd, flannel });
  return Object.fromEntries(
    downloads.map(({ path }) => [path, createHash("sha256").update(path).digest("hex")]),
  );
}

/** A file of checksums as sha256sum writes it. */
export function checksumsFile(sums: Checksums = checksums()): string {
  return Object.entries(sums)
    .map(([path, sum]) => `${sum}  ${path}\n`)
    .join("");
}

/** `stackSettings` with some of its settings replaced, checked, and checksums of all that a stack may download. */
export function checked(changes: Record<string, unknown> = {}): Checked {
  const downloads = { ...(changes.downloads as object | undefined), checksums: "SHA256SUMS" };
  return check({ ...stackSettings, ...changes, downloads }, () => checksumsFile());
}

/** The plan of `checked`. */
export function planOf(changes: Record<string, unknown> = {}): ClusterPlan {
  const { settings, checksums } = checked(changes);
  return plan(settings, checksums);
}
