import { stringify } from "yaml";

/** YAML that YAML 1.1 readers, such as Kubernetes', take for what was meant: `yes` and `12:30` stay text. */
export function toYaml(value: unknown): string {
  return stringify(value, { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false });
}
