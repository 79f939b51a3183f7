// Rows as CSV, safe to open in a spreadsheet. No DOM, no imports: tests run this file by itself.

/** @import { Row } from "./types.js" */

// As compecon/csv_writer.py: a text that a spreadsheet would run begins with an apostrophe, and numbers stay numbers.
const FORMULA = /^(?:[\s\0]*[=+\-@＝＋－＠]|[\t\r\n])/;
const NUMBER = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf|nan)$/;
const LATER = /([,;|\t]\s*)(?=[=+\-@＝＋－＠])/g; // in a line of comment, where a cell could begin

/** @param {Row[string]} value */
function cell(value) {
  if (typeof value !== "string") return value ?? "";
  const lines = value.replace(/\r\n?/g, "\n");
  const text = FORMULA.test(lines) && !NUMBER.test(lines) ? `'${lines}` : lines;
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/**
 * Rows of plain values to CSV, with the provenance as comment lines.
 * @param {Row[]} rows
 * @param {Row} provenance
 */
export function toCsv(rows, provenance) {
  const head = Object.keys(rows[0] ?? {});
  const notes = Object.entries(provenance).map(
    ([k, v]) => `# ${`${k}: ${v}`.trim().replace(/\s+/g, " ").replace(LATER, "$1'")}`,
  );
  const lines = rows.map((row) => head.map((name) => cell(row[name])).join(","));
  return [...notes, head.map(cell).join(","), ...lines, ""].join("\n");
}
