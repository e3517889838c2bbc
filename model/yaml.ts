import { Schema, stringify } from "yaml";

// Made once, since making it costs more than writing a small text.
const schema = new Schema({ schema: "core", compat: "yaml-1.1" });

/** YAML that YAML 1.1 readers, such as Kubernetes', take for what was meant: `yes` and `12:30` stay text. */
export function toYaml(value: unknown): string {
  return stringify(value, { schema, lineWidth: 0, aliasDuplicateObjects: false });
}
