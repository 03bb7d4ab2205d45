// @ts-check
/** Which model does your loss train? Its factors say the noise of the decoder, or beta; that says which latents pay. */

import { Frame, name } from "./figure.js";
import { table } from "./weights.js";

const PIXELS = 784;

/**
 * The variance of the decoder's noise for which c ||x - x~||^2 + w KL is, but for a factor, minus the ELBO; it is
 * beta too, if the noise is taken to have variance 1.
 * @param {number} c @param {number} w
 */
export const impliedVariance = (c, w) => w / (2 * c);

/**
 * An image through the best linear VAE with k latents and noise of this variance: each coordinate shrinks by the share of
 * its variance that is noise (`vae.LinearGaussian.optimum`).
 * @param {Record<string, Float32Array>} data mean, directions, variances @param {Float32Array} x @param {number} k @param {number} variance
 */
export function reconstruction({ mean, directions, variances }, x, k, variance) {
  const y = mean.slice();
  for (let j = 0; j < k && variances[j] > variance; j++) {
    const direction = directions.subarray(j * PIXELS, (j + 1) * PIXELS);
    const code = direction.reduce((sum, u, i) => sum + u * (x[i] - mean[i]), 0);
    const share = 1 - variance / variances[j];
    direction.forEach((u, i) => (y[i] += share * code * u));
  }
  return y;
}

/** @param {HTMLElement} figure */
export default async function loss(figure) {
  const data = await table("principal");
  const images = [0, 1, 2, 3].map((i) => data.images.subarray(i * PIXELS, (i + 1) * PIXELS));
  const frame = new Frame(figure, draw);
  const plot = frame.plot({ x: [0, 41], y: [-2, 3], xlabel: "principal direction", ylabel: "variance, and s²" });
  for (let v = -2; v < 4; v++) plot.write(`y${v}`, plot.left - 5, plot.py(v) + 4, String(10 ** v), "end");
  const picture = frame.picture("", 112, 56);
  picture.canvas.classList.add("large");
  const factor = frame.choice("squared error", { 1: "as it is", 0.5: "times ½" }, "1");
  const pixels = frame.choice("over the pixels", { sum: "summed", mean: "averaged" }, "mean");
  const latents = frame.choice("KL over the latents", { sum: "summed", mean: "averaged" }, "sum");
  const k = frame.slider("latents k", 1, 40, 1, 20);
  const weight = frame.slider("weight of the KL", -4, 3, 0.1, 0, (v) => name(10 ** v, 2));

  function draw() {
    const c = Number(factor.value) / (pixels.value === "mean" ? PIXELS : 1);
    const w = 10 ** weight.value / (latents.value === "mean" ? k.value : 1);
    const variance = impliedVariance(c, w);
    const kept = data.variances.slice(0, k.value).filter((v) => v > variance).length;
    data.variances.forEach((v, j) => {
      const y = plot.py(Math.log10(v));
      const [x, height] = [plot.px(j + 0.6).toFixed(1), (plot.bottom - y).toFixed(1)];
      plot.put(`b${j}`, "rect", {
        x,
        y: y.toFixed(1),
        width: "6",
        height,
        class: `area ${j < kept ? "blue" : "grey"}`,
      });
    });
    const level = Math.log10(variance);
    plot.line("level", [0, 41], [level, level], "vermilion");
    // Where the line is off the scale, its name says so at the edge.
    const beyond = level > 3 ? "above: " : level < -2 ? "below: " : "";
    const height = plot.py(Math.min(2.7, Math.max(-1.9, level))) - 6;
    plot.write("word", 338, height, `${beyond}s², noise of the decoder`, "end", "vermilion");
    const rows = [images, images.map((x) => reconstruction(data, x, k.value, variance))];
    picture.show(
      Float32Array.from({ length: 112 * 56 }, (_, i) => {
        const [row, column] = [Math.floor(i / 112), i % 112];
        return rows[Math.floor(row / 28)][Math.floor(column / 28)][(row % 28) * 28 + (column % 28)];
      }),
      `reconstructed from ${kept} latents`,
      0,
    );
    const text =
      `This loss trains a decoder with noise of standard deviation ${Math.sqrt(variance).toPrecision(3)} on each pixel; or, ` +
      `if the noise is to be 1, a β-VAE with β = ${name(variance, 3)}. Of ${k.value} latents of a linear decoder on the ` +
      `digits, ${kept} would be used: ${kept === k.value ? "in all their directions the data vary more than" : kept ? "those with more variance than" : "no direction varies more than"} the noise${kept ? "" : "; every reconstruction is the mean of all digits"}.`;
    plot.describe(
      `Bars, the variance of 40 principal directions; the line s² = ${name(variance, 3)}, which ${kept} of ${k.value} pass.`,
    );
    frame.say(text);
  }
  frame.begin();
}
