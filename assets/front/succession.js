// The live canvas on the first page, and how Streamlit's canvas takes its place: with the same picture at the same
// spot, and with what a person has chosen meanwhile.

/** @import { Placed } from "../shared/types.js" */

/**
 * The canvas, what is removed with it, its view when it had first drawn, and whether a pointer holds something on it.
 * @typedef {{
 *   canvas: Placed, host: HTMLElement, opened: object | null, isHeld: boolean, ended: () => void,
 * }} First
 */

const FOCUSABLE = "input, select, button, canvas";

/** @type {First | null} */
let first = null;
/** @type {Placed | null} Who waits until the pointer lets go. */
let next = null;

/** Frames that the page may still take to give the next one its place: its style sheet comes as a part of its own. */
let frames = 120;
let isWaiting = false;

/**
 * Notes a canvas as the first.
 * @param {Placed} canvas
 * @param {HTMLElement} host What is removed with it.
 * @param {{ drawn: () => void, painted: () => void, ended: () => void }} events Called when it has drawn, when that is
 *   on the screen, and when it goes.
 */
export function comeFirst(canvas, host, { drawn, painted, ended }) {
  first = { canvas, host, opened: null, isHeld: false, ended };
  canvas.drawn = () => {
    if (!first || first.opened) return;
    first.opened = { ...canvas.view };
    drawn();
    requestAnimationFrame(() => setTimeout(painted));
  };
  host.addEventListener("pointerdown", () => {
    if (first) first.isHeld = true;
  });
  const letGo = () => {
    if (!first) return;
    first.isHeld = false;
    if (next) succeed(next);
  };
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, letGo);
}

/**
 * Called by a canvas that has drawn: if another came first, this one takes its place, unless that is being dragged.
 * @param {Placed} canvas
 */
export function succeed(canvas) {
  if (!first || first.canvas === canvas) return;
  next = canvas;
  if (first.isHeld) return;
  if (frames && !standsAlike(first.canvas.root, canvas.root)) return succeedLater();
  const gone = first;
  const { canvas: before, host, opened } = gone;
  const focused = placeOfFocus(before.root);
  const scrolled = host.scrollTop;
  first = null; // what is set now is drawn at once
  if (before.spec?.id === canvas.spec?.id) {
    const chosen = changes(opened ?? before.view, before.view);
    if (chosen.length) canvas.set(Object.fromEntries(chosen));
    canvas.inherit?.(before);
  }
  unfold(before.root, canvas.root);
  end(gone);
  document.querySelector('[data-testid="stMain"]')?.scrollTo(0, scrolled);
  requestAnimationFrame(() => {
    host.remove();
    const focusable = canvas.root.querySelectorAll(FOCUSABLE)[focused];
    if (focusable instanceof HTMLElement) focusable.focus();
  });
}

function succeedLater() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    frames -= 1;
    if (next) succeed(next);
  });
}

/**
 * Whether one canvas stands where another one does, from left to right.
 * @param {ParentNode} one
 * @param {ParentNode} other
 */
function standsAlike(one, other) {
  const [a, b] = [one, other].map((root) => (root instanceof ShadowRoot ? root.host.getBoundingClientRect() : null));
  return !a || !b || (Math.abs(a.left - b.left) < 1 && Math.abs(a.width - b.width) < 1);
}

/** Removes the first canvas where nothing takes its place. */
export function abandon() {
  const gone = first;
  first = null;
  if (!gone) return;
  end(gone);
  gone.host.remove();
}

/** @param {First} gone */
function end({ canvas, ended }) {
  canvas.dispose();
  ended();
}

/**
 * Opens in one canvas what is open in another.
 * @param {ParentNode} before
 * @param {ParentNode} now
 */
function unfold(before, now) {
  const folds = now.querySelectorAll("details");
  before.querySelectorAll("details").forEach(({ open }, i) => {
    if (folds[i]) folds[i].open = open;
  });
}

/** @param {ParentNode} root */
function placeOfFocus(root) {
  const active = root instanceof ShadowRoot ? root.activeElement : null;
  return active ? [...root.querySelectorAll(FOCUSABLE)].indexOf(active) : -1;
}

/**
 * What stands in an object that did not stand in an earlier one.
 * @param {object} before
 * @param {object} now
 */
function changes(before, now) {
  const was = new Map(Object.entries(before));
  return Object.entries(now).filter(([name, value]) => value !== was.get(name));
}
