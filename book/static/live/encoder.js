// @ts-check
/** Be the encoder: a Gaussian q for a posterior with two peaks, and what it costs (F12, F14). */

import { Frame, fixed, range } from "./figure.js";
import { klToStandardNormal, logNormal, logSumExp } from "./gauss.js";

const POINT = [0.3, -3];
const decode = (/** @type {number} */ z) => [4 * Math.sin(1.2 * z), 4 * Math.cos(1.2 * z)];

/** ln p(x | z). @param {number} z */
export function logLikelihood(z) {
  return decode(z).reduce((sum, m, i) => sum + logNormal(POINT[i], m, 1), 0);
}

const STEP = 0.002;
const grid = range(-12, 12, 12001);
const logJoint = Array.from(grid, (z) => logLikelihood(z) + logNormal(z, 0, 1));
/** ln p(x), by the sum over a fine grid of codes. */
export const LOG_EVIDENCE = logSumExp(logJoint) + Math.log(STEP);

/** The mean of ln p(x | z) over q, its divergence from the prior. @param {number} mu @param {number} sigma */
export function terms(mu, sigma) {
  // The trapezoidal rule over nine standard deviations either way: exact to rounding for what is as smooth as this.
  let reconstruction = 0;
  const n = 400;
  for (let i = 0; i <= n; i++) {
    const eps = -9 + (18 * i) / n;
    reconstruction += Math.exp(logNormal(eps, 0, 1)) * logLikelihood(mu + sigma * eps) * (18 / n);
  }
  return { reconstruction, kl: klToStandardNormal([mu], [2 * Math.log(sigma)]) };
}

/** @param {HTMLElement} figure */
export default function encoder(figure) {
  const frame = new Frame(figure, draw);
  const curves = frame.plot({ x: [-4.2, 4.2], y: [0, 2.8], xlabel: "z", ylabel: "density", height: 200 });
  const bars = frame.plot({ x: [-40, 0], y: [0, 3], xlabel: "nats", ylabel: "", height: 200, bare: "y" });
  const mu = frame.slider("μ", -3.5, 3.5, 0.05, 0.8, (v) => fixed(v));
  // In powers of 2, so that 1, the prior's, is one of the stops.
  const sigma = frame.slider("σ", -3.3, 1.3, 0.01, -1, (v) => fixed(2 ** v, 3));
  curves.drag((z, height) => {
    mu.value = z;
    // The top of the bell goes where the pointer is.
    sigma.value = -Math.log2(Math.sqrt(2 * Math.PI) * Math.max(height, 0.01));
  });
  const zs = range(-4.2, 4.2, 421);
  curves.line(
    "posterior",
    zs,
    zs.map((z) => Math.exp(logLikelihood(z) + logNormal(z, 0, 1) - LOG_EVIDENCE)),
    "grey",
    true,
  );
  curves.write("p", 338, 24, "posterior: grey", "end");
  curves.write("q", 338, 40, "yours", "end", "blue");
  const bar = (
    /** @type {string} */ id,
    /** @type {number} */ row,
    /** @type {number} */ from,
    /** @type {number} */ to,
    /** @type {string} */ color,
  ) => {
    const [low, high] = [Math.max(-40, from), Math.max(-40, to)];
    const [x, y] = [bars.px(low).toFixed(1), bars.py(row + 0.6).toFixed(1)];
    const width = Math.max(0, bars.px(high) - bars.px(low)).toFixed(1);
    bars.put(id, "rect", { x, y, width, height: "22", class: `area ${color}` });
  };

  function draw() {
    const scale = 2 ** sigma.value;
    const { reconstruction, kl } = terms(mu.value, scale);
    const bound = reconstruction - kl;
    const gap = LOG_EVIDENCE - bound;
    curves.line(
      "yours",
      zs,
      zs.map((z) => Math.exp(logNormal(z, mu.value, scale ** 2))),
      "blue",
    );
    bar("reconstruction", 2, -40, reconstruction, "blue");
    bar("kl", 1, bound, reconstruction, "orange");
    bar("bound", 0, -40, bound, "green");
    bar("gap", 0, bound, LOG_EVIDENCE, "vermilion");
    bars.rule("evidence", LOG_EVIDENCE, "dashed");
    bars.write("e", bars.px(LOG_EVIDENCE) - 5, bars.py(2.65), `ln p(x) ${fixed(LOG_EVIDENCE)}`, "end");
    bars.write("a", 30, bars.py(2.65), `reconstruction ${fixed(reconstruction)}`, "start", "blue");
    bars.write("b", 30, bars.py(1.65), `minus KL from the prior ${fixed(kl)}`, "start", "orange");
    bars.write("c", 30, bars.py(0.65), `bound ${fixed(bound)}`, "start", "green");
    bars.write("d", 200, bars.py(0.65), `gap ${fixed(gap)}`, "start", "vermilion");
    const text =
      `μ = ${fixed(mu.value)}, σ = ${fixed(scale)}: reconstruction ${fixed(reconstruction)}, divergence from the prior ${fixed(kl)}, ` +
      `bound ${fixed(bound)}; ln p(x) = ${fixed(LOG_EVIDENCE)} lies ${fixed(gap)} nats above it.`;
    curves.describe(
      `The posterior, with two peaks, and your bell: mean ${fixed(mu.value)}, standard deviation ${fixed(scale)}.`,
    );
    bars.describe(
      `In nats: reconstruction ${fixed(reconstruction)}, minus KL from the prior ${fixed(kl)}, is the bound ` +
        `${fixed(bound)}; the gap to ln p(x) is ${fixed(gap)}.`,
    );
    frame.say(text);
  }
  frame.begin();
}
