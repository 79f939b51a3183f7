// Which parts of two pictures belong together: tokens of two tokenizers, layers of two depths. No DOM.

/** @import { Opening, Span } from "../shared/types.js" */

/** @typedef {"a" | "b"} SideName */
/** @typedef {SideName | "d"} PictureName "d" is the difference. */

/**
 * Tokens of both sides that stand for the same piece of text.
 * @typedef {{ a: number[], b: number[], label: string, joined: boolean, special: boolean }} Unit
 */

/**
 * @typedef Alignment
 * @property {"same" | "characters" | "none"} kind "same": token i is token i. "characters": units are the smallest
 *   pieces of the text where both have a boundary. "none": no difference can be drawn.
 * @property {string} why Why not, in words.
 * @property {SideName[]} needs Sides whose recording does not say where tokens stand.
 * @property {Unit[]} units
 * @property {Record<SideName, number[]>} unitOf The unit of each token; −1 for one without a counterpart.
 */

/**
 * Layer of a model with `layers` layers that stands at the depth of row `row` of `rows`.
 * @param {number} row
 * @param {number} rows
 * @param {number} layers
 */
export const layerAt = (row, rows, layers) => Math.floor(((row + 0.5) * layers) / rows);

/**
 * Row of `rows` that a layer is shown in: the first of those that stand at its depth.
 * @param {number} layer
 * @param {number} rows
 * @param {number} layers
 */
export function rowOf(layer, rows, layers) {
  for (let row = 0; row < rows; row++) if (layerAt(row, rows, layers) >= layer) return row;
  return rows - 1;
}

const DIFFER = "The tokenizers differ";
const UNDRAWN = "no difference can be drawn.";

/**
 * Pairs the tokens of two openings of the same texts.
 * @param {Opening} a
 * @param {Opening} b
 * @param {string[]} texts
 * @returns {Alignment}
 */
export function align(a, b, texts) {
  if (areSame(a, b)) return same(a);
  const needs = /** @type {SideName[]} */ (["a", "b"]).filter((side) => !{ a, b }[side].spans);
  const who = needs.map((side) => side.toUpperCase()).join(" and ");
  if (!a.spans || !b.spans)
    return none(a, b, `${DIFFER}, and ${who} cannot say where tokens are in the text: ${UNDRAWN}`, needs);
  const letters = texts.map((text) => Array.from(text));
  const units = byCharacters(a.spans, b.spans, letters);
  if (!units.length) return none(a, b, `${DIFFER} and share no boundary in this text: ${UNDRAWN}`);
  const unitOf = { a: a.tokens.map(() => -1), b: b.tokens.map(() => -1) };
  units.forEach((unit, u) => {
    for (const i of unit.a) unitOf.a[i] = u;
    for (const i of unit.b) unitOf.b[i] = u;
  });
  return { kind: "characters", why: "", needs: [], units, unitOf };
}

/**
 * @param {Opening} a
 * @param {Opening} b
 */
const areSame = (a, b) =>
  a.tokens.length === b.tokens.length &&
  a.tokens.every((token, i) => token === b.tokens[i] && a.special[i] === b.special[i]);

/**
 * @param {Opening} open
 * @returns {Alignment}
 */
function same({ tokens, joined, special }) {
  const each = tokens.map((_, i) => i);
  const units = tokens.map((label, i) => ({ a: [i], b: [i], label, joined: joined[i], special: special[i] }));
  return { kind: "same", why: "", needs: [], units, unitOf: { a: each, b: each } };
}

/**
 * @param {Opening} a
 * @param {Opening} b
 * @param {string} why
 * @param {SideName[]} [needs]
 * @returns {Alignment}
 */
function none(a, b, why, needs = []) {
  return { kind: "none", why, needs, units: [], unitOf: { a: a.tokens.map(() => -1), b: b.tokens.map(() => -1) } };
}

/**
 * Where a side's tokens stand.
 * @param {SideName} side
 * @param {(Span | null)[]} spans
 */
const placed = (side, spans) =>
  spans.flatMap((span, token) => (span ? [{ side, token, text: span[0], start: span[1], end: span[2] }] : []));

/**
 * Pieces of text that both sides' tokens fill: spans that overlap, in either, go together.
 * @param {(Span | null)[]} a
 * @param {(Span | null)[]} b
 * @param {string[][]} letters Of each text.
 * @returns {Unit[]}
 */
function byCharacters(a, b, letters) {
  const all = [...placed("a", a), ...placed("b", b)];
  all.sort((x, y) => x.text - y.text || x.start - y.start || x.end - y.end);
  /** @type {{ text: number, start: number, end: number, a: number[], b: number[] }[]} */
  const pieces = [];
  for (const { side, token, text, start, end } of all) {
    const last = pieces.at(-1);
    const isNew = !last || text !== last.text || start >= last.end;
    const piece = isNew ? { text, start, end, a: [], b: [] } : last;
    if (isNew) pieces.push(piece);
    piece.end = Math.max(piece.end, end);
    piece[side].push(token);
  }
  const shared = pieces.filter((piece) => piece.a.length && piece.b.length);
  return shared.map(({ text, start, end, a: ofA, b: ofB }, u) => ({
    a: ofA,
    b: ofB,
    label: letters[text].slice(start, end).join(""),
    special: false,
    joined: u > 0 && shared[u - 1].text === text && shared[u - 1].end === start,
  }));
}

/**
 * A matrix on units: keys of a unit are summed, its queries averaged. NaN where no query of the unit may see any of the
 * keys.
 * @param {Float32Array} matrix
 * @param {number} n
 * @param {number[][]} groups Tokens of each unit.
 */
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
          if (Number.isNaN(w)) continue;
          held += w;
          sees = true;
        }
        if (!sees) continue;
        total += held;
        queries++;
      }
      out[u * m + v] = queries ? total / queries : NaN;
    }
  }
  return out;
}

/**
 * Shares of tokens on units: summed; NaN for a unit of which nothing may be read.
 * @param {Float32Array} shares
 * @param {number[][]} groups
 */
export function sharesOnUnits(shares, groups) {
  return Float32Array.from(groups, (group) => {
    let total = NaN;
    for (const i of group) if (!Number.isNaN(shares[i])) total = (Number.isNaN(total) ? 0 : total) + shares[i];
    return total;
  });
}

/**
 * A − B, NaN where either is.
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
export function minus(a, b) {
  const out = new Float32Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = a[i] - b[i];
  return out;
}
