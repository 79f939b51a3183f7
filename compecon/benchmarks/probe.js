// Measures the page from inside. Added after frames.js and before the page's own code; listens, and calls nothing of
// the page's.
(() => {
  const { painted, drags } = window.compeconFrames;

  // ---- the canvas, wherever its shadow root is
  /**
   * @param {ParentNode} root
   * @returns {HTMLElement | null}
   */
  const search = (root) => {
    for (const { shadowRoot } of root.querySelectorAll("*")) {
      const found = shadowRoot && (shadowRoot.querySelector(".cc") ?? search(shadowRoot));
      if (found instanceof HTMLElement) return found;
    }
    return null;
  };
  /** @type {HTMLElement | null} */
  let held = null;
  const canvas = () => {
    if (!held?.isConnected) held = search(document);
    return held;
  };
  /** @param {string} selector */
  const text = (selector) => canvas()?.querySelector(selector)?.textContent ?? null;
  const chips = () => [...(canvas()?.querySelectorAll(".chip") ?? [])];
  const tokens = () =>
    chips()
      .map((chip) => chip.textContent)
      .join("\n");
  const badge = () => canvas()?.querySelector(".badge")?.getAttribute("data-kind") ?? null;

  /** @type {import("./types.js").Bench} */
  const bench = {
    ...window.compeconFrames,
    canvas,
    messages: [],
    requests: [],
    addressed: [],
    sent: [],
    moves: [],
    texts: [],
    shown: null,

    /** Whether the heatmap shows an attention matrix: several colours, not an empty sheet. */
    hasPicture() {
      const heatmap = canvas()?.dataset.k && canvas()?.querySelector("canvas.heatmap");
      if (!(heatmap instanceof HTMLCanvasElement) || !heatmap.width) return false;
      const image = heatmap.getContext("2d")?.getImageData(0, 0, heatmap.width, heatmap.height);
      const pixels = new Uint32Array(image?.data.buffer ?? new ArrayBuffer(0));
      const seen = new Set();
      for (let i = 0; i < pixels.length && seen.size < 8; i += 7) seen.add(pixels[i]);
      return seen.size >= 8;
    },

    /** A bare range input with one line of text: what a drag costs in this browser when nothing is drawn. */
    addFloor() {
      const range = document.createElement("input");
      const said = document.createElement("output");
      Object.assign(range, { type: "range", min: "0", max: "63", id: "bench-floor" });
      Object.assign(range.style, { position: "fixed", left: "5%", bottom: "4px", width: "90%", zIndex: "1000000" });
      Object.assign(said.style, { position: "fixed", left: "5%", bottom: "30px", zIndex: "1000000" });
      range.addEventListener("input", () => {
        said.textContent = range.value;
      });
      document.body.append(range, said);
    },
  };
  window.compeconBench = bench;

  // The first frame with a picture: ours, or the yardstick's.
  const look = () => {
    if (!bench.hasPicture() && !document.querySelector("#vis svg line")) return requestAnimationFrame(look);
    return painted().then((at) => {
      bench.shown = at;
    });
  };
  requestAnimationFrame(look);

  // ---- what arrives: the header of every message of the page's stream goes through JSON.parse
  const { parse } = JSON;
  /** @type {Record<string, number>} */
  const BYTES = { float16: 2, float32: 4, uint8: 1 };
  /** @param {{ dtype: string, shape: number[] }} array */
  const bytesOf = ({ dtype, shape }) => BYTES[dtype] * shape.reduce((a, b) => a * b, 1);
  JSON.parse = (source, reviver) => {
    const value = parse(source, reviver);
    if (value?.kind && value.arrays) {
      const { kind, k = null, grid = null, arrays } = value;
      const bytes = arrays
        .map(bytesOf)
        .reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, source.length);
      bench.messages.push({ kind, k, grid, bytes, at: performance.now() });
    }
    return value;
  };
  const fetched = window.fetch;
  window.fetch = (target, options) => {
    if (String(target).includes("/compecon/sweep")) bench.requests.push(performance.now());
    return fetched.call(window, target, options);
  };

  // ---- what the server writes into the address bar at the end of a rerun
  const { pushState } = History.prototype;
  History.prototype.pushState = function (...address) {
    bench.addressed.push(performance.now());
    return pushState.apply(this, address);
  };

  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    bench.sent.push(performance.now());
    return send.call(this, data);
  };

  // ---- a drag: to the frame that shows the new budget
  const shown = () => ({ k: text(".k"), gini: text('[data-statistic="gini"] .now') });
  drags(shown, ({ target, ...times }, before) => {
    const isCanvas = target instanceof Element && target.id === "cc-k";
    const now = shown();
    bench.moves.push({
      target: isCanvas ? "canvas" : "floor",
      ...times,
      kind: badge(),
      changedK: now.k !== before.k,
      changedGini: now.gini !== before.gini,
    });
  });

  // ---- a new text: from Ctrl+Enter to the first frame that shows its tokens
  window.addEventListener(
    "keydown",
    ({ key, ctrlKey, timeStamp: start }) => {
      const watched = canvas();
      if (key !== "Enter" || !ctrlKey || !watched) return;
      const before = tokens();
      bench.messages.length = 0;
      bench.requests.length = 0;
      const watch = new MutationObserver(() => {
        if (tokens() === before || badge() === "busy") return;
        watch.disconnect();
        painted().then((at) => bench.texts.push({ start, shown: at }));
      });
      watch.observe(watched, { subtree: true, childList: true, attributes: true, characterData: true });
    },
    true,
  );
})();
