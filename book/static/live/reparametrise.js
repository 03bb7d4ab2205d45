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
    xlabel: "slope, as each draw estimates it",
    ylabel: "",
    height: 190,
    bare: "y",
  });
  const phi = frame.slider("φ", -2, 2, 0.02, 0.6, (v) => fixed(v));
  const n = frame.slider("draws", 0, 4, 1, 1, (k) => String([16, 32, 100, 400, 1000][k]));
  const seed = frame.slider("seed", 1, 50, 1, 8);
  // The other is not known yet where the figure stands.
  const shown = frame.choice("estimates", { one: "through the draw", both: "and by the score function" }, "one");
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
    const ways = [
      { id: "through", values: through, s: s1, from: 1.75, name: "through the draw", color: "vermilion" },
      { id: "score", values: score, s: s2, from: 0.2, name: "by the score function", color: "orange" },
    ];
    const root = Math.sqrt(eps.length);
    for (const { id, values, s, from, name, color } of ways) {
      const seen = id === "through" || shown.value === "both";
      const points = values.map((v, i) => [Math.max(-25, Math.min(25, v)), from + 0.2 + ((i * 0.618) % 1) * 0.5]);
      spread.dots(id, seen ? points : [], color);
      // One standard deviation to either side of the slope.
      spread.line(`${id} bar`, seen ? [right - s, right + s] : [], [from, from], color);
      spread.line(`${id} exact`, seen ? [right, right] : [], [from - 0.15, from + 0.75], "blue dashed");
      const words = `${name}: one draw ± ${fixed(s)}`; // the mean is in the words below: here it would be cut
      spread.write(`${id} words`, 30, spread.py(from + 0.85), seen ? words : "", "start", color);
    }
    const text =
      `At φ = ${fixed(at)} the mean has slope ${fixed(right)}. The estimate of one draw has standard deviation ` +
      `${fixed(s1)}; the mean of ${eps.length} is ${fixed(m1)}, with standard error ${fixed(s1 / root)}.` +
      (shown.value === "one"
        ? ""
        : ` By the score function, from the same draws: one draw's standard deviation is ${fixed(s2)}, ` +
          `${fixed(s2 / s1, 1)} times as much; the mean is ${fixed(m2)}, with standard error ${fixed(s2 / root)}.`);
    plot.describe(
      `The curve f, draws on it around φ = ${fixed(at)} with their slopes, and the curve of the mean with its slope ${fixed(right)}.`,
    );
    spread.describe(
      `The slope as each of ${eps.length} draws estimates it, around ${fixed(right)}: through the draw ± ${fixed(s1)}` +
        (shown.value === "one" ? "." : `, by the score function ± ${fixed(s2)}.`),
    );
    frame.say(text);
  }
  frame.begin();
}
