// Colour: perceptual, safe for colour-blind eyes, one ramp per theme. Magnitude is one hue from paper to ink;
// statistics use cividis. A key that was not read (weight 0) is paper; a key that may not be seen is hatched by the
// caller.

import { contextOf } from "./stage.js";

/** @import { Palette } from "./types.js" */

const CIVIDIS = [
  "#00224e",
  "#123570",
  "#3b496c",
  "#575d6d",
  "#707173",
  "#8a8678",
  "#a59c74",
  "#c3b369",
  "#e1cc55",
  "#fee838",
];
const INK = {
  light: ["#ffffff", "#dbe9f6", "#bad6eb", "#89bedc", "#539ecd", "#2b7bba", "#0b559f", "#08306b"],
  dark: ["#12161f", "#16283f", "#1b3d63", "#22568a", "#3273b0", "#5295cf", "#86b9e6", "#cfe6fb"],
};

// A − B: purple where A has more, orange where B has, nothing in the middle but the page's own paper.
const DIFFERENCE = {
  light: ["#7f3b08", "#b35806", "#e08214", "#fdc98a", "#ffffff", "#c9c2e6", "#8073ac", "#542788", "#2d004b"],
  dark: ["#ffd9a8", "#ffb35c", "#cf7a1d", "#6b3f14", "#12161f", "#3a3170", "#7563c4", "#a898f0", "#dcd4ff"],
};

/** @param {string} hex */
const parse = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

/**
 * Ramp of 256 colours as packed ABGR for an ImageData's Uint32Array.
 * @param {string[]} stops
 */
function ramp(stops) {
  const out = new Uint32Array(256);
  const colours = stops.map(parse);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (colours.length - 1);
    const low = Math.min(colours.length - 2, at | 0);
    const t = at - low;
    const [r, g, b] = [0, 1, 2].map((c) => Math.round(colours[low][c] * (1 - t) + colours[low + 1][c] * t));
    out[i] = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  }
  return out;
}

const RAMPS = {
  light: ramp(INK.light),
  dark: ramp(INK.dark),
  statistic: ramp(CIVIDIS),
  differenceLight: ramp(DIFFERENCE.light),
  differenceDark: ramp(DIFFERENCE.dark),
};

/**
 * Magnitude ramp of a theme.
 * @param {boolean} dark
 */
export const magnitude = (dark) => (dark ? RAMPS.dark : RAMPS.light);
/** Ramp for statistics. */
export const statistic = () => RAMPS.statistic;
/**
 * Ramp for A − B, from −1 over 0 in the middle to 1.
 * @param {boolean} dark
 */
export const difference = (dark) => (dark ? RAMPS.differenceDark : RAMPS.differenceLight);
/**
 * Index into the ramp for A − B of a difference in [−1, 1]: square root on both sides, so that small ones stay visible.
 * @param {number} d
 */
export const shadeDifference = (d) =>
  d === 0
    ? 128
    : d > 0
      ? Math.min(255, Math.max(138, (128 + Math.sqrt(d) * 127) | 0))
      : Math.max(0, Math.min(118, (128 - Math.sqrt(-d) * 128) | 0));
/**
 * Index into a ramp for a weight in [0, 1]: square root, so that small weights stay visible.
 * @param {number} weight
 */
export const shade = (weight) => (weight > 0 ? Math.max(20, Math.min(255, (Math.sqrt(weight) * 255) | 0)) : 0);
/**
 * CSS colour of a packed colour.
 * @param {number} packed
 */
export const css = (packed) => `rgb(${packed & 255},${(packed >> 8) & 255},${(packed >> 16) & 255})`;
/**
 * Black or white, whichever reads better on a packed colour.
 * @param {number} packed
 */
export function inkOn(packed) {
  const luminance = 0.299 * (packed & 255) + 0.587 * ((packed >> 8) & 255) + 0.114 * ((packed >> 16) & 255);
  return luminance > 140 ? "#111111" : "#ffffff";
}

/**
 * Colours of lines and text, from the page's theme.
 * @param {Element} element
 * @returns {Palette}
 */
export function palette(element) {
  const style = getComputedStyle(element);
  /** @type {(name: string, other: string) => string} */
  const of = (name, other) => style.getPropertyValue(name).trim() || other;
  const background = of("--st-background-color", "#ffffff");
  const probe = contextOf(document.createElement("canvas"));
  probe.fillStyle = background;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
  const dark = 0.299 * r + 0.587 * g + 0.114 * b < 128;
  return {
    dark,
    background,
    text: of("--st-text-color", dark ? "#fafafa" : "#1f2430"),
    muted: dark ? "#9aa4b5" : "#5b6475",
    grid: dark ? "#2b3342" : "#dfe3ea",
    accent: dark ? "#5aa9ff" : "#0b61c4",
    budget: dark ? "#5aa9ff" : "#0b61c4",
    full: dark ? "#c9b27a" : "#8a6d1d",
    a: dark ? "#b3a4f5" : "#5e3c99",
    b: dark ? "#f0a04b" : "#b35806",
    arms: dark ? ["#e69f00", "#cc79a7", "#56d0a8", "#b0b7c3"] : ["#b35900", "#a0357a", "#007a5c", "#555b66"],
    font: "ui-sans-serif, system-ui, 'Source Sans Pro', sans-serif",
  };
}
