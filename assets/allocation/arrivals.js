// Arrivals played one after the other: a clock that says how many are there.

const PLAY_MS = 6000;

export class Arrivals {
  /**
   * How many have arrived; null while nothing is played.
   * @type {number | null}
   */
  at = null;
  #frame = 0;
  #started = 0;

  /**
   * @param {HTMLElement} button
   * @param {{ total: () => number, draw: () => void, opened: () => void }} on
   */
  constructor(button, on) {
    this.button = button;
    this.on = on;
    button.addEventListener("click", () => (this.at === null ? this.#play() : this.stop()));
  }

  /**
   * Plays on from where other arrivals are.
   * @param {Arrivals} other
   */
  goOn(other) {
    if (other.at !== null) this.#play(other.#started);
  }

  #play(started = performance.now()) {
    this.#started = started;
    const total = this.on.total();
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.at = 0;
    this.button.textContent = "■ Stop";
    this.on.opened();
    /** @param {number} time */
    const frame = (time) => {
      const share = isCalm ? 1 : Math.max(0, time - started) / PLAY_MS;
      this.at = Math.min(total, Math.ceil(share * total));
      this.on.draw();
      if (this.at < total) this.#frame = requestAnimationFrame(frame);
      else this.button.textContent = "↺ Back";
    };
    this.#frame = requestAnimationFrame(frame);
  }

  stop() {
    if (this.at === null) return;
    this.forget();
    this.on.draw();
  }

  /** Stops without drawing: what was played is not there any more. */
  forget() {
    cancelAnimationFrame(this.#frame);
    this.at = null;
    this.button.textContent = "▶ Play arrivals";
  }
}
