// What to take within the limit that was asked for, above the plot.

import { find, write } from "../shared/dom.js";

/** @import { Answer } from "./types.js" */

/**
 * @param {HTMLElement} box
 * @param {Answer | null} answer
 */
export function sayAnswer(box, answer) {
  box.hidden = !answer;
  if (!answer) return;
  box.classList.toggle("none", !answer.fits);
  for (const name of /** @type {const} */ (["question", "first", "more"])) write(find(box, `.${name}`), answer[name]);
}
