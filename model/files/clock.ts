import { file, type Files } from "../bundle.ts";
import type { Settings } from "../settings.ts";

/** NTP servers of systemd-timesyncd (https://www.freedesktop.org/software/systemd/man/latest/timesyncd.conf.html). */
export function clockFiles({ ntp }: Settings): Files {
  if (ntp.servers.length === 0) return {};
  const path = "/etc/systemd/timesyncd.conf.d/openstack-kubernetes.conf";
  return { [path]: file(`[Time]\nNTP=${ntp.servers.join(" ")}\n`) };
}
