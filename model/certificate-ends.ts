/** Hours before an end from which on every run of the program warns of it: 30 days. */
const warningHours = 720;

/**
 * What to tell a person of certificates that end soon or have ended; nothing where none does.
 * @param ends when each certificate ends (RFC 3339), by its name
 * @param renewHours hours before its end from which on a certificate is renewed
 */
export function endWarning(ends: Record<string, string>, renewHours: number, now: Date): string | undefined {
  const soon = Object.entries(ends)
    .filter(([, end]) => Date.parse(end) - now.getTime() < warningHours * 3_600_000)
    .sort(([, a], [, b]) => Date.parse(a) - Date.parse(b))
    .map(([name, end]) => `${name} on ${end.slice(0, 10)}`);
  if (soon.length === 0) return undefined;
  return (
    `certificates end: ${soon.join(", ")}; from ${renewHours} hours before on \`pulumi up\` renews them, ` +
    "and docs/operations.md says how to renew them now"
  );
}
