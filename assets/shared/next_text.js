// The text that is being typed beside the canvas. While typing rests it is asked for, so that its picture is there when
// it is wanted; once it is entered its picture is shown, before the server has said that it is to be. The fields are
// Streamlit's; where there are none, nothing happens.

/** @import { Feed } from "./feed.js" */
/** @import { Source } from "./types.js" */

/**
 * @typedef Page
 * @property {{ error: string | null, n_entered: number } | null} spec What the server said last.
 * @property {Feed[]} feeds Those that show the text.
 * @property {() => void} entered Another text will be shown at once.
 */

const TYPING_MS = 250; // no key for so long: worth a pass
const FIELDS = ["text", "pair"]; // what they are called in a request; the keys of the widgets end with it
const EVENTS = ["input", "keydown", "focusout"];

export class NextText {
  #waiting = 0;
  /** Whether something was typed that Streamlit has not been given. */
  #isTyped = false;

  /**
   * @param {Page} page
   * @param {string} [prefix] Of the keys of the widgets.
   */
  constructor(page, prefix = "") {
    this.page = page;
    this.selectors = FIELDS.map((name) => prefix + name).map((key) => {
      return `:is(.st-key-${key}, [class*="st-key-${key}-"]) textarea`; // "-2": the page filled it in twice itself
    });
    for (const kind of EVENTS) document.addEventListener(kind, this);
  }

  /** @param {Event} event */
  handleEvent(event) {
    const { target } = event;
    if (!(target instanceof HTMLTextAreaElement) || !this.selectors.some((one) => target.matches(one))) return;
    if (event.type === "input") this.#typed();
    else if (this.#isTyped && isEntering(event)) this.#entered();
  }

  #typed() {
    this.#isTyped = true;
    for (const feed of this.page.feeds) feed.drop();
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      for (const feed of this.page.feeds) {
        const source = this.#sourceFor(feed);
        if (source) feed.prepare(source);
      }
    }, TYPING_MS);
  }

  #entered() {
    const { page } = this;
    const { spec, feeds } = page;
    this.#isTyped = false;
    clearTimeout(this.#waiting);
    if (!spec || spec.error) return; // what is shown is not what the fields beside it are for
    const sources = feeds.map((feed) => this.#sourceFor(feed));
    if (sources.some(Boolean)) page.entered();
    feeds.forEach((feed, i) => {
      const source = sources[i];
      if (source) feed.early.show(source, spec.n_entered);
    });
  }

  /**
   * What is typed, as a feed would ask for it; null if it is what it asks for already, or nothing at all.
   * @param {Feed} feed
   * @returns {Source | null}
   */
  #sourceFor({ spec }) {
    const { url = "", body = null } = spec?.live ?? {};
    if (!body) return null;
    const typed = Object.fromEntries(FIELDS.map((name, i) => [name, typedIn(this.selectors[i]) ?? body[name]]));
    const isOther = FIELDS.some((name) => typed[name] !== body[name]);
    return isOther && String(typed.text).trim() ? { url, body: { ...body, ...typed } } : null;
  }

  dispose() {
    for (const kind of EVENTS) document.removeEventListener(kind, this);
    clearTimeout(this.#waiting);
  }
}

/**
 * Whether Streamlit takes what is typed: on Ctrl+Enter, on Cmd+Enter, and once the field is left.
 * @param {Event} event
 */
const isEntering = (event) =>
  event.type === "focusout" ||
  (event instanceof KeyboardEvent && event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing);

/** @param {string} selector */
function typedIn(selector) {
  const field = document.querySelector(selector);
  return field instanceof HTMLTextAreaElement ? field.value : null;
}
