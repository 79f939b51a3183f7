// What is known of the chosen point, beside it, with doors to other pages.

import { find, make } from "../shared/dom.js";
import { linesOf } from "./plotly.js";

/** @import { Plotted } from "./types.js" */
/** @import { Inside } from "./overlay.js" */

export class Card {
  #shown = "";

  /**
   * @param {HTMLElement} stage
   * @param {{ close: () => void, go: (to: "attention" | "compare") => void }} on
   */
  constructor(stage, on) {
    this.stage = stage;
    this.element = find(stage, ".card");
    this.close = find(stage, ".close", HTMLButtonElement);
    this.who = find(stage, ".who");
    this.lines = find(stage, ".card .lines");
    this.export = find(stage, ".card .export");
    this.command = find(stage, ".card code");
    this.open = find(stage, ".open");
    this.compare = find(stage, ".compare");
    this.close.addEventListener("click", on.close);
    this.open.addEventListener("click", () => on.go("attention"));
    this.compare.addEventListener("click", () => on.go("compare"));
  }

  hide() {
    this.element.hidden = true;
  }

  /**
   * @param {string} key
   * @param {Plotted} place
   * @param {[attention: boolean, compare: boolean]} doors
   * @param {string} command Of a size of an elastic checkpoint; "" for none.
   */
  show(key, { hover }, [attention, compare], command) {
    this.element.hidden = false;
    if (this.#shown === key + hover) return;
    this.#shown = key + hover;
    const [who, ...lines] = linesOf(hover);
    this.who.textContent = who;
    this.lines.replaceChildren(...lines.map((line) => make("p", "", line)));
    this.export.hidden = !command;
    this.command.textContent = command;
    this.open.hidden = !attention;
    this.compare.hidden = !compare;
  }

  /**
   * Stands beside a place, inside the stage.
   * @param {[x: number, y: number]} at In pixels.
   * @param {Inside} box
   */
  place([x, y], box) {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const { offsetWidth: wide, offsetHeight: tall, style } = this.element;
    style.left = `${Math.max(box.left, x + 20 + wide < width ? x + 20 : x - 20 - wide)}px`;
    style.top = `${Math.max(0, Math.min(y + 20, height - tall - 4))}px`;
  }
}
