// @ts-check
/** `diffusion.ddim_chain`: from noise to data in few steps; with eta = 1 and all steps it is Algorithm 2. */

/** @typedef {import("./gauss.js").NoiseSchedule} NoiseSchedule */
/** @typedef {{t: number, x: Float32Array, guess: Float32Array}} Stage */

/**
 * @param {(x: Float32Array, t: number) => Promise<Float32Array>} eps
 * @param {NoiseSchedule} s
 * @param {Float32Array} x the noise to start from
 * @param {number} steps @param {number} eta
 * @param {{normal: (n: number) => Float32Array}} generator of the noise of each step
 * @returns {AsyncGenerator<Stage>}
 */
export async function* ddimChain(eps, s, x, steps, eta, generator) {
  const list = [...s.steps(steps), 0];
  for (let k = 0; k < steps; k++) {
    const [t, before] = [list[k], list[k + 1]];
    const noise = await eps(x, t);
    const [keep, spread] = s.noising(t);
    const guess = x.map((v, i) => (v - spread * noise[i]) / keep);
    yield { t, x, guess };
    const [ofGuess, ofEps, ofNew] = s.ddim(t, before, eta);
    const fresh = eta > 0 && before > 0 ? generator.normal(x.length) : new Float32Array(x.length);
    x = guess.map((v, i) => ofGuess * v + ofEps * noise[i] + ofNew * fresh[i]);
  }
  yield { t: 0, x, guess: x };
}
