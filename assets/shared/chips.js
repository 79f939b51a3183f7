// Tokens as coloured chips: elements on the page, so that they can be read aloud and selected; drawn for export.
// Text that comes from a model or a person enters as text nodes only.

import { make } from "./dom.js";
import { clear } from "./marks.js";
import { css, inkOn, magnitude, shade } from "./scales.js";

/** @import { Palette, Sheet } from "./types.js" */

/** @typedef {{ tokens: string[], joined: boolean[], special: boolean[] }} ChipTexts */

/**
 * @typedef ChipEvents
 * @property {(i: number, event: MouseEvent) => void} hover
 * @property {() => void} leave
 * @property {(i: number) => void} pin
 */

export class Chips {
  /** @type {(number | undefined)[]} */
  #painted = [];

  /**
   * @param {HTMLElement} list
   * @param {ChipTexts} texts
   * @param {ChipEvents} on
   */
  constructor(list, { tokens, joined, special }, on) {
    this.elements = tokens.map((token, i) => {
      const chip = make("span", `chip${joined[i] ? " joined" : ""}${special[i] ? " special" : ""}`, token);
      chip.setAttribute("role", "listitem");
      chip.addEventListener("pointerenter", (event) => on.hover(i, event));
      chip.addEventListener("pointerleave", on.leave);
      chip.addEventListener("click", () => on.pin(i));
      return chip;
    });
    list.replaceChildren(...this.elements);
  }

  /**
   * Gives chips their packed colours, and those that are pinned their outline.
   * @param {ArrayLike<number>} packedColours
   * @param {(i: number) => boolean} isPinned
   */
  paint(packedColours, isPinned) {
    this.elements.forEach((chip, i) => {
      const packed = packedColours[i];
      if (this.#painted[i] !== packed) {
        const [before, ink] = [this.#painted[i], inkOn(packed)];
        this.#painted[i] = packed;
        chip.style.backgroundColor = css(packed);
        if (before === undefined || ink !== inkOn(before)) chip.style.color = ink;
      }
      if (chip.classList.contains("pinned") !== isPinned(i)) chip.classList.toggle("pinned", isPinned(i));
    });
  }
}

/**
 * The largest share.
 * @param {Iterable<number>} shares
 */
export function largest(shares) {
  let most = 0;
  for (const s of shares) if (s > most) most = s;
  return most;
}

/**
 * Rank of a value among others, 1 is the largest.
 * @param {Float32Array} shares
 * @param {number} i
 */
export const rankOf = (shares, i) => 1 + shares.filter((s) => s > shares[i]).length;

/**
 * Colour of a token by its part of the largest share shown.
 * @param {Float32Array} shares
 * @param {Palette} colours
 */
export function chipColours(shares, colours, most = largest(shares)) {
  const ramp = magnitude(colours.dark);
  // squared, because shade takes a root
  return Array.from(shares, (s) => ramp[most > 0 && !Number.isNaN(s) ? shade((s / most) ** 2) : 0]);
}

/**
 * How large the chips' picture is, about.
 * @param {string[]} tokens
 */
export const chipsSize = (tokens) => ({ width: 760, height: 30 + 27 * Math.ceil(tokens.join(" ").length / 80) });

/**
 * @param {Sheet} ctx
 * @param {number} width
 * @param {number} height
 * @param {{ tokens: string[], joined: boolean[], colours: Palette, packed: number[] }} model
 */
export function chipsPlot(ctx, width, height, { tokens, joined, colours, packed }) {
  clear(ctx, width, height, colours);
  ctx.font = `13px ${colours.font}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  let x = 4;
  let y = 4;
  tokens.forEach((token, i) => {
    const wide = ctx.measureText(token).width + 10;
    if (x + wide > width - 4) {
      x = 4;
      y += 27;
    } else if (i && !joined[i]) x += 4;
    ctx.fillStyle = css(packed[i]);
    ctx.fillRect(x, y, wide, 22);
    ctx.fillStyle = inkOn(packed[i]);
    ctx.fillText(token, x + 5, y + 11);
    x += wide + 1;
  });
}
