// @ts-check
/** Reads the package's own weight files: safetensors in half or single precision. */

/** @typedef {{shape: number[], data: Float32Array}} Tensor */

/** @param {number} bits a number in half precision */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * The tensors of a file by their names, without the prefix `model.` that a checkpoint of the package gives them.
 * @param {ArrayBuffer} buffer
 * @returns {Map<string, Tensor>}
 */
export function parse(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const halves = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  const tensors = new Map();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = entry.data_offsets.map((/** @type {number} */ offset) => offset + 8 + length);
    const bytes = buffer.slice(from, to);
    let data;
    if (entry.dtype === "F32") data = new Float32Array(bytes);
    else if (entry.dtype === "F16") data = Float32Array.from(new Uint16Array(bytes), (bits) => halves[bits]);
    else throw new TypeError(`${name} is ${entry.dtype}: weights are F16 or F32`);
    tensors.set(name.replace(/^model\./, ""), { shape: entry.shape, data });
  }
  return tensors;
}

/** The tensors of a file among those that the site keeps for its figures. @param {string} name */
export async function load(name) {
  const url = new URL(`../models/${name}.safetensors`, import.meta.url);
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return parse(await answer.arrayBuffer());
}

/** A table that the build computed: the numbers by their names. @param {string} name @returns {Promise<Record<string, Float32Array>>} */
export async function table(name) {
  return Object.fromEntries(Array.from(await load(name), ([key, { data }]) => [key, data]));
}
