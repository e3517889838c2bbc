import { environmentFile, file, type Files } from "../bundle.ts";
import type { ClusterBase } from "../plan.ts";
import { template } from "../templates.ts";
import { image } from "./images.ts";

/** Takes and restores snapshots of etcd on a control-plane node. */
export const snapshotScript = "/usr/local/lib/openstack-kubernetes/etcd-snapshots.sh";

/** Snapshots of etcd by a timer, and the way back to one, both with etcd's own programs out of its image. */
export function etcdFiles({ settings, release }: ClusterBase): Files {
  const { every, keep } = settings.etcd.snapshots;
  const values = {
    ETCD_IMAGE: image(settings, `etcd:${release.etcd}`),
    CONTAINER_RUNTIME: settings.runtime,
    SNAPSHOTS_KEPT: keep,
  };
  return {
    [snapshotScript]: { content: template("scripts/etcd-snapshots.sh"), mode: "0755" },
    "/etc/openstack-kubernetes/etcd.env": environmentFile(values),
    "/etc/systemd/system/etcd-snapshot.service": file(template("units/etcd-snapshot.service")),
    "/etc/systemd/system/etcd-snapshot.timer": file(template("units/etcd-snapshot.timer")),
    "/etc/systemd/system/etcd-snapshot.timer.d/every.conf": file(`[Timer]\nOnUnitInactiveSec=${every}h\n`),
  };
}
