// The numbers behind a figure, as rows for CSV and JSON. No DOM.

const plain = (x) => (!Number.isNaN(x) && x !== undefined ? x : null);

export function figureRows(name, model, owner) {
  if (name === "lorenz") {
    return model.curves.flatMap(({ label, shares }) =>
      Array.from(shares ?? [], (share, i) => ({ curve: label, poorest: i / 100, share })),
    );
  }
  if (name === "scarcity") {
    return owner.open.flatMap((side) =>
      side.store.curve().map(([k, change]) => ({
        side: side.name.toUpperCase(),
        k,
        change,
        unit: side.store.open.change_unit,
        flipped: side.store.flips().includes(k),
      })),
    );
  }
  if (name.startsWith("heatmap")) {
    const { weights, n, tokens } = model;
    const value = name === "heatmap-d" ? "a_minus_b" : "weight";
    return Array.from(weights ?? [], (w, i) => ({
      query: Math.floor(i / n),
      key: i % n,
      query_token: tokens[Math.floor(i / n)],
      key_token: tokens[i % n],
      [value]: plain(w),
    }));
  }
  const rows = [];
  model.heads.forEach((heads, layer) => {
    for (let head = 0; head < heads; head++) {
      const at = layer * model.nHeads + head;
      rows.push({
        row: model.rows?.[layer] ?? `L${layer}`,
        head,
        statistic: model.label,
        hatched: model.gone.has(at),
        value: plain(model.values[at]),
      });
    }
  });
  return rows;
}
