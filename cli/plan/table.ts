/** Rows of cells as lines, each column as wide as its widest cell. */
export function table(rows: (string | number)[][], indent = "  "): string {
  const texts = rows.map((row) => row.map(String));
  const widths: number[] = [];
  for (const row of texts) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return texts
    .map((row) => `${indent}${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}
