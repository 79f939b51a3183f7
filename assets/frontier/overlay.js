// What moves with the key budget, on a canvas above the plot: marks, the limit of the advice, halos with names.

import { sheet } from "../shared/stage.js";
import { linesOf } from "./plotly.js";
import { label, stamp } from "./shapes.js";

/** @import { Palette } from "../shared/types.js" */
/** @import { Plot } from "./plot.js" */
/** @import { FrontierData, FrontierView, Limit, Mark } from "./types.js" */

/**
 * The inside of the axes, in pixels.
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Inside
 */

const NEAR = 9; // pixels within which a mark is meant

export class Overlay {
  /** @type {Mark[]} */
  shown = [];

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Plot} plot
   */
  constructor(canvas, plot) {
    this.canvas = canvas;
    this.plot = plot;
  }

  /** @returns {Inside | null} */
  get inside() {
    const { axes } = this.plot;
    if (!axes) return null;
    const { xaxis, yaxis } = axes;
    const [left, top] = [xaxis._offset, yaxis._offset];
    return { left, right: left + xaxis._length, top, bottom: top + yaxis._length };
  }

  /**
   * @param {FrontierData} data
   * @param {FrontierView} view
   * @param {Palette} colours
   * @param {number | null} stop Of the bar; null for all keys.
   */
  draw(data, view, colours, stop) {
    const box = this.inside;
    if (!box) return;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ctx = sheet(this.canvas, { width, height });
    this.shown = stop === null ? [] : this.plot.marks(stop);
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left - 6, box.top - 6, box.right - box.left + 12, box.bottom - box.top + 12);
    ctx.clip();
    if (stop !== null) veil(ctx, box, colours);
    if (data.limit) this.#limit(ctx, box, data.limit, colours);
    this.#marks(ctx, colours);
    const { key, role } = data.advised;
    if (!data.answer?.fits) ctx.setLineDash([4, 4]);
    this.#halo(ctx, box, view, key, data.answer?.fits ? colours.accent : colours.full, 14, `${role}: `, colours);
    ctx.setLineDash([]);
    this.#halo(ctx, box, view, view.chosen, colours.text, 11, "", colours);
    ctx.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Palette} colours
   */
  #marks(ctx, { background }) {
    const radius = this.shown.length > 200 ? 3.5 : 5.5;
    for (const { symbol, colour, x, y } of this.shown) {
      const { image, size } = stamp(symbol, colour, background, radius);
      ctx.drawImage(image, x - size / 2, y - size / 2, size, size);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Inside} box
   * @param {Limit} limit
   * @param {Palette} colours
   */
  #limit(ctx, box, { axis, value, text }, colours) {
    const [x, y] = this.plot.pixels({ x: value, y: value }) ?? [NaN, NaN];
    const place = axis === "x" ? x : y;
    if (!Number.isFinite(place)) return;
    const [from, to] =
      axis === "x"
        ? [
            [place, box.top],
            [place, box.bottom],
          ]
        : [
            [box.left, place],
            [box.right, place],
          ];
    ctx.strokeStyle = colours.full;
    ctx.lineWidth = 1.5;
    ctx.setLineDash([6, 4]);
    ctx.beginPath();
    ctx.moveTo(from[0], from[1]);
    ctx.lineTo(to[0], to[1]);
    ctx.stroke();
    ctx.setLineDash([]);
    if (axis === "x") label(ctx, box, text, place - 6, box.bottom - 2, colours);
    else label(ctx, box, text, box.left, place, colours);
  }

  /**
   * A ring around a point, with its name.
   * @param {CanvasRenderingContext2D} ctx
   * @param {Inside} box
   * @param {FrontierView} view
   * @param {string} key
   * @param {string} colour
   * @param {number} radius
   * @param {string} why What stands before the name; no name if empty.
   * @param {Palette} colours
   */
  #halo(ctx, box, view, key, colour, radius, why, colours) {
    const place = this.plot.places.get(key);
    const at = place && this.plot.pixels(place);
    if (!at || view.hidden.includes(place.family)) return;
    ctx.strokeStyle = colour;
    ctx.lineWidth = 3;
    ctx.beginPath();
    ctx.arc(at[0], at[1], radius, 0, 2 * Math.PI);
    ctx.stroke();
    if (why) label(ctx, box, `${why}${linesOf(place.hover)[0]}`, at[0] + 4, at[1] - 4, colours);
  }

  /**
   * The mark under the pointer, or null.
   * @param {MouseEvent} event
   */
  nearest(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    /** @type {Mark | null} */
    let best = null;
    let least = NEAR * NEAR;
    for (const mark of this.shown) {
      const far = (mark.x - x) ** 2 + (mark.y - y) ** 2;
      if (far <= least) [best, least] = [mark, far];
    }
    return best;
  }

  /**
   * What is shown, as a trace for Plotly.
   * @param {string} name
   * @param {Palette} colours
   */
  asTraces(name, colours) {
    if (!this.shown.length) return [];
    const marker = {
      size: 11,
      symbol: this.shown.map((mark) => mark.symbol),
      color: this.shown.map((mark) => mark.colour),
      line: { width: 1.5, color: colours.text },
    };
    const [x, y] = [this.shown.map(({ at }) => at[0]), this.shown.map(({ at }) => at[1])];
    return [{ type: "scatter", mode: "markers", name, x, y, marker }];
  }
}

/**
 * Dims what stands for all keys. Done here and not to the plot itself, which would be painted anew: 60 ms for a
 * thousand marks.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Inside} box
 * @param {Palette} colours
 */
function veil(ctx, box, { background }) {
  ctx.fillStyle = background;
  ctx.globalAlpha = 0.6;
  ctx.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  ctx.globalAlpha = 1;
}
