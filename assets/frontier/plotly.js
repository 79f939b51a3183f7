// Plotly's script, and what it writes as HTML.

/** @import { PlotlyLibrary } from "./types.js" */

/** @type {Promise<PlotlyLibrary> | null} */
let library = null;

/**
 * Plotly, loaded once for the page.
 * @param {string} address
 */
export function plotly(address) {
  library ??= load(address).catch((error) => {
    library = null;
    throw error;
  });
  return library;
}

/**
 * @param {string} address
 * @returns {Promise<PlotlyLibrary>}
 */
async function load(address) {
  if (!window.Plotly)
    await new Promise((done, failed) => {
      const script = document.createElement("script");
      Object.assign(script, { src: address, onload: done, onerror: failed });
      document.head.append(script);
    }).catch(() => {});
  if (!window.Plotly) throw new Error("Plotly could not be loaded.");
  return window.Plotly;
}

const decoder = document.createElement("textarea");

/**
 * Lines of a hover's text: what was written as entities is letters again.
 * @param {string} hover
 */
export function linesOf(hover) {
  return hover.split("<br>").map((line) => {
    decoder.innerHTML = line.replace(/^<b>|<\/b>$/g, ""); // a textarea holds letters: nothing in it becomes an element
    return decoder.value;
  });
}
