// Reads the stream of messages that compecon/views/frames.py writes. No DOM: tests import this file alone.

const HALF = (() => {
  // float16 has 65,536 values: a table is the quickest decoder and works in every browser
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    table[bits] =
      exponent === 31
        ? fraction
          ? NaN
          : sign * Infinity
        : exponent
          ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
          : sign * 2 ** -14 * (fraction / 1024);
  }
  return table;
})();

/** float16 bits to Float32Array. */
export function halves(bits) {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = HALF[bits[i]];
  return out;
}

const align = (n) => Math.ceil(n / 4) * 4;
const KINDS = { float16: [Uint16Array, 2], float32: [Float32Array, 4], uint8: [Uint8Array, 1] };

/** One message from a buffer that starts at its header length. */
export function message(buffer) {
  const view = new DataView(buffer);
  const headerLength = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerLength)));
  let at = 4 + align(headerLength);
  const arrays = {};
  for (const { name, dtype, shape } of header.arrays) {
    const [Kind, size] = KINDS[dtype];
    const count = shape.reduce((a, b) => a * b, 1);
    arrays[name] = new Kind(buffer, at, count);
    arrays[name].shape = shape;
    at = align(at + count * size);
  }
  return { ...header, arrays };
}

/** Splits chunks of bytes, cut anywhere, into messages. */
export class Splitter {
  constructor() {
    this.rest = new Uint8Array(0);
  }

  push(chunk) {
    const all = new Uint8Array(this.rest.length + chunk.length);
    all.set(this.rest);
    all.set(chunk, this.rest.length);
    const out = [];
    let at = 0;
    while (all.length - at >= 4) {
      const length = new DataView(all.buffer, at, 4).getUint32(0, true);
      if (all.length - at < 4 + length) break;
      out.push(message(all.slice(at + 4, at + 4 + length).buffer)); // slice: arrays need an aligned start
      at += 4 + length;
    }
    this.rest = all.slice(at);
    return out;
  }
}

/** Calls `receive` for each message of a response, as they come. */
export async function stream(response, receive) {
  const reader = response.body.getReader();
  const splitter = new Splitter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const one of splitter.push(value)) receive(one);
  }
}
