// Every figure as PNG and SVG, its numbers as CSV and JSON, each with where they come from.

import { toCsv } from "./csv.js";
import { download } from "./download.js";
import { caption, captionHeight } from "./marks.js";
import { contextOf } from "./stage.js";
import { SvgContext } from "./svg.js";

/** @import { Format, Palette, Row, Sheet } from "./types.js" */

/**
 * Saves one figure. `draw(ctx, width, height)` draws it; `rows` are its numbers; `captions` are lines below it.
 * @param {Format} format
 * @param {{
 *   name: string, draw: (ctx: Sheet, width: number, height: number) => void, rows: () => Row[],
 *   width: number, height: number, provenance: Row, captions: string[], colours: Palette,
 * }} figure
 */
export function exportFigure(format, figure) {
  const { name, rows, width, provenance, captions, colours } = figure;
  if (format === "csv") return download(`${name}.csv`, new Blob([toCsv(rows(), provenance)], { type: "text/csv" }));
  if (format === "json")
    return download(
      `${name}.json`,
      new Blob([JSON.stringify({ provenance, rows: rows() }, null, 1)], { type: "application/json" }),
    );
  const height = figure.height + captionHeight(captions);
  /** @param {Sheet} context */
  const draw = (context) => {
    figure.draw(context, width, figure.height);
    caption(context, captions, { x: 0, y: figure.height, width, height: height - figure.height }, colours);
  };
  if (format === "svg") {
    const context = new SvgContext(width, height);
    draw(context);
    return download(`${name}.svg`, new Blob([context.toString()], { type: "image/svg+xml" }));
  }
  const canvas = document.createElement("canvas");
  const scale = 3; // print quality
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = contextOf(canvas);
  context.scale(scale, scale);
  draw(context);
  return canvas.toBlob((blob) => download(`${name}.png`, blob), "image/png");
}
