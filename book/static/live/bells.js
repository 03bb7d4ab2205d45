// @ts-check
/** Three bells: what x_0 says of x_{t-1}, what x_t says, and both together (F31 to F33). */

import { Frame, fixed, range } from "./figure.js";
import { logNormal, NoiseSchedule } from "./gauss.js";

const S = NoiseSchedule.linear(10, 0.05, 0.5);

/** @param {HTMLElement} figure */
export default function bells(figure) {
  const frame = new Frame(figure, draw);
  const plot = frame.plot({ x: [-2.5, 3.5], y: [0, 3.2], xlabel: "xₜ₋₁", ylabel: "density" });
  const t = frame.slider("t", 2, S.T, 1, 4);
  const xt = frame.slider("xₜ", -2, 3, 0.05, 0, (v) => fixed(v));
  const x0 = frame.slider("x₀", -2, 3, 0.05, 0.8, (v) => fixed(v));
  plot.drag((x) => (xt.value = x));
  const xs = range(-2.5, 3.5, 301);

  function draw() {
    const k = t.value;
    const [alpha, beta, keep, before] = [1 - S.beta[k], S.beta[k], S.alphaBar[k - 1], S.noiseVariance[k - 1]];
    const [ofXt, ofX0] = S.posteriorMean(k);
    const variance = S.posteriorVariance[k];
    const mean = ofXt * xt.value + ofX0 * x0.value;
    const bell = (/** @type {number} */ m, /** @type {number} */ v) => xs.map((x) => Math.exp(logNormal(x, m, v)));
    // As a function of x_{t-1}, scaled to area 1, the step is a bell too.
    plot.line("likelihood", xs, bell(xt.value / Math.sqrt(alpha), beta / alpha), "green");
    plot.line("prior", xs, bell(Math.sqrt(keep) * x0.value, before), "blue dashed");
    plot.line("area", xs, bell(mean, variance), "vermilion", true);
    plot.line("posterior", xs, bell(mean, variance), "vermilion");
    plot.dot("given0", x0.value, 0, "blue", 6);
    plot.dot("givent", xt.value, 0, "green", 6);
    plot.write("name1", 338, 24, "q(xₜ₋₁ | x₀)", "end", "blue");
    plot.write("name2", 338, 40, "q(xₜ | xₜ₋₁), scaled", "end", "green");
    plot.write("name3", 338, 56, "q(xₜ₋₁ | xₜ, x₀)", "end", "vermilion");
    const text =
      `Precisions, 1 / variance, add: ${fixed(alpha / beta)} from xₜ (green) and ${fixed(1 / before)} from x₀ (blue, dashed) make ` +
      `${fixed(1 / variance)} (orange). Mean ${fixed(ofXt)} · ${fixed(xt.value)} + ${fixed(ofX0)} · ${fixed(x0.value)} = ` +
      `${fixed(mean)}, standard deviation ${fixed(Math.sqrt(variance))}.`;
    plot.describe(
      `Bells over xₜ₋₁: from xₜ, around ${fixed(xt.value / Math.sqrt(alpha))}; from x₀, around ` +
        `${fixed(Math.sqrt(keep) * x0.value)}; both together, narrower, around ${fixed(mean)}.`,
    );
    frame.say(text);
  }
  frame.begin();
}
