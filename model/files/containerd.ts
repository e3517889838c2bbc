import { file, type Files } from "../bundle.ts";
import type { ClusterBase } from "../plan.ts";
import { image } from "./images.ts";

/**
 * containerd, for pods or for Docker. Version 2 of its configuration is what 1.7 reads and 2.x still takes
 * (https://github.com/containerd/containerd/blob/main/docs/cri/config.md).
 */
export function containerdFiles({ settings, release }: ClusterBase): Files {
  if (settings.runtime === "docker")
    return {
      "/etc/containerd/config.toml": file('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'),
    };
  const host = settings.images.registry.split("/")[0]!;
  return {
    "/etc/containerd/config.toml": file(`version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${image(settings, `pause:${release.pause}`)}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "/etc/containerd/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
`),
    ...(settings.images.plainHttp
      ? {
          [`/etc/containerd/certs.d/${host}/hosts.toml`]: file(`server = "http://${host}"

[host."http://${host}"]
  capabilities = ["pull", "resolve"]
`),
        }
      : {}),
  };
}
