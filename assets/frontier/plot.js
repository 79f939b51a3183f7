// Plotly's part of the plot: marks, fronts and curves, drawn once, and where they are in pixels.

import { find } from "../shared/dom.js";
import { plotly } from "./plotly.js";

/** @import { Palette } from "../shared/types.js" */
/** @import { FrontierData, FrontierView, Layout, Mark, Meta, PlotElement, Plotted } from "./types.js" */
/** @import { PlotlyLibrary, Trace } from "./types.js" */

const NARROW = 760;
const CONFIG = {
  displaylogo: false,
  displayModeBar: true,
  modeBarButtonsToRemove: ["toImage", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  doubleClick: "reset+autosize",
};

/**
 * What the page does when something is clicked or moved.
 * @typedef PlotHost
 * @property {FrontierView} view
 * @property {() => void} moved The axes have moved.
 * @property {(key: string) => void} clicked
 * @property {(keys: string[]) => void} picked
 * @property {(hidden: string[]) => void} hide
 */

export class Plot {
  /**
   * Points by their keys.
   * @type {Map<string, Plotted>}
   */
  places = new Map();
  /** @type {PlotlyLibrary | null} */
  library = null;
  /**
   * The layout as it is where there is room.
   * @type {Layout | null}
   */
  #wide = null;
  /**
   * Marks by stop, until the axes move.
   * @type {Map<number, Mark[]>}
   */
  #found = new Map();

  /**
   * @param {HTMLElement} stage
   * @param {PlotHost} host
   */
  constructor(stage, host) {
    this.stage = stage;
    this.host = host;
    this.element = /** @type {PlotElement} */ (find(stage, ".plot"));
  }

  /** The axes, once Plotly has drawn. */
  get axes() {
    const { xaxis, yaxis } = this.element._fullLayout ?? {};
    return xaxis && yaxis ? { xaxis, yaxis } : null;
  }

  /**
   * @param {FrontierData} shown
   * @param {Palette} colours
   * @param {() => boolean} isWanted Whether it still is when Plotly has been loaded.
   * @returns {Promise<boolean>} Whether it was drawn.
   */
  async draw(shown, colours, isWanted) {
    this.library = await plotly(shown.plotly);
    if (!isWanted()) return false;
    const { data, layout } = figureOf(shown, colours);
    const isFresh = !this.element._fullLayout;
    this.#wide = layout;
    this.#found.clear();
    this.places = new Map(data.flatMap(pointsOf));
    for (const trace of data) trace.visible = this.#visibility(trace.meta);
    const here = { ...layout, ...this.#room(layout), uirevision: shown.scope };
    await this.library.react(this.element, data, here, CONFIG);
    if (isFresh) this.#follow();
    return true;
  }

  #follow() {
    const { element, host } = this;
    const moved = () => {
      this.#found.clear();
      host.moved();
    };
    element.on("plotly_afterplot", moved);
    element.on("plotly_relayouting", moved);
    element.on("plotly_click", ({ points }) => {
      const [key] = points.flatMap((point) => point.customdata ?? []);
      if (key !== undefined) host.clicked(key);
    });
    element.on("plotly_selected", (found) => {
      if (found) host.picked(found.points.flatMap((point) => point.customdata?.[0] ?? []));
    });
    element.on("plotly_deselect", () => host.picked([]));
    element.on("plotly_legendclick", ({ data, curveNumber }) => {
      this.#toggle(data[curveNumber].meta.family);
      return false;
    });
    element.on("plotly_legenddoubleclick", ({ data, curveNumber }) => {
      this.#only(data[curveNumber].meta.family);
      return false;
    });
  }

  // ---- what is visible

  /** @param {Meta} meta */
  #visibility({ family, part }) {
    const { hidden, dominated } = this.host.view;
    return hidden.includes(family) ? "legendonly" : part !== "dominated" || dominated;
  }

  show() {
    const visible = this.element.data?.map((one) => this.#visibility(one.meta));
    if (visible) this.library?.restyle(this.element, { visible });
  }

  /** @param {string} family */
  #toggle(family) {
    const { hidden } = this.host.view;
    this.host.hide(hidden.includes(family) ? hidden.filter((name) => name !== family) : [...hidden, family]);
  }

  /** @param {string} family */
  #only(family) {
    const families = new Set(this.element.data.map((one) => one.meta.family));
    const others = [...families].filter((name) => name !== family);
    const areHidden = others.every((name) => this.host.view.hidden.includes(name));
    this.host.hide(areHidden ? [] : others);
  }

  /** @param {Pick<Layout, "legend" | "margin">} layout */
  #room({ legend, margin }) {
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (width >= NARROW) return { width, height, legend };
    const below = { ...legend, orientation: "h", x: 0, y: -0.16, yanchor: "top" };
    return { width, height, legend: below, margin: { ...margin, l: 58 } };
  }

  /** Takes the size of the stage. */
  fit() {
    const { _fullLayout: now } = this.element;
    if (!now || !this.#wide || !this.stage.clientWidth) return;
    const { width, height, legend } = this.#room(this.#wide);
    if (width !== now.width || height !== now.height) this.library?.relayout(this.element, { width, height, legend });
  }

  /**
   * Shows the part that another plot of the same has been zoomed to.
   * @param {Plot} other
   */
  lookAt({ axes }) {
    const change = { "xaxis.range": axes?.xaxis.range.slice(), "yaxis.range": axes?.yaxis.range.slice() };
    const mine = this.axes && { "xaxis.range": this.axes.xaxis.range, "yaxis.range": this.axes.yaxis.range };
    if (axes && String(Object.values(change)) !== String(Object.values(mine ?? {})))
      this.library?.relayout(this.element, change);
  }

  // ---- where things are

  /**
   * @param {{ x: number, y: number }} at On the axes.
   * @returns {[number, number] | null}
   */
  pixels({ x, y }) {
    const { axes } = this;
    if (!axes) return null;
    const { xaxis, yaxis } = axes;
    return [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
  }

  /**
   * Marks of all curves at a stop of the bar, in pixels; nothing where it was not measured. Kept until the axes move.
   * @param {number} stop
   */
  marks(stop) {
    const found = this.#found.get(stop) ?? this.#marks(stop);
    this.#found.set(stop, found);
    return found;
  }

  /** @param {number} stop */
  #marks(stop) {
    const { data, _fullData: traces } = this.element;
    return traces.flatMap(({ meta, visible, index, line }) => {
      if (meta?.part !== "curves" || visible !== true) return [];
      const { keys = [], stops = 0, symbol = "circle" } = meta;
      const { x: xs, y: ys } = data[index];
      return keys.flatMap((key, i) => {
        const [x, y] = [xs[i * (stops + 1) + stop], ys[i * (stops + 1) + stop]];
        if (x === null || y === null || this.#isLeftOut(key)) return [];
        const [px, py] = this.pixels({ x, y }) ?? [NaN, NaN];
        return /** @type {Mark[]} */ ([{ key, symbol, colour: line.color, x: px, y: py, at: [x, y] }]);
      });
    });
  }

  /** @param {string} key */
  #isLeftOut(key) {
    return !this.host.view.dominated && this.places.get(key)?.part === "dominated";
  }

  dispose() {
    if (this.element._fullLayout) this.library?.purge(this.element);
  }
}

/**
 * The figure in the page's colours: those of light paper are replaced wherever they are written.
 * @param {FrontierData} shown
 * @param {Palette} colours
 * @returns {{ data: Trace[], layout: Layout }}
 */
function figureOf({ figure, colours: { light, dark } }, colours) {
  const inks = [colours.background, colours.text, colours.grid, ...(colours.dark ? dark : light).slice(3)];
  /** @type {Map<string, string>} */
  const others = new Map();
  for (const [i, colour] of light.entries()) if (colour !== inks[i]) others.set(`"${colour}`, `"${inks[i]}`);
  if (!others.size) return JSON.parse(figure);
  const written = figure.replace(new RegExp([...others.keys()].join("|"), "g"), (was) => others.get(was) ?? was);
  return JSON.parse(written);
}

/**
 * @param {Trace} trace
 * @returns {[string, Plotted][]}
 */
const pointsOf = ({ meta: { family, part }, x, y, customdata = [], hovertext = [] }) =>
  customdata.map(([key], i) => [key, { x: x[i] ?? NaN, y: y[i] ?? NaN, family, part, hover: hovertext[i] }]);
