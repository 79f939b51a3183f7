// The plot as a file, made in the page: what is seen, the marks at the key budget included.

import { download } from "../shared/download.js";

/** @import { Palette } from "../shared/types.js" */
/** @import { PlotElement, PlotlyLibrary } from "./types.js" */

const UNDER = 32; // pixels for the line below the plot

/**
 * Bytes of a data: address; the page may not fetch one.
 * @param {string} address
 */
function bytesOf(address) {
  const comma = address.indexOf(",");
  const body = address.slice(comma + 1);
  if (!address.slice(0, comma).endsWith(";base64")) return new TextEncoder().encode(decodeURIComponent(body));
  return Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
}

/**
 * Saves a plot.
 * @param {PlotlyLibrary} library
 * @param {PlotElement} plot
 * @param {"png" | "svg"} format
 * @param {{ name: string, more: object[], told: string, colours: Palette }} file `more` are traces beside the plot's
 *   own, `told` is a line under it.
 */
export async function savePlot(library, plot, format, { name, more, told, colours }) {
  if (!plot._fullLayout) return;
  const note = {
    text: told,
    xref: "paper",
    yref: "paper",
    x: 0,
    y: -0.15,
    xanchor: "left",
    yanchor: "top",
    showarrow: false,
    font: { size: 10, color: colours.muted },
  };
  const size = { width: plot._fullLayout.width, height: plot._fullLayout.height + UNDER };
  const margin = { ...plot.layout.margin, b: 84 };
  const layout = { ...plot.layout, ...size, margin, annotations: [note], paper_bgcolor: colours.background };
  const figure = { data: [...plot.data, ...more], layout };
  const address = await library.toImage(figure, { format, ...size, scale: format === "png" ? 3 : 1 });
  const type = format === "png" ? "image/png" : "image/svg+xml";
  download(`${name}.${format}`, new Blob([bytesOf(address)], { type }));
}
