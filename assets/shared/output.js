// The model's answer at a budget, as elements; the mark on each bar is the answer at full budget.
// Text that comes from a model or a person enters as text nodes only.

import { answerBoxes, outputSentence, scoreRange } from "./answers.js";
import { make, write } from "./dom.js";
import { number, unknownNote } from "./words.js";

/** @import { Frame } from "./types.js" */
/** @import { AnswerBox } from "./answers.js" */
/** @import { Store } from "./store.js" */

/** @param {number} share */
const inside = (share) => 100 * Math.max(0, Math.min(1, share));

class Answer {
  box = make("div", "answer");
  #label = make("span");
  #number = make("span");
  #fill = make("div", "fill");
  #mark = make("div", "mark");

  constructor() {
    const head = make("div", "name");
    const track = make("div", "track");
    this.#mark.title = "at full budget";
    head.append(this.#label, this.#number);
    track.append(this.#fill, this.#mark);
    this.box.append(head, track);
  }

  /** @param {AnswerBox} shown */
  show([name, value, share, fullShare, isAnswer]) {
    this.box.classList.toggle("best", isAnswer);
    write(this.#label, name);
    write(this.#number, value);
    this.#fill.style.width = `${inside(share)}%`;
    this.#mark.hidden = fullShare === null;
    if (fullShare !== null) this.#mark.style.left = `calc(${inside(fullShare)}% - 1px)`;
  }
}

export class Output {
  /** @type {Answer[]} */
  #answers = [];

  /**
   * @param {HTMLElement} answers
   * @param {HTMLElement} verdict
   */
  constructor(answers, verdict) {
    this.answers = answers;
    this.verdict = verdict;
  }

  /** @param {boolean} isHidden */
  set hidden(isHidden) {
    this.answers.hidden = isHidden;
    this.verdict.hidden = isHidden;
  }

  /**
   * @param {Store} store
   * @param {Frame | null | undefined} frame
   */
  show(store, frame) {
    const { open, full } = store;
    const shown = frame ?? full;
    const boxes = answerBoxes(open, full, shown);
    const [low, high] = scoreRange(full, shown);
    const range = `The bar goes from ${number(low, 1)} to ${number(high, 1)}.`;
    const title = open.output === "regression" ? range : "";
    if (this.answers.title !== title) this.answers.title = title;
    if (this.#answers.length !== boxes.length) {
      this.#answers = boxes.map((_, i) => this.#answers[i] ?? new Answer());
      this.answers.replaceChildren(...this.#answers.map((answer) => answer.box));
    }
    boxes.forEach((box, i) => {
      this.#answers[i].show(box);
    });
    this.answers.style.opacity = frame ? "1" : "0.45";
    if (this.verdict.classList.contains("flipped") !== Boolean(frame?.flipped)) this.say(store, frame);
  }

  /**
   * @param {Store} store
   * @param {Frame | null | undefined} frame
   */
  say(store, frame) {
    write(this.verdict, [outputSentence(store, frame), unknownNote(store)].filter(Boolean).join(" "));
    this.verdict.classList.toggle("flipped", Boolean(frame?.flipped));
  }
}
