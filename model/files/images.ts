import type { Settings } from "../settings.ts";

/** The full reference of an image of the Kubernetes registry, such as `pause:3.10.2`, in the registry of the settings. */
export function image(settings: Settings, name: string): string {
  return `${settings.images.registry}/${name}`;
}
