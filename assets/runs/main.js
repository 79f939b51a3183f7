// The table of runs: a row opens its run, a heading sorts all of them, on the server. Streamlit's own table has to load
// and start a megabyte of scripts before it draws. Rows stay the same elements while they change each second, so that
// focus, a selection of text and what a screen reader has come to are kept.

import { succeed } from "../front/succession.js";
import { find, make, write } from "../shared/dom.js";
import { mounting } from "../shared/live_canvas.js";

/** @import { Placed, Send } from "../shared/types.js" */
/** @import { Column, Row, RunsData } from "./types.js" */

const FEW = 10; // rows that need no scrolling
const TITLE = "run"; // the column whose cells are the buttons
const PROGRESS = "progress";

/** @type {Record<string, (at: number, last: number) => number>} Keys that go from row to row. */
const STEPS = {
  ArrowDown: (at, last) => Math.min(at + 1, last),
  ArrowUp: (at) => Math.max(at - 1, 0),
  PageDown: (at, last) => Math.min(at + FEW, last),
  PageUp: (at) => Math.max(at - FEW, 0),
  Home: () => 0,
  End: (_, last) => last,
};

class RunTable {
  /** @type {RunsData | null} */
  data = null;
  /** @type {Send} */
  trigger = () => {};
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();

  /** @param {HTMLElement | ShadowRoot} root */
  constructor(root) {
    this.root = root;
    this.box = find(root, ".cr");
    this.head = find(root, "thead tr");
    this.body = find(root, "tbody");
    this.body.addEventListener("click", (event) => this.#press(event));
    this.body.addEventListener("keydown", (event) => this.#step(event));
  }

  /**
   * @param {RunsData} data
   * @param {Send} _send
   * @param {Send} trigger
   */
  update(data, _send, trigger) {
    const isOther = data.chosen !== this.data?.chosen;
    this.data = data;
    this.trigger = trigger;
    this.#showHead(data);
    this.#showRows(data);
    this.#mark(data.chosen);
    if (isOther) this.#bring(data.chosen);
    this.drawn();
  }

  dispose() {}

  // ---- the list that comes first, and how this one takes its place

  view = {};
  spec = { id: "runs" };
  /** What was asked for last, for the one that takes this one's place. */
  #wish = ["", ""];

  set() {}

  warn() {}

  drawn() {
    succeed(this);
  }

  /** @param {Placed} before */
  inherit(before) {
    if (!(before instanceof RunTable)) return;
    this.box.scrollTop = before.box.scrollTop;
    const [name, value] = before.#wish;
    if (name) this.#ask(name, value);
    if (name === "open") this.#mark(value);
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  #ask(name, value) {
    this.#wish = [name, value];
    this.trigger(name, value);
  }

  /** @param {RunsData} data */
  #showHead({ columns, sort }) {
    if (!this.head.childElementCount) this.head.append(...columns.map((column) => this.#heading(column)));
    columns.forEach(({ name }, i) => {
      const heading = this.head.children[i];
      heading.ariaSort = sort === name ? "ascending" : sort === `-${name}` ? "descending" : null;
    });
  }

  /** @param {Column} column */
  #heading({ name, title, help, isNumber }) {
    const heading = make("th", isNumber ? "number" : "");
    const button = make("button", "", title);
    heading.scope = "col";
    button.title = help;
    button.addEventListener("click", () => this.#sort(name));
    heading.append(button);
    return heading;
  }

  /**
   * Up, down, and as it was.
   * @param {string} name
   */
  #sort(name) {
    const sort = this.data?.sort;
    this.#ask("sort", sort === name ? `-${name}` : sort === `-${name}` ? "" : name);
    this.box.scrollTop = 0;
  }

  /** @param {RunsData} data */
  #showRows({ columns, rows }) {
    this.box.classList.toggle("short", rows.length <= FEW);
    const kept = new Map(rows.map((row) => [row.run, this.#rows.get(row.run) ?? this.#row(columns, row)]));
    for (const [run, row] of this.#rows) if (!kept.has(run)) row.remove();
    let at = this.body.firstElementChild;
    for (const row of kept.values()) {
      if (row === at) at = at.nextElementSibling;
      else this.body.insertBefore(row, at); // only what has another place: to move an element takes its focus
    }
    this.#rows = kept;
    for (const row of rows) this.#fill(columns, row);
  }

  /**
   * @param {Column[]} columns
   * @param {Row} row
   */
  #row(columns, { run }) {
    const element = make("tr");
    element.dataset.run = run;
    for (const { name, isNumber } of columns) {
      const cell = make("td", isNumber ? `${name} number` : name);
      if (name === TITLE) cell.append(make("button"));
      if (name === PROGRESS) cell.append(make("progress"), make("span"));
      element.append(cell);
    }
    return element;
  }

  /**
   * @param {Column[]} columns
   * @param {Row} row
   */
  #fill(columns, { run, progress, cells }) {
    const { cells: places } = /** @type {HTMLTableRowElement} */ (this.#rows.get(run));
    columns.forEach(({ name }, i) => {
      const place = places[i];
      const text = cells[i] ?? "";
      write(place.lastElementChild ?? place, text);
      if (place.title !== text && name !== PROGRESS) place.title = text; // it may be longer than its column
      const bar = name === PROGRESS && place.firstElementChild;
      if (!(bar instanceof HTMLProgressElement)) return;
      bar.hidden = progress === null;
      bar.value = progress ?? 0;
      bar.ariaLabel = text;
    });
  }

  // ---- choosing

  /** @param {string} run */
  #mark(run) {
    const first = this.#rows.has(run) ? run : this.data?.rows[0]?.run; // where Tab goes
    for (const [name, row] of this.#rows) {
      const button = find(row, "button");
      row.classList.toggle("chosen", name === run);
      button.ariaCurrent = name === run ? "true" : null;
      button.tabIndex = name === first ? 0 : -1;
    }
  }

  /** @param {string} run */
  #bring(run) {
    const row = this.#rows.get(run);
    if (!row) return;
    const { offsetTop: top, offsetHeight: height } = row;
    const { scrollTop, clientHeight } = this.box;
    const header = this.head.offsetHeight;
    if (top - header < scrollTop) this.box.scrollTop = top - header;
    else if (top + height > scrollTop + clientHeight) this.box.scrollTop = top + height - clientHeight;
  }

  /** @param {MouseEvent} event */
  #press({ target }) {
    const run = target instanceof Element ? target.closest("tr")?.dataset.run : "";
    if (!run || run === this.data?.chosen) return;
    this.#mark(run);
    this.#ask("open", run);
  }

  /** @param {KeyboardEvent} event */
  #step(event) {
    const step = STEPS[event.key];
    const row = event.target instanceof Element && event.target.closest("tr");
    if (!step || !row || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const rows = [...this.#rows.values()];
    find(rows[step(rows.indexOf(row), rows.length - 1)], "button").focus();
  }
}

export { RunTable as Canvas };
export const mount = mounting(RunTable);
