import * as z from "zod";

/** Settings of etcd, which has all that the API knows. */
export const etcdSettings = z
  .strictObject({
    snapshots: z
      .strictObject({
        every: z.int().min(1).max(168).default(6).describe("hours from one snapshot to the next"),
        keep: z.int().min(1).max(1000).default(10).describe("number of the newest that are kept"),
      })
      .prefault({})
      .describe(
        "snapshots of etcd on the control-plane node, below `/var/lib/openstack-kubernetes/etcd-snapshots`; " +
          "docs/operations.md has how to fetch one and to go back to it",
      ),
  })
  .prefault({});
