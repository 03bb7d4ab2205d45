// @ts-check
/** Reparametrise: draws that slide along with phi, and two estimates of the slope of their mean (F17). */

import { Frame, fixed, range } from "./figure.js";
import { Generator, logNormal } from "./gauss.js";

export const f = (/** @type {number} */ z) => z ** 2 + Math.sin(3 * z);
const slope = (/** @type {number} */ z) => 2 * z + 3 * Math.cos(3 * z);
const mean = (/** @type {number} */ phi) => phi ** 2 + 1 + Math.exp(-4.5) * Math.sin(3 * phi);
const exact = (/** @type {number} */ phi) => 2 * phi + 3 * Math.exp(-4.5) * Math.cos(3 * phi);

/** One estimate of the slope from each draw, by either way. @param {number} phi @param {ArrayLike<number>} eps */
export function estimates(phi, eps) {
  return {
    through: Array.from(eps, (e) => slope(phi + e)),
    score: Array.from(eps, (e) => f(phi + e) * e),
  };
}

const STEP = 0.05;
const grid = range(-9, 9, 361);

/** Standard deviation of one estimate, through the draw and by the score: not from draws. @param {number} phi */
export function spreads(phi) {
  const { through, score } = estimates(phi, grid);
  return [through, score].map((values) =>
    Math.sqrt(values.reduce((sum, v, i) => sum + STEP * Math.exp(logNormal(grid[i], 0, 1)) * (v - exact(phi)) ** 2, 0)),
  );
}

const average = (/** @type {number[]} */ values) => values.reduce((sum, v) => sum + v, 0) / values.length;

/** @param {HTMLElement} figure */
export default function reparametrise(figure) {
  const frame = new Frame(figure, draw);
  const plot = frame.plot({ x: [-3, 3.4], y: [-1, 9], xlabel: "z, and φ", ylabel: "f" });
  const spread = frame.plot({
    x: [-25, 25],
    y: [0, 3],
    xlabel: "estimates of the slope",
    ylabel: "",
    height: 170,
    bare: true,
  });
  const phi = frame.slider("φ", -2, 2, 0.02, 0.6, (v) => fixed(v));
  const n = frame.slider("draws", 0, 4, 1, 1, (k) => String([16, 32, 100, 400, 1000][k]));
  const seed = frame.slider("seed", 1, 50, 1, 8);
  plot.drag((x) => (phi.value = Math.min(2, Math.max(-2, x))));
  const zs = range(-3, 3.4, 321);
  plot.line("f", zs, zs.map(f), "grey");
  plot.line("mean", zs, zs.map(mean), "blue");
  plot.write("n1", 135, 24, "f: grey", "start");
  plot.write("n2", 135, 40, "its mean", "start", "blue");
  plot.write("n3", 135, 56, "draws", "start", "vermilion");

  function draw() {
    const eps = new Generator(seed.value).normal([16, 32, 100, 400, 1000][n.value]);
    const at = phi.value;
    const { through, score } = estimates(at, eps);
    const [m1, m2] = [average(through), average(score)];
    const [s1, s2] = spreads(at);
    plot.dots(
      "draws",
      Array.from(eps.slice(0, 100), (e) => [at + e, f(at + e)]),
      "vermilion large",
    );
    // The slopes of some, as tangents that look equally long.
    const tangents = Array.from(eps.slice(0, 8), (e) => {
      const [z, up] = [at + e, slope(at + e)];
      const reach = 0.5 / Math.hypot(1, up / 2);
      const end = (/** @type {number} */ by) => `${plot.px(z + by).toFixed(1)},${plot.py(f(z) + up * by).toFixed(1)}`;
      return `M${end(-reach)}L${end(reach)}`;
    });
    plot.put("tangents", "path", { d: tangents.join(""), class: "line vermilion", "clip-path": plot.clip });
    const right = exact(at);
    plot.line("tangent", [at - 1, at + 1], [mean(at) - right, mean(at) + right], "blue dashed");
    plot.dot("phi", at, mean(at), "blue", 6);
    spread.dots(
      "through",
      through.map((v, i) => [v, 2 + ((i * 0.618) % 1) * 0.6]),
      "vermilion",
    );
    spread.dots(
      "score",
      score.map((v, i) => [Math.max(-25, Math.min(25, v)), 0.4 + ((i * 0.618) % 1) * 0.6]),
      "orange",
    );
    // Not across the words.
    spread.line("exact", [right, right], [0, 1.05], "blue dashed");
    spread.line("exact2", [right, right], [1.5, 2.65], "blue dashed");
    spread.write(
      "t",
      30,
      16,
      `through the draw: ${fixed(m1)} ± ${fixed(s1 / Math.sqrt(eps.length))}`,
      "start",
      "vermilion",
    );
    spread.write(
      "s",
      30,
      spread.py(1.15),
      `by the score: ${fixed(m2)} ± ${fixed(s2 / Math.sqrt(eps.length))}`,
      "start",
      "orange",
    );
    const text =
      `At φ = ${fixed(at)} the mean has slope ${fixed(right)}. From the same ${eps.length} draws: ${fixed(m1)} through ` +
      `the draw, ${fixed(m2)} by the score function. One estimate has standard deviation ${fixed(s1)} or ` +
      `${fixed(s2)}, ${fixed(s2 / s1, 1)} times as much.`;
    plot.describe(text);
    spread.describe(text);
    frame.say(text);
  }
  frame.begin();
}
