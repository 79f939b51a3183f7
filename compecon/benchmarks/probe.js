// Measures the page from inside. Added before the page's own code; listens, and calls nothing of the page's.
(() => {
  const bench = (window.compeconBench = { messages: [], requests: [], sent: [], moves: [], texts: [], shown: null });

  // ---- when a frame is made: the turn after the animation frame, once style, layout and paint are done
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => waiting.shift()();
  const painted = (call) =>
    requestAnimationFrame(() => {
      waiting.push(call);
      channel.port2.postMessage(0);
    });
  bench.painted = () => new Promise((done) => painted(() => done(performance.now())));

  // ---- the canvas, wherever its shadow root is
  let held = null;
  const search = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const found = element.shadowRoot && (element.shadowRoot.querySelector(".cc") ?? search(element.shadowRoot));
      if (found) return found;
    }
    return null;
  };
  bench.canvas = () => (held?.isConnected ? held : (held = search(document)));
  const text = (selector) => bench.canvas()?.querySelector(selector)?.textContent ?? null;
  const tokens = () =>
    Array.from(bench.canvas()?.querySelectorAll(".chip") ?? [], (chip) => chip.textContent).join("\n");
  const badge = () => bench.canvas()?.querySelector(".badge")?.dataset.kind ?? null;

  /** Whether the heatmap shows an attention matrix: several colours, not an empty sheet. */
  bench.hasPicture = () => {
    const canvas = bench.canvas();
    const heatmap = canvas?.dataset.k && canvas.querySelector("canvas.heatmap");
    if (!heatmap?.width) return false;
    const { data } = heatmap.getContext("2d").getImageData(0, 0, heatmap.width, heatmap.height);
    const pixels = new Uint32Array(data.buffer);
    const seen = new Set();
    for (let i = 0; i < pixels.length && seen.size < 8; i += 7) seen.add(pixels[i]);
    return seen.size >= 8;
  };

  // The first frame with a picture: ours, or the yardstick's.
  const look = () => {
    if (bench.hasPicture() || document.querySelector("#vis svg line"))
      bench.painted().then((at) => {
        bench.shown = at;
      });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);

  // ---- what arrives: the header of every message of the page's stream goes through JSON.parse
  const parse = JSON.parse;
  const BYTES = { float16: 2, float32: 4, uint8: 1 };
  JSON.parse = (source, reviver) => {
    const value = parse(source, reviver);
    if (value?.kind && value.arrays) {
      const bytes = value.arrays.reduce(
        (sum, { dtype, shape }) => sum + BYTES[dtype] * shape.reduce((a, b) => a * b, 1),
        source.length,
      );
      bench.messages.push({
        kind: value.kind,
        k: value.k ?? null,
        grid: value.grid ?? null,
        bytes,
        at: performance.now(),
      });
    }
    return value;
  };
  const fetched = window.fetch;
  window.fetch = (target, options) => {
    if (String(target).includes("/compecon/sweep")) bench.requests.push(performance.now());
    return fetched.call(window, target, options);
  };

  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    bench.sent.push(performance.now());
    return send.call(this, data);
  };

  // ---- a drag: from the pointer's own time stamp to the frame that shows the new budget
  let move = null;
  window.addEventListener(
    "pointermove",
    (event) => {
      const merged = (event.getCoalescedEvents?.().length ?? 1) > 1; // several moves that waited for one frame
      move = event.buttons === 1 ? { start: event.timeStamp, delivered: performance.now(), merged } : null;
    },
    true,
  );
  window.addEventListener(
    "input",
    () => {
      if (!move) return;
      Object.assign(move, {
        called: performance.now(),
        before: { k: text(".k"), gini: text('[data-statistic="gini"] .now') },
      });
    },
    true,
  );
  window.addEventListener("input", (event) => {
    if (!move?.called) return;
    const one = move;
    const onCanvas = event.composedPath()[0].id === "cc-k";
    one.returned = performance.now();
    move = null;
    painted(() => {
      const now = { k: text(".k"), gini: text('[data-statistic="gini"] .now') };
      bench.moves.push({
        target: onCanvas ? "canvas" : "floor",
        total: performance.now() - one.start,
        wait: one.delivered - one.start,
        handler: one.returned - one.called,
        kind: badge(),
        merged: one.merged,
        changedK: now.k !== one.before.k,
        changedGini: now.gini !== one.before.gini,
      });
    });
  });

  /** A bare range input with one line of text: what a drag costs in this browser when nothing is drawn. */
  bench.addFloor = () => {
    const range = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 63, id: "bench-floor" });
    const said = document.createElement("output");
    Object.assign(range.style, { position: "fixed", left: "5%", bottom: "4px", width: "90%", zIndex: 1e6 });
    Object.assign(said.style, { position: "fixed", left: "5%", bottom: "30px", zIndex: 1e6 });
    range.addEventListener("input", () => {
      said.textContent = range.value;
    });
    document.body.append(range, said);
  };

  // ---- a new text: from Ctrl+Enter to the first frame that shows its tokens
  window.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !event.ctrlKey) return;
      const before = tokens();
      const start = event.timeStamp;
      bench.messages.length = bench.requests.length = 0;
      const watch = new MutationObserver(() => {
        if (tokens() === before || badge() === "busy") return;
        watch.disconnect();
        painted(() => bench.texts.push({ start, shown: performance.now() }));
      });
      watch.observe(bench.canvas(), { subtree: true, childList: true, attributes: true, characterData: true });
    },
    true,
  );

  /** Milliseconds of a fixed loop: compares browsers and busy moments. */
  bench.calibrate = () => {
    const started = performance.now();
    let x = 0;
    for (let i = 0; i < 2e7; i++) x = (x * 1664525 + 1013904223) | 0;
    bench.sink = x;
    return performance.now() - started;
  };
})();
