// A canvas and what it shows. Sizes are measured apart from drawing; what is shown can be saved as it was drawn.

import { exportFigure } from "./export.js";
import { clear, sentence } from "./marks.js";
import { fit, widthOf } from "./stage.js";

/** @import { Format, Palette, Row, Sheet } from "./types.js" */

/**
 * @template Model
 * @typedef {(ctx: Sheet, width: number, height: number, model: Model) => void} Paint
 */

/** @template {{ colours: Palette }} Model */
export class Picture {
  /** @type {Model | null} */
  model = null;
  /** Why there is nothing to show; "" if there is. */
  absent = "";
  width = 120;
  height = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Paint<Model>} paint
   * @param {(width: number) => number} heightOf
   * @param {Paint<Model>} [mark] What is drawn over it on the page alone.
   */
  constructor(canvas, paint, heightOf, mark = () => {}) {
    this.canvas = canvas;
    this.paint = paint;
    this.heightOf = heightOf;
    this.mark = mark;
  }

  measure() {
    this.width = widthOf(this.canvas);
  }

  #sheet() {
    this.height = Math.round(this.heightOf(this.width));
    return fit(this.canvas, this.width, this.height).context;
  }

  /** @param {Model} model */
  draw(model) {
    this.model = model;
    this.absent = "";
    this.redraw();
  }

  /** Draws what is shown anew, because the marks over it have changed. */
  redraw() {
    if (!this.model) return;
    const context = this.#sheet();
    this.paint(context, this.width, this.height, this.model);
    this.mark(context, this.width, this.height, this.model);
  }

  /**
   * Draws a sentence on why there is nothing to show.
   * @param {string} why
   * @param {Palette} colours
   */
  drawAbsent(why, colours) {
    this.model = null;
    this.absent = why;
    const context = this.#sheet();
    clear(context, this.width, this.height, colours);
    sentence(context, why, { x: 0, y: 0, width: this.width, height: this.height }, colours);
  }

  /**
   * @param {Format} format
   * @param {{ name: string, rows: () => Row[], provenance: Row, captions: string[] }} figure
   */
  save(format, figure) {
    const { model, width, height } = this;
    if (!model) return;
    const paper = { ...model, colours: { ...model.colours, paper: true } };
    /** @type {(ctx: Sheet, width: number, height: number) => void} */
    const draw = (ctx, w, h) => this.paint(ctx, w, h, paper);
    exportFigure(format, { ...figure, draw, width, height, colours: paper.colours });
  }
}
