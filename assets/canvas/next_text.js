// The text that is being typed beside the canvas: asked for while typing rests, so that its picture is there when it is
// wanted. The fields are Streamlit's; where there are none, nothing happens.

/** @import { Feed } from "../shared/feed.js" */

const TYPING_MS = 250; // no key for so long: worth a pass
const FIELDS = ["text", "pair"]; // keys of the widgets, and what they are called in a request

/** @param {string} name */
const selector = (name) => `.st-key-${name} textarea`;

export class NextText {
  #waiting = 0;

  /** @param {Feed} feed */
  constructor(feed) {
    this.feed = feed;
    document.addEventListener("input", this);
  }

  /** @param {Event} event */
  handleEvent({ target }) {
    if (!(target instanceof HTMLTextAreaElement) || !FIELDS.some((name) => target.matches(selector(name)))) return;
    this.feed.drop();
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#ask(), TYPING_MS);
  }

  #ask() {
    const { url = "", body = null } = this.feed.spec?.live ?? {};
    if (!body) return;
    const typed = Object.fromEntries(FIELDS.map((name) => [name, typedIn(name) ?? body[name]]));
    const isOther = FIELDS.some((name) => typed[name] !== body[name]);
    if (isOther && String(typed.text).trim()) this.feed.prepare({ url, body: { ...body, ...typed } });
  }

  dispose() {
    document.removeEventListener("input", this);
    clearTimeout(this.#waiting);
  }
}

/** @param {string} name */
function typedIn(name) {
  const field = document.querySelector(selector(name));
  return field instanceof HTMLTextAreaElement ? field.value : null;
}
