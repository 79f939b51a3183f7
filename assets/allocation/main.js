// The canvas of the Allocation page. It holds every budget of the bar, so a drag never asks the server. When the
// pointer is released, Streamlit learns of it and writes the address bar.

import { succeed } from "../front/succession.js";
import { find, write } from "../shared/dom.js";
import { LiveCanvas, mounting } from "../shared/live_canvas.js";
import { saveMenus, sheet, switches } from "../shared/stage.js";
import { Arrivals } from "./arrivals.js";
import { Facts } from "./facts.js";
import { nowAt, paletteOf, tallestOf } from "./market.js";
import { curveNote, marketNote, playbackNote, why } from "./notes.js";
import { amount, number } from "./numbers.js";
import { NAMES, PICTURES } from "./pictures.js";
import { saveFigure } from "./save.js";
import { stepped } from "./steps.js";

/** @import { Placed, Send, Size } from "../shared/types.js" */
/** @import { PictureName } from "./pictures.js" */
/** @import { AllocationData, AllocationView, MarketTable, Shown } from "./types.js" */

class Allocation extends LiveCanvas {
  /** @type {AllocationView} */
  view = { budget: 0, query: 0, order: "arrival" };
  /** @type {AllocationData | null} */
  data = null;
  /** @type {Record<AllocationView["order"], number[]>} */
  #orders = { arrival: [], price: [] };
  /** Ends of the pictures' axes, the same over the whole bar. */
  #ends = { tallest: 1, steepest: 1 };
  /** @type {Partial<Record<PictureName, Size>>} */
  #sizes = {};

  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    super(root, ".ca");
    this.bar = find(root, "#ca-budget", HTMLInputElement);
    this.queue = find(root, "canvas.queue", HTMLCanvasElement);
    this.play = this.$(".play");
    this.online = this.$(".online");
    this.facts = new Facts(this.$(".facts"));
    this.colours = paletteOf(this.box);
    this.arrivals = new Arrivals(this.play, {
      total: () => this.data?.playback?.prices.length ?? 0,
      draw: () => this.draw(),
      opened: () => {
        this.online.hidden = false; // only what is there can be measured
        this.measure();
      },
    });
    this.showOrder = switches(root, (_, order) => this.set({ order: order === "price" ? order : "arrival" }));
    saveMenus(root, (name, format) => {
      if (this.data) saveFigure(name, format, this.#shown(this.data), this.#sizes);
    });
    this.#listen();
  }

  #listen() {
    const { bar, queue } = this;
    bar.addEventListener("input", () => this.set({ budget: this.data?.table.places[Number(bar.value)] ?? 0 }, false));
    bar.addEventListener("change", () => this.tell());
    queue.addEventListener("pointermove", (event) => this.set({ query: this.#queryAt(event) }, false));
    queue.addEventListener("click", () => this.tell());
    queue.addEventListener("keydown", (event) => this.#step(event));
  }

  /**
   * Called by Streamlit at first and after every run of the script.
   * @param {AllocationData} data
   * @param {Send} send
   */
  update(data, send) {
    this.send = send;
    if (data.id !== this.data?.id) this.#opened(data);
    this.data = data;
    this.colours = paletteOf(this.box);
    this.box.style.setProperty("--ca-waste", this.colours.waste);
    this.resized();
  }

  /** @param {AllocationData} data */
  #opened({ table, view }) {
    this.arrivals.forget();
    this.view = { ...view, query: Math.min(view.query, table.queries.length - 1) };
    const arrival = table.queries.map((_, i) => i);
    this.#orders = { arrival, price: arrival.toSorted((a, b) => table.choke[b] - table.choke[a] || a - b) };
    this.#ends = { tallest: tallestOf(table), steepest: 1.15 * Math.max(...table.points.clearing.slice(2)) };
    this.bar.max = String(table.places.length - 1);
  }

  measure() {
    for (const name of NAMES) {
      const { clientWidth: width, clientHeight: height } = this.$(`canvas.${name}`);
      this.#sizes[name] = { width, height };
    }
  }

  /**
   * Every change of the view ends here.
   * @param {Partial<AllocationView>} change
   * @param {boolean} [isDone] Whether a choice is over (released), worth telling the server.
   */
  set(change, isDone = true) {
    const now = { ...this.view, ...change };
    const { budget, query, order } = this.view;
    if (now.budget === budget && now.query === query && now.order === order) return;
    if (now.budget !== budget) this.arrivals.stop();
    this.view = now;
    this.draw();
    if (isDone) this.tell();
  }

  tell() {
    this.tellSoon(() => ({ ...this.view }));
  }

  get order() {
    return this.#orders[this.view.order];
  }

  /** @param {MouseEvent} event */
  #queryAt(event) {
    const box = this.queue.getBoundingClientRect();
    const place = Math.floor(((event.clientX - box.left) / box.width) * this.order.length);
    return this.order[Math.max(0, Math.min(this.order.length - 1, place))];
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const place = stepped(event.key, this.order.indexOf(this.view.query), this.order.length - 1);
    if (place === null) return;
    event.preventDefault();
    this.set({ query: this.order[place] });
  }

  /**
   * All that a picture needs.
   * @param {AllocationData} data
   * @returns {Shown}
   */
  #shown(data) {
    const { view, order, colours } = this;
    const now = nowAt(data.table, this.#stop(data.table));
    return { table: data.table, data, view, now, order, colours, ...this.#ends, arrived: this.arrivals.at };
  }

  /**
   * Which of the computed budgets is shown: the one that the bar stands on.
   * @param {MarketTable} table
   */
  #stop({ places }) {
    return Math.max(0, places.indexOf(this.view.budget));
  }

  draw() {
    const { data, view } = this;
    if (!data || !this.#sizes.queue?.width) return;
    const shown = this.#shown(data);
    this.#showBar(shown);
    this.play.hidden = data.playback?.budget !== view.budget; // recorded at the budget that was let go
    this.showOrder(view);
    this.facts.draw(shown);
    for (const name of NAMES.slice(0, 3)) this.#paint(name, shown);
    this.#words(shown);
    this.#showArrivals(shown);
    this.box.dataset.budget = String(view.budget);
    this.drawn();
  }

  /** The first page's canvas, if there is one, has done its work. */
  drawn() {
    succeed(this);
  }

  /** @param {Placed} before */
  inherit(before) {
    if (before instanceof Allocation) this.arrivals.goOn(before.arrivals);
  }

  /** What is shown, by its name. */
  get spec() {
    return this.data;
  }

  /** @param {Shown} shown */
  #showBar(shown) {
    const { table, data, now } = shown;
    const n = table.queries.length;
    const stop = this.#stop(table);
    if (Number(this.bar.value) !== stop) this.bar.value = String(stop);
    const budget = amount(shown, now.budget);
    write(this.$(".budget"), budget);
    write(this.$(".mean"), `${number(now.budget / n, 3)} per query, ${n} queries`);
    const computed = `Stop ${stop + 1} of ${table.places.length}: each is computed by the library`;
    write(this.$(".exact"), `${computed}, and nothing in between is interpolated. ${data.note}`);
    const said = `${budget}, price ${number(now.price)}, ${now.abandoned} abandoned`;
    this.bar.setAttribute("aria-valuetext", said);
  }

  /**
   * @param {PictureName} name
   * @param {Shown} shown
   */
  #paint(name, shown) {
    const size = this.#sizes[name];
    if (!size) return;
    const canvas = find(this.root, `canvas.${name}`, HTMLCanvasElement);
    PICTURES[name](sheet(canvas, size), size.width, size.height, shown);
  }

  /**
   * The pictures in words.
   * @param {Shown} shown
   */
  #words(shown) {
    const { query } = shown.view;
    const name = shown.table.queries[query];
    const spend = shown.now.spends[query];
    const words = `${name}: ${spend > 0 ? `${amount(shown, spend)}, ` : ""}${why(shown, query)}.`;
    write(this.$(".why"), words);
    this.queue.setAttribute("aria-valuemin", "1");
    this.queue.setAttribute("aria-valuemax", String(this.order.length));
    this.queue.setAttribute("aria-valuenow", String(this.order.indexOf(query) + 1));
    this.queue.setAttribute("aria-valuetext", words);
    write(this.$(".who"), `Curve of ${name}`);
    write(this.$(".marketnote"), marketNote(shown));
    write(this.$(".curvenote"), curveNote(shown));
  }

  /** @param {Shown} shown */
  #showArrivals(shown) {
    const { playback } = shown.data;
    this.online.hidden = shown.arrived === null || !playback;
    if (shown.arrived === null || !playback) return;
    this.#paint("playback", shown);
    write(this.$(".progress"), `${shown.arrived} of ${playback.prices.length} arrived`);
    write(this.$(".playnote"), playbackNote(shown, playback));
  }

  dispose() {
    super.dispose();
    this.arrivals.forget();
  }
}

export { Allocation as Canvas };
export const mount = mounting(Allocation);
