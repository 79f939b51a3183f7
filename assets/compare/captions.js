// What stands above and below the pictures of A, B and A − B, and what they are called for those who hear them.

import { label, write } from "../shared/dom.js";
import { goneWord, number, removedNote } from "../shared/words.js";
import { flipsSentence } from "./words.js";

/** @import { PictureName } from "./align.js" */
/** @import { Figures } from "./figures.js" */
/** @import { Owner } from "./main.js" */

/** @type {PictureName[]} */
const NAMES = ["a", "b", "d"];

export class Captions {
  /**
   * @param {Owner} owner
   * @param {Figures} figures
   */
  constructor(owner, figures) {
    this.owner = owner;
    this.figures = figures;
  }

  draw() {
    const { owner } = this;
    const head = owner.controls.headName();
    this.#maps(head);
    for (const name of NAMES) write(owner.$(`.chips[data-side=${name}] h3`), this.#chips(name));
    for (const { name, store, isShown } of owner.sides) {
      const note = store && isShown ? removedNote(store).replace("; the others keep their positions", "") : "";
      write(owner.$(`.atlases [data-side=${name}] .note`), note);
    }
    const { both } = owner;
    write(owner.$(".atlases [data-side=d] .note"), this.#grid());
    write(owner.$(".scarcenote"), both ? flipsSentence(both.a.store, both.b.store) : "");
    this.#labels(head);
  }

  /** @param {string} head */
  #maps(head) {
    const { owner } = this;
    const [goneA, goneB] = owner.sides.map(({ isShown, store, place: { layer, head } }) =>
      isShown && store?.isRemoved(layer, head) ? ` · ${goneWord(store)}` : "",
    );
    const blinking = owner.both && owner.blink.shown;
    /** @type {(name: PictureName, text: string) => void} */
    const heading = (name, text) => write(owner.$(`.map[data-side=${name}] h3`), text);
    heading("a", blinking ? `Blinking, now ${blinking.toUpperCase()} · ${head}` : `A · ${head}${goneA}`);
    heading("b", `B · ${head}${goneB}`);
    heading("d", `A − B · ${head}`);
  }

  /** @param {PictureName} name */
  #chips(name) {
    const { owner, figures } = this;
    const { pinned } = owner.view;
    const token = pinned && figures.units.tokens(pinned.side)[pinned.token];
    const what = token ? `what “${token}” reads` : "attention each token receives";
    if (name === "d") {
      if (!owner.alignment?.units.length) return "";
      return figures.heatmaps.d.model?.missing || `A − B of ${what}`;
    }
    const { isShown, missing, letter } = owner[name];
    return isShown ? missing || `${letter}: ${what}` : "";
  }

  #grid() {
    const { both } = this.owner;
    if (!both) return "";
    const depth = both.a.store.nLayers === both.b.store.nLayers ? "" : "Rows: layers A|B by depth. ";
    return `${depth}${this.figures.atlases.d.model?.gone.size ? "Hatched: not in both." : ""}`;
  }

  /** @param {string} head */
  #labels(head) {
    const { owner, figures } = this;
    const [a, b] = owner.sides.map((side) => number(side.statistics()?.gini));
    for (const name of NAMES) {
      const who = name === "d" ? "A minus B" : owner[name].letter;
      const k = name === "d" ? owner.k : owner[name].k;
      const [map, heads] = [figures.heatmaps[name], figures.atlases[name]];
      label(map.canvas, map.absent || map.model?.missing || `${who}: attention of ${head} at ${k} keys`);
      const coloured = `all heads coloured by ${owner.view.statistic}; arrow keys move the selection`;
      label(heads.canvas, heads.absent || `${who}: ${coloured}, now ${head}`);
    }
    label(figures.lorenz.canvas, `Lorenz curves; Gini ${a} in A, ${b} in B`);
    label(figures.scarcity.canvas, `Output change against budget in A and B at ${owner.k} keys`);
  }
}
