// The pictures of the Allocation page, each a function of what is shown; their sentences; and their numbers as rows.
// `shown` is {table, data, view, now, order, colours, tallest, steepest, playing}.

import { axes, dot, label, line, number, queue } from "./paint.js";

const NEIGHBOURS = 6; // other funded curves behind the chosen one
const FUNDED = "0";
const LEFT_OUT = "3";
const WASTED = "6";
const PASSED = "9"; // places of reasons in the library's list

const isSpare = (now) => now.budget - now.handed > 1e-9 * now.budget;

/** An amount with its unit, in money too if there is a price. */
export function amount({ table, data }, x) {
  return `${number(x)} ${table.unit}${data.money > 0 ? ` (${number((x * data.money) / 1e6, 3)} money)` : ""}`;
}

/** Why a query got what it got. */
export function why({ table, now }, i) {
  return table.sentences[Number(now.reasons[i])]
    .replaceAll("{price}", number(now.price))
    .replaceAll("{choke}", number(table.choke[i]));
}

/** Value on the line that is drawn: it has a point at each step, and steps last until the next one. */
function valueAt([spends, values], spend) {
  let j = 0;
  while (j + 1 < spends.length && spends[j + 1] <= spend) j++;
  const next = j + 1 < spends.length ? j + 1 : j;
  const width = spends[next] - spends[j];
  return width > 0 ? values[j] + ((values[next] - values[j]) * (spend - spends[j])) / width : values[j];
}

function queuePicture(ctx, width, height, { table, data, view, now, order, colours, tallest, playing }) {
  const caps = playing ? data.playback.caps : now.spends;
  const arrived = playing && new Set(data.playback.order.slice(0, playing.at));
  const bars = order.map((i) => ({
    spend: arrived && !arrived.has(i) ? 0 : caps[i],
    ghost: table.entry[i],
    wasted: !arrived && now.reasons[i] === WASTED,
  }));
  queue(ctx, width, height, colours, bars, order.indexOf(view.query), tallest);
}

function marketPicture(ctx, width, height, { table: { demand, unit }, now, colours, steepest }) {
  const nearly =
    demand.totals[demand.prices.findLastIndex((price) => price >= 0.02 * steepest)] ?? demand.totals.at(-1);
  const right = Math.max(1.1 * nearly, 1.05 * now.budget);
  const { box, x, y } = axes(ctx, width, height, colours, {
    right,
    top: steepest,
    xTitle: `demand of all queries, ${unit}`,
    yTitle: "price",
  });
  line(
    ctx,
    box,
    demand.prices.map((price, i) => [x(demand.totals[i]), y(price)]),
    { colour: colours.accent },
  );
  line(
    ctx,
    box,
    [
      [x(now.budget), box.bottom],
      [x(now.budget), box.top],
    ],
    { colour: colours.full, width: 2.5 },
  );
  line(
    ctx,
    box,
    [
      [box.left, y(now.clearing)],
      [x(now.budget), y(now.clearing)],
    ],
    { colour: colours.muted, width: 1.5, dash: [4, 3] },
  );
  if (now.clearing <= steepest) dot(ctx, x(now.budget), y(now.clearing), colours.full, colours.background);
  label(
    ctx,
    box,
    `price ${number(now.clearing)}`,
    x(now.budget),
    y(Math.min(now.clearing, steepest)),
    colours.text,
    colours.font,
  );
}

/** What the market's picture shows, in a sentence. */
export function marketNote(shown) {
  const { now } = shown;
  if (now.clearing === 0) return "The budget is more than anybody wants: the price is 0.";
  if (now.price === null) return "This rule sets no price; the one drawn is the market's.";
  if (isSpare(now))
    return `Demand jumps at this price, because queries give up all at once: ${amount(shown, now.budget - now.handed)} stay unspent.`;
  return "Vertical: the budget, which does not depend on the price. Falling: what all want at a price. Where they meet is the shadow price: what one more unit would bring.";
}

const tangent = ({ table, now }, i) => {
  const price = now.price ?? now.clearing;
  const spend = now.spends[i];
  const value = spend > 0 ? valueAt(table.curves[i], spend) : 0;
  return { price, spend, value, base: value - price * spend };
};

function curvePicture(ctx, width, height, shown) {
  const {
    table: { curves, unit, queries },
    data,
    view: { query },
    now,
    colours,
  } = shown;
  const [spends, values] = curves[query];
  const right = Math.max(spends.at(-1) * 1.15, now.spends[query] * 1.1);
  const top = 1.25 * Math.max(...values) || 1;
  const { box, x, y } = axes(ctx, width, height, colours, { right, top, xTitle: `spend, ${unit}`, yTitle: data.worth });
  const funded = queries.map((_, k) => k).filter((k) => k !== query && now.reasons[k] === FUNDED);
  for (let n = 0; n < Math.min(NEIGHBOURS, funded.length); n++) {
    const k = funded[Math.floor((n * funded.length) / NEIGHBOURS)];
    const [xs, ys] = curves[k];
    const { spend, value, price } = tangent(shown, k);
    const reach = 0.07 * right;
    line(
      ctx,
      box,
      xs.map((each, j) => [x(each), y(ys[j])]),
      { colour: colours.muted, width: 1, alpha: 0.45 },
    );
    line(
      ctx,
      box,
      [
        [x(spend - reach), y(value - price * reach)],
        [x(spend + reach), y(value + price * reach)],
      ],
      { colour: colours.full, width: 1.5, alpha: 0.8 },
    );
  }
  line(ctx, box, [...spends.map((each, j) => [x(each), y(values[j])]), [box.right, y(valueAt(curves[query], right))]], {
    colour: colours.accent,
    width: 2.5,
  });
  const { price, spend, value, base } = tangent(shown, query);
  line(
    ctx,
    box,
    [
      [x(0), y(base)],
      [x(right), y(base + price * right)],
    ],
    { colour: colours.full, width: 2, dash: [6, 4] },
  );
  dot(ctx, x(spend), y(value), spend > 0 ? colours.accent : colours.muted, colours.background);
}

/** What the curve's picture shows, in a sentence. */
export function curveNote(shown) {
  const {
    table,
    now,
    view: { query },
  } = shown;
  const { price, spend, base } = tangent(shown, query);
  const code = now.reasons[query];
  const choke = number(table.choke[query]);
  if (now.price === null)
    return `Dashed: the market's price ${number(price)} as a slope; this rule does not heed it. At a price below ${choke} it would be bought.`;
  if (code === FUNDED)
    return `Dashed: a line of slope ${number(price)}, the price, the same for every funded query (thin: others). It meets the axis at the surplus ${number(base, 3)}: value less what the spend costs.`;
  if (!(table.choke[query] > 0))
    return `Nothing that this query could buy is seen to bring anything. Dashed: what any spend costs at the price ${number(price)}.`;
  if (spend > 0)
    return `Dashed: a line of slope ${number(price)}, the price, through what it got. Where the curve is above the line, another spend would leave more surplus.`;
  if (code === LEFT_OUT || code === PASSED)
    return `Dashed: what any spend costs at the price ${number(price)}. The curve reaches it: this query is worth its price, and got nothing.`;
  return `Dashed: what any spend costs at the price ${number(price)}. The curve is nowhere above it, so buying nothing is best; at a price below ${choke} it would be bought.`;
}

function playbackPicture(ctx, width, height, { data: { playback, worth }, playing, colours }) {
  const at = playing?.at ?? playback.prices.length;
  const half = Math.floor(width / 2) - 8;
  const n = playback.prices.length;
  const price = axes(ctx, half, height, colours, {
    right: n,
    top: 1.1 * Math.max(...playback.prices, playback.offline),
    xTitle: "arrivals",
    yTitle: "price",
  });
  line(
    ctx,
    price.box,
    [
      [price.box.left, price.y(playback.offline)],
      [price.box.right, price.y(playback.offline)],
    ],
    { colour: colours.full, width: 1.5, dash: [6, 4] },
  );
  line(
    ctx,
    price.box,
    playback.prices.slice(0, at).map((p, i) => [price.x(i), price.y(p)]),
    { colour: colours.accent, width: 1.5 },
  );
  ctx.save();
  ctx.translate(half + 16, 0);
  const earned = axes(ctx, half, height, colours, {
    right: n,
    top: 1.1 * Math.max(playback.known.at(-1), playback.earned.at(-1)),
    xTitle: "arrivals",
    yTitle: `${worth} so far`,
  });
  line(
    ctx,
    earned.box,
    playback.known.slice(0, at).map((v, i) => [earned.x(i), earned.y(v)]),
    { colour: colours.full, width: 1.5, dash: [6, 4] },
  );
  line(
    ctx,
    earned.box,
    playback.earned.slice(0, at).map((v, i) => [earned.x(i), earned.y(v)]),
    { colour: colours.accent, width: 1.5 },
  );
  ctx.restore();
}

/** What the arrivals' picture shows, in sentences. */
export function playbackNote(shown) {
  const { playback } = shown.data;
  return (
    `Ours, not the paper's: the price follows what is spent. Dashed: somebody who knows all arrivals, at the price ${number(playback.offline)}. ` +
    `In the end ${amount(shown, playback.used)} are used, worth ${number(playback.value)}; knowing all, nobody could exceed ${number(playback.bound)} with caps alone, so the regret is at most ${number(Math.max(0, playback.bound - playback.value), 3)}` +
    `${playback.recycled > 0 ? `. ${amount(shown, playback.recycled)} of the caps were not used up and went back into the budget` : ""}` +
    `${playback.service > 0 ? `. Everybody was sure of ${amount(shown, playback.service)}.` : "."}`
  );
}

export const PICTURES = { queue: queuePicture, market: marketPicture, curve: curvePicture, playback: playbackPicture };

/** A picture's numbers, or with "budgets" those of every stop of the bar. */
export function rows(name, shown) {
  const { table, data, view, now, order } = shown;
  if (name === "queue")
    return order.map((i) => ({
      query: table.queries[i],
      spend: now.spends[i],
      buys_nothing_from_price: table.choke[i],
      buys_first: table.entry[i],
      why: why(shown, i),
    }));
  if (name === "market") return table.demand.prices.map((price, i) => ({ price, demand: table.demand.totals[i] }));
  if (name === "curve")
    return table.curves[view.query][0].map((spend, i) => ({
      query: table.queries[view.query],
      spend,
      value: table.curves[view.query][1][i],
    }));
  if (name === "playback")
    return data.playback.order.map((i, at) => ({
      arrival: at,
      query: table.queries[i],
      price: data.playback.prices[at],
      cap: data.playback.caps[i],
      earned_so_far: data.playback.earned[at],
      earned_knowing_all: data.playback.known[at],
    }));
  return table.places.map((_, at) => ({
    ...Object.fromEntries(Object.entries(table.points).map(([column, values]) => [column, values[at]])),
    price: table.prices[at],
  }));
}
