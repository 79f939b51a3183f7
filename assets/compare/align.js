// Which parts of two pictures belong together: tokens of two tokenizers, layers of two depths. No DOM.

/** Layer of a model with `layers` layers that stands at the depth of row `row` of `rows`. */
export const layerAt = (row, rows, layers) => Math.floor(((row + 0.5) * layers) / rows);

/** Row of `rows` that a layer is shown in: the first of those that stand at its depth. */
export function rowOf(layer, rows, layers) {
  for (let row = 0; row < rows; row++) if (layerAt(row, rows, layers) >= layer) return row;
  return rows - 1;
}

/**
 * Pairs the tokens of two openings of the same texts.
 *
 * Gives back { kind, why, units, unitOf }. kind "same": token i is token i. "characters": units are the smallest pieces
 * of the text where both have a boundary; { a, b, label } lists the tokens of each side. "none": `why` says why not, in
 * words; `needs` names the sides whose recording does not say where tokens stand. unitOf[side][token] is −1 for a token
 * that has no counterpart.
 */
export function align(a, b, texts) {
  const n = a.tokens.length;
  if (n === b.tokens.length && a.tokens.every((token, i) => token === b.tokens[i] && a.special[i] === b.special[i])) {
    const each = Array.from({ length: n }, (_, i) => i);
    return {
      kind: "same",
      why: "",
      needs: [],
      units: each.map((i) => ({ a: [i], b: [i], label: a.tokens[i], joined: a.joined[i], special: a.special[i] })),
      unitOf: { a: each, b: each },
    };
  }
  const needs = [
    ["a", a],
    ["b", b],
  ]
    .filter(([, open]) => !open.spans)
    .map(([side]) => side);
  if (needs.length)
    return none(
      a,
      b,
      `The tokenizers differ, and ${needs.map((side) => side.toUpperCase()).join(" and ")} cannot tell where tokens stand in the text: no difference can be drawn.`,
      needs,
    );
  const units = byCharacters(
    a.spans,
    b.spans,
    texts.map((text) => Array.from(text)),
  );
  if (!units.length)
    return none(a, b, "The tokenizers differ and share no piece of this text: no difference can be drawn.");
  const unitOf = { a: new Array(n).fill(-1), b: new Array(b.tokens.length).fill(-1) };
  units.forEach((unit, u) => {
    for (const side of ["a", "b"]) for (const i of unit[side]) unitOf[side][i] = u;
  });
  return { kind: "characters", why: "", needs: [], units, unitOf };
}

const none = (a, b, why, needs = []) => ({
  kind: "none",
  why,
  needs,
  units: [],
  unitOf: { a: a.tokens.map(() => -1), b: b.tokens.map(() => -1) },
});

/** Pieces of text that both sides' tokens fill: spans that overlap, in either, go together. */
function byCharacters(a, b, letters) {
  const all = [];
  for (const [side, spans] of [
    ["a", a],
    ["b", b],
  ])
    spans.forEach((span, token) => {
      if (span) all.push({ side, token, text: span[0], start: span[1], end: span[2] });
    });
  all.sort((x, y) => x.text - y.text || x.start - y.start || x.end - y.end);
  const units = [];
  let open = null;
  for (const { side, token, text, start, end } of all) {
    if (!open || text !== open.text || start >= open.end) units.push((open = { text, start, end, a: [], b: [] }));
    open.end = Math.max(open.end, end);
    open[side].push(token);
  }
  const shared = units.filter((unit) => unit.a.length && unit.b.length);
  return shared.map(({ text, start, end, a: ofA, b: ofB }, u) => ({
    a: ofA,
    b: ofB,
    label: letters[text].slice(start, end).join(""),
    special: false,
    joined: u > 0 && shared[u - 1].text === text && shared[u - 1].end === start,
  }));
}

/** A matrix on units: keys of a unit are summed, its queries averaged. NaN where no query of the unit may see any of the keys. */
export function onUnits(matrix, n, groups) {
  const m = groups.length;
  const out = new Float32Array(m * m);
  for (let u = 0; u < m; u++) {
    for (let v = 0; v < m; v++) {
      let total = 0;
      let queries = 0;
      for (const q of groups[u]) {
        let held = 0;
        let sees = false;
        for (const k of groups[v]) {
          const w = matrix[q * n + k];
          if (!Number.isNaN(w)) {
            held += w;
            sees = true;
          }
        }
        if (sees) {
          total += held;
          queries++;
        }
      }
      out[u * m + v] = queries ? total / queries : NaN;
    }
  }
  return out;
}

/** Shares of tokens on units: summed; NaN for a unit of which nothing may be read. */
export function sharesOnUnits(shares, groups) {
  return Float32Array.from(groups, (group) => {
    let total = NaN;
    for (const i of group) if (!Number.isNaN(shares[i])) total = (!Number.isNaN(total) ? total : 0) + shares[i];
    return total;
  });
}

/** A − B, NaN where either is. */
export function minus(a, b) {
  const out = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i] - b[i];
  return out;
}
