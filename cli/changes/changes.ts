import type { Change } from "./change.ts";
import { clusterChanges } from "./cluster.ts";
import { nodeChanges } from "./nodes.ts";
import { surroundingChanges } from "./surroundings.ts";

/** All kinds of change that docs/changes.md tells, below their headings. */
export const changes: Record<string, Change[]> = {
  Nodes: nodeChanges,
  Cluster: clusterChanges,
  Surroundings: surroundingChanges,
};
