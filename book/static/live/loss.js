// @ts-check
/** Which model does your loss train? Its factors say the noise of the decoder, or beta; that says which latents pay. */

import { Frame } from "./figure.js";

const PIXELS = 784;
/** The largest variances of the principal coordinates of `mnist-small`, training images in [0, 1]. */
export const VARIANCES = [
  5.03, 3.76, 3.28, 2.86, 2.62, 2.29, 1.68, 1.55, 1.5, 1.26, 1.09, 1.03, 0.93, 0.901, 0.847, 0.8, 0.71, 0.676, 0.651,
  0.617, 0.575, 0.531, 0.514, 0.49, 0.471, 0.457, 0.425, 0.417, 0.404, 0.369, 0.357, 0.345, 0.326, 0.317, 0.306, 0.289,
  0.272, 0.262, 0.26, 0.251,
];

/**
 * The variance of the decoder's noise for which c ||x - x~||^2 + w KL is, but for a factor, minus the ELBO; it is
 * beta too, if the noise is taken to have variance 1.
 * @param {number} c @param {number} w
 */
export const impliedVariance = (c, w) => w / (2 * c);

/** @param {HTMLElement} figure */
export default function loss(figure) {
  const frame = new Frame(figure, draw);
  const plot = frame.plot({ x: [0, 41], y: [-4, 4], xlabel: "principal direction", ylabel: "log₁₀ of its variance" });
  const factor = frame.choice("squared error", { 1: "as it is", 0.5: "times ½" }, "1");
  const pixels = frame.choice("over the pixels", { sum: "summed", mean: "averaged" }, "mean");
  const latents = frame.choice("KL over the latents", { sum: "summed", mean: "averaged" }, "sum");
  const k = frame.slider("latents k", 1, 40, 1, 20);
  const weight = frame.slider("weight of the KL", -4, 3, 0.1, 0, (v) => (10 ** v).toPrecision(2));

  function draw() {
    const c = Number(factor.value) / (pixels.value === "mean" ? PIXELS : 1);
    const w = 10 ** weight.value / (latents.value === "mean" ? k.value : 1);
    const variance = impliedVariance(c, w);
    const kept = VARIANCES.slice(0, k.value).filter((v) => v > variance).length;
    VARIANCES.forEach((v, j) => {
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
    plot.write("word", 338, plot.py(level) - 6, "noise of the decoder", "end", "vermilion");
    const text =
      `This loss trains a decoder with noise of standard deviation ${Math.sqrt(variance).toPrecision(3)} on each pixel; or, ` +
      `if the noise is to be 1, a β-VAE with β = ${variance.toPrecision(3)}. Of ${k.value} latents of a linear decoder on the ` +
      `digits, ${kept} would be used: those with more variance than the noise.`;
    plot.describe(text);
    frame.say(text);
  }
  frame.begin();
}
