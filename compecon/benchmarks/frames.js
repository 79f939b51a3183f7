// When frames are made, and how long the steps of a drag take to be seen. Added before the page's own code; listens,
// and calls nothing of the page's.
(() => {
  const channel = new MessageChannel();
  /** @type {((at: number) => void)[]} */
  const waiting = [];
  const FRAME_MS = 1000 / 60;
  /** @type {number[]} */
  let stamps = [];
  let looking = 0;
  channel.port1.onmessage = () => waiting.shift()?.(performance.now());

  window.compeconFrames = {
    // the turn after the animation frame, once style, layout and paint are done
    painted: () =>
      new Promise((done) => {
        requestAnimationFrame(() => {
          waiting.push(done);
          channel.port2.postMessage(0);
        });
      }),

    drags: (before, record) => {
      /** @type {{ start: number, delivered: number, merged: boolean } | null} */
      let move = null;
      /** @type {{ at: number, before: ReturnType<typeof before> } | null} */
      let called = null;
      window.addEventListener(
        "pointermove",
        (event) => {
          const merged = event.getCoalescedEvents().length > 1;
          move = event.buttons === 1 ? { start: event.timeStamp, delivered: performance.now(), merged } : null;
          called = null;
        },
        true,
      );
      window.addEventListener(
        "input",
        () => {
          if (move) called = { at: performance.now(), before: before() };
        },
        true,
      );
      window.addEventListener("input", (event) => {
        if (!move || !called) return;
        const [one, began, returned] = [move, called, performance.now()];
        const [target] = event.composedPath();
        move = null;
        called = null;
        window.compeconFrames.painted().then((at) => {
          const { start, delivered, merged } = one;
          const times = { total: at - start, wait: delivered - start, handler: returned - began.at };
          record({ target, merged, ...times }, began.before);
        });
      });
    },

    watch: () => {
      stamps = [];
      const look = (/** @type {number} */ at) => {
        stamps.push(at);
        looking = requestAnimationFrame(look);
      };
      looking = requestAnimationFrame(look);
    },

    watched: () => {
      cancelAnimationFrame(looking);
      const missed = stamps.slice(1).map((at, i) => Math.max(0, Math.round((at - stamps[i]) / FRAME_MS) - 1));
      return [stamps.length, missed.reduce((a, b) => a + b, 0)];
    },

    calibrate: () => {
      const started = performance.now();
      let x = 0;
      for (let i = 0; i < 2e7; i++) x = (x * 1664525 + 1013904223) | 0;
      return performance.now() - started + 0 * x; // x is used, so that the loop stays
    },
  };
})();
