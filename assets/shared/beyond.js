// What an address asks for beyond what a model and a text have.

/** @typedef {{ k: number, layer: number | null, head: number | null }} Asked */

/**
 * The nearest to a view that there is, and a sentence on what was asked for and is not there; "" if all is.
 * @param {Asked} asked Null and a budget of 0 leave the choice to the page.
 * @param {{ k: number, layer: number, head: number }} last
 */
export function within({ k, layer, head }, last) {
  /** @type {[name: string, asked: number | null, first: number, last: number][]} */
  const places = [
    ["budget", k, 1, last.k],
    ["layer", layer, 0, last.layer],
    ["head", head, 0, last.head],
  ];
  const beyond = places.filter(([, one, , most]) => (one ?? 0) > most);
  const said = beyond.map(([name, one, first, most]) => `${name} ${one} (there are ${first} to ${most})`).join(" and ");
  return {
    sentence: said && `The address asks for ${said}. The nearest is shown instead.`,
    place: {
      k: Math.min(k, last.k),
      layer: layer && Math.min(layer, last.layer),
      head: head && Math.min(head, last.head),
    },
  };
}
