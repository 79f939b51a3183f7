// Every figure as PNG and SVG, its numbers as CSV and JSON, each with where they come from.

import { SvgContext } from "./svg.js";

function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// As compecon/csv_writer.py: a text that a spreadsheet would run begins with an apostrophe, and numbers stay numbers.
const FORMULA = /^(?:[\s\0]*[=+\-@＝＋－＠]|[\t\r\n])/;
const NUMBER = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf|nan)$/;
const LATER = /([,;|\t]\s*)(?=[=+\-@＝＋－＠])/g; // in a line of comment, where a cell could begin

function cell(value) {
  if (typeof value !== "string") return value ?? "";
  const lines = value.replace(/\r\n?/g, "\n");
  const text = FORMULA.test(lines) && !NUMBER.test(lines) ? `'${lines}` : lines;
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** Rows of plain values to CSV, with the provenance as comment lines. */
export function toCsv(rows, provenance) {
  const head = Object.keys(rows[0] ?? {});
  const notes = Object.entries(provenance).map(
    ([k, v]) => `# ${`${k}: ${v}`.trim().replace(/\s+/g, " ").replace(LATER, "$1'")}`,
  );
  return (
    [...notes, head.map(cell).join(","), ...rows.map((row) => head.map((name) => cell(row[name])).join(","))].join(
      "\n",
    ) + "\n"
  );
}

/** Saves one figure. `draw(ctx, width, height)` draws it; `rows` are its numbers. */
export function exportFigure(format, { name, draw, rows, width, height, provenance }) {
  if (format === "csv") return save(`${name}.csv`, new Blob([toCsv(rows(), provenance)], { type: "text/csv" }));
  if (format === "json")
    return save(
      `${name}.json`,
      new Blob([JSON.stringify({ provenance, rows: rows() }, null, 1)], { type: "application/json" }),
    );
  if (format === "svg") {
    const context = new SvgContext(width, height);
    draw(context, width, height);
    return save(`${name}.svg`, new Blob([context.toString()], { type: "image/svg+xml" }));
  }
  const canvas = document.createElement("canvas");
  const scale = 3; // print quality
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  draw(context, width, height);
  return canvas.toBlob((blob) => save(`${name}.png`, blob), "image/png");
}
