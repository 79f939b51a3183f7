"""A picture that is drawn over what it was before looks as if it was drawn on a new canvas."""

from __future__ import annotations

from typing import Any

import pytest

SCRIPT = """async (ratio) => {
  Object.defineProperty(window, 'devicePixelRatio', { value: ratio });
  const load = (name) => import(`/compecon/shared/${name}.js`);
  const [{ atlas }, { heatmap }, curves, { palette, difference }, { sheet }, axes] =
    await Promise.all(['atlas', 'heatmap', 'curves', 'scales', 'stage', 'budget_axis'].map(load));
  let seed = 7;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32;
  const below = (n) => Math.floor(random() * n);
  const themes = ['#ffffff', '#0e1117'].map((ground) => {
    const box = document.body.appendChild(document.createElement('div'));
    box.style.setProperty('--st-background-color', ground);
    return palette(box);
  });
  const places = [null, { layer: 1, head: 2 }, { layer: 0, head: 0 }];
  const shares = (power) => Float64Array.from({ length: 21 }, (_, i) => (i / 20) ** power);
  const points = () => [1, 2, 4, 8].map((k) => [k, random()]);
  const matrix = (n) => Float32Array.from({ length: n * n }, () => (below(5) ? random() : NaN));
  const [matrices, texts] = [[8, 16].map(matrix), [8, 16].map((n) => Array.from({ length: n }, (_, i) => `t${i}`))];
  const [full, lines] = [[shares(2), shares(3)], [points(), points()]];
  const models = {
    heatmap: [heatmap, (colours) => {
      const i = below(2);
      const weights = below(3) ? matrices[i] : matrices[i].map((w) => w || 0);
      return { weights, n: 8 * (i + 1), tokens: texts[i], pinned: below(2) ? 3 : null,
        missing: below(6) ? '' : 'removed', colours };
    }],
    lorenz: [curves.lorenzCurves, (colours) =>
      curves.lorenzOfHead(shares(1 + below(9)), full[below(2)], below(6) ? '' : 'removed', colours)],
    scarcity: [curves.scarcityLines, (colours) => ({
      lines: curves.armLines({ label: 'own', points: lines[below(2)] },
        below(2) ? [] : [{ label: 'arm', points: lines[below(2)] }], colours),
      axis: [axes.keysAxis(8), axes.sizesAxis([1, 2.5, 8])][below(2)], at: 1 + below(8), label: 'now',
      unit: ['KL', 'change'][below(2)], flips: [{ at: below(2) ? [2] : [], colour: '#f00' }], colours })],
    atlas: [atlas, (colours) => {
      const signed = !below(4);
      return { values: Float32Array.from({ length: 24 }, () => (below(9) ? Math.round(random() * 9) / 9 : NaN)),
        low: signed ? -1 : 0, high: 1, heads: [8, 8, 5], nHeads: 8, gone: new Set(below(2) ? [3, 9] : []), n: 8,
        thumbnails: below(3) ? null : () => matrices[0], selected: places[below(3)], hover: places[below(3)],
        label: 'Gini', colours, signed, ...(signed ? { ramp: difference(colours.dark) } : {}) };
    }],
  };
  const differences = {};
  for (const [name, [paint, model]] of Object.entries(models)) {
    const kept = document.createElement('canvas');
    let size = { width: 331, height: 177 };
    differences[name] = [];
    for (let step = 0; step < 60; step++) {
      if (!below(10)) size = { width: 300 + below(90), height: 170 + below(20) };
      const shown = model(themes[Number(step > 40)]);
      const drawn = [kept, document.createElement('canvas')].map((canvas) => {
        const context = sheet(canvas, size);
        paint(context, size.width, size.height, shown);
        return context.getImageData(0, 0, canvas.width, canvas.height).data;
      });
      const most = drawn[0].reduce((far, value, i) => Math.max(far, Math.abs(value - drawn[1][i])), 0);
      if (most > 0) differences[name].push([step, most]);
    }
  }
  return differences;
}"""


@pytest.mark.parametrize("ratio", [1, 1.25, 2])
def test_a_picture_shows_nothing_of_what_it_showed_before(browser: Any, server: str, ratio: float) -> None:
    page = browser.new_page()
    page.goto(f"{server}/compecon/health")
    assert page.evaluate(SCRIPT, ratio) == {"heatmap": [], "lorenz": [], "scarcity": [], "atlas": []}
    page.close()
