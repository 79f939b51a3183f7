// Evaluated in the Allocation page, after probe.js: from the pointer's own time stamp to the end of the frame (animation
// frame, then a message turn) that shows the new stop.
() => {
  const find = (root) => {
    for (const element of root.querySelectorAll("*")) {
      const found = element.shadowRoot && (element.shadowRoot.querySelector(".ca") ?? find(element.shadowRoot));
      if (found) return found;
    }
    return document.querySelector(".ca");
  };
  const canvas = find(document);
  const probe = (window.marketBench = { moves: [] });
  const shown = () => [canvas.dataset.budget, canvas.querySelector('[data-fact="abandoned"] b').textContent];
  let move = null;
  window.addEventListener(
    "pointermove",
    (event) => {
      move = event.buttons === 1 ? { start: event.timeStamp, delivered: performance.now() } : null;
    },
    true,
  );
  window.addEventListener(
    "input",
    () => {
      if (move) Object.assign(move, { called: performance.now(), before: shown() });
    },
    true,
  );
  window.addEventListener("input", (event) => {
    if (!move?.called) return;
    const one = move;
    const target = event.composedPath()[0].id === "ca-budget" ? "canvas" : "floor";
    one.returned = performance.now();
    move = null;
    compeconBench.painted().then((at) => {
      const after = shown();
      probe.moves.push({
        target,
        total: at - one.start,
        wait: one.delivered - one.start,
        handler: one.returned - one.called,
        changed: after[0] !== one.before[0],
      });
    });
  });
};
