// The parts of the page that are elements, not pictures: answers, chips, the table of statistics, the tip.
// Text that comes from a model or a person enters as text nodes only.

import { answerBoxes, outputSentence, scoreRange } from "./answers.js";
import { css, inkOn, magnitude, shade } from "./scales.js";
import { MOVED, number, percent, STATISTICS } from "./words.js";

export const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

/** Writes a text where it differs: an equal one would still cost a layout. */
export const write = (element, text) => {
  if (element.firstChild?.data !== text) element.textContent = text;
};

const ROWS = ["gini", "entropy", "effective_number", "top_share_10", "gini_inside"];

/** Two rows a statistic: its numbers, and one sentence. */
export function buildStatistics(table, list) {
  const body = table.tBodies[0];
  body.replaceChildren();
  const cells = ROWS.map((name) => {
    const row = make("tr", "value");
    const label = make("th", "", STATISTICS[name].label);
    const full = make("td");
    const now = make("td", "now");
    const say = make("td", "say");
    label.scope = "row";
    row.dataset.statistic = name;
    row.append(label, full, now);
    say.colSpan = 3;
    const sayRow = make("tr");
    sayRow.append(say);
    body.append(row, sayRow);
    return { name, full, now, say };
  });
  list.replaceChildren(
    ...Object.values(STATISTICS)
      .concat(MOVED)
      .flatMap((s) => [make("dt", "", s.label), make("dd", "", s.how)]),
  );
  return cells;
}

/** With `missing`, there are no numbers and the pictures say why; the lines stay, so that the page does not jump. */
export function updateStatistics(cells, full, now, { unit, n, missing }) {
  for (const { name, full: fullCell, now: nowCell, say } of cells) {
    const { format, say: sentence } = STATISTICS[name];
    write(fullCell, full ? format(full[name], unit) : "—");
    write(nowCell, now ? format(now[name], unit) : "—");
    write(
      say,
      now && !Number.isNaN(now[name])
        ? sentence(now[name], n, now)
        : missing
          ? "\u00a0"
          : "Nothing but special tokens was read here.",
    );
  }
}

export function buildChips(list, open, on) {
  list.replaceChildren(
    ...open.tokens.map((token, i) => {
      const chip = make("span", `chip${open.joined[i] ? " joined" : ""}${open.special[i] ? " special" : ""}`, token);
      chip.setAttribute("role", "listitem");
      chip.addEventListener("pointerenter", (event) => on.hover(i, event));
      chip.addEventListener("pointerleave", on.leave);
      chip.addEventListener("click", () => on.pin(i));
      return chip;
    }),
  );
  return [...list.children];
}

/** The largest share. */
export function largest(shares) {
  let most = 0;
  for (const s of shares) if (s > most) most = s;
  return most;
}

/** Colour of a token by its part of the largest share shown. */
export function chipColours(shares, colours, most = largest(shares)) {
  const ramp = magnitude(colours.dark);
  return Array.from(shares, (s) => ramp[most > 0 && !Number.isNaN(s) ? shade((s / most) * (s / most)) : 0]); // squared: shade takes a root
}

export function updateChips(chips, shares, colours, pinned) {
  paintChips(chips, chipColours(shares, colours), (i) => i === pinned);
}

/** Gives chips their packed colours, and those that are pinned their outline. */
export function paintChips(chips, packedColours, isPinned) {
  packedColours.forEach((packed, i) => {
    const chip = chips[i];
    const pinned = isPinned(i);
    if (chip.packed !== packed) {
      chip.packed = packed;
      chip.style.backgroundColor = css(packed);
      chip.style.color = inkOn(packed);
    }
    if (chip.classList.contains("pinned") !== pinned) chip.classList.toggle("pinned", pinned);
  });
}

function answer(box, [name, value, share, fullShare, best]) {
  const { label, number, fill, mark } = box.parts;
  box.classList.toggle("best", best);
  write(label, name);
  write(number, value);
  fill.style.width = `${100 * Math.max(0, Math.min(1, share))}%`;
  mark.hidden = fullShare === null;
  if (fullShare !== null) mark.style.left = `calc(${100 * Math.max(0, Math.min(1, fullShare))}% - 1px)`;
}

function answerBox() {
  const box = make("div", "answer");
  const head = make("div", "name");
  const track = make("div", "track");
  const parts = { label: make("span"), number: make("span"), fill: make("div", "fill"), mark: make("div", "mark") };
  parts.mark.title = "at full budget";
  head.append(parts.label, parts.number);
  track.append(parts.fill, parts.mark);
  box.append(head, track);
  box.parts = parts;
  return box;
}

/** The model's answer at a budget; the mark on each bar is the full-budget answer. */
export function updateOutput({ answers, verdict }, store, frame) {
  const { open, full } = store;
  const shown = frame ?? full;
  const boxes = answerBoxes(open, full, shown);
  const range = open.output === "regression" && scoreRange(full, shown);
  answers.title = range ? `The bar goes from ${number(range[0], 1)} to ${number(range[1], 1)}.` : "";
  while (answers.children.length > boxes.length) answers.lastChild.remove();
  boxes.forEach((one, i) => answer(answers.children[i] ?? answers.appendChild(answerBox()), one));
  answers.style.opacity = frame ? 1 : 0.45;
  write(verdict, outputSentence(store, frame));
  verdict.classList.toggle("flipped", Boolean(frame?.flipped));
}

/** Rank of a value among others, 1 is the largest. */
export const rankOf = (shares, i) => 1 + shares.filter((s) => s > shares[i]).length;
export { percent };
