// Evaluated in the Allocation page, after frames.js: to the frame that shows the new stop.
(() => {
  /**
   * @param {ParentNode} root
   * @returns {HTMLElement | null}
   */
  const search = (root) => {
    for (const { shadowRoot } of root.querySelectorAll("*")) {
      const found = shadowRoot && (shadowRoot.querySelector(".ca") ?? search(shadowRoot));
      if (found instanceof HTMLElement) return found;
    }
    return root.querySelector(".ca");
  };
  const canvas = search(document);
  window.marketBench = { moves: [] };
  const shown = () => canvas?.dataset.budget;
  window.compeconFrames.drags(shown, ({ target, ...times }, before) => {
    const isCanvas = target instanceof Element && target.id === "ca-budget";
    window.marketBench.moves.push({ target: isCanvas ? "canvas" : "floor", ...times, changed: shown() !== before });
  });
})();
