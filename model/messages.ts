import type * as z from "zod";

/** What a value has to be, in words, by zod's name of its type. */
const kinds: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a dictionary",
  record: "a dictionary",
};

/** Words for what is wrong with a setting by itself; zod's own where there are none. */
export function describe(issue: z.core.$ZodRawIssue): string | undefined {
  const given = JSON.stringify(issue.input);
  switch (issue.code) {
    case "invalid_type": {
      if (issue.input === undefined) return "is missing";
      const quotes = issue.expected === "string" && /^[\d.-]+$|^(true|false)$/.test(given);
      return `must be ${kinds[issue.expected] ?? issue.expected}, not ${given}${quotes ? "; put it in quotes" : ""}`;
    }
    case "invalid_value":
      return issue.input === undefined
        ? "is missing"
        : `must be one of ${issue.values.join(", ")}, not ${given}`;
    case "unrecognized_keys":
      return `has no setting ${issue.keys.join(", ")}; see docs/settings.md`;
    case "too_big":
      return issue.origin === "array"
        ? `must have at most ${issue.maximum} entries`
        : `must be at most ${issue.maximum}, not ${given}`;
    case "too_small":
      return issue.origin === "string" || issue.origin === "array"
        ? "must not be empty"
        : `must be at least ${issue.minimum}, not ${given}`;
    default:
      return undefined;
  }
}

/** The words for an issue of the schema. */
export function messageOf(issue: z.core.$ZodIssue): string {
  // A record's key that may not be is reported inside another issue.
  if (issue.code === "invalid_key") return issue.issues.map((inner) => inner.message).join("; ");
  return issue.message;
}
