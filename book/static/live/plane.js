// @ts-check
/** The ring: start anywhere and follow the exact score, with the right step and with the misprints of the notes. */

import { Frame, fixed } from "./figure.js";
import { Generator, NoiseSchedule, RING } from "./gauss.js";

const KINDS = {
  right: "none: the right step",
  E9: "E9: trained on α for ᾱ",
  E10: "E10: divided by √(1 − α)",
  E11: "E11: trained on noise β ε",
  E13: "E13: divided by √ᾱ",
};
const N = 200;

/**
 * What a perfect network answers at each step, for the chain that it was trained on. Written for this one mixture, of
 * equal weights and variances: a cloud asks it forty thousand times while a finger moves.
 * @param {string} kind @param {NoiseSchedule} s
 */
export function predictor(kind, s) {
  let printed = 0; // the variance of the noise in the chain as E11 prints it
  const laws = Array.from({ length: s.T }, (_, i) => {
    const t = i + 1;
    let [keep, spread] = [s.alphaBar[t], s.noiseVariance[t]];
    printed = (1 - s.beta[t]) * printed + s.beta[t] ** 2;
    if (kind === "E9") [keep, spread] = [1 - s.beta[t], s.beta[t]];
    if (kind === "E11") spread = printed;
    const [xs, ys] = [0, 1].map((axis) => Float64Array.from(RING.means, (mean) => Math.sqrt(keep) * mean[axis]));
    const variance = keep * RING.variances[0] + spread;
    return { xs, ys, variance, scale: -Math.sqrt(spread) / variance };
  });
  const squares = new Float64Array(RING.means.length);
  return (/** @type {ArrayLike<number>} */ p, /** @type {number} */ t) => {
    const { xs, ys, variance, scale } = laws[t - 1];
    let least = Infinity;
    for (let j = 0; j < squares.length; j++) {
      squares[j] = (xs[j] - p[0]) ** 2 + (ys[j] - p[1]) ** 2;
      if (squares[j] < least) least = squares[j];
    }
    let total = 0;
    let x = 0;
    let y = 0;
    for (let j = 0; j < squares.length; j++) {
      const share = Math.exp((least - squares[j]) / (2 * variance));
      total += share;
      x += share * (xs[j] - p[0]);
      y += share * (ys[j] - p[1]);
    }
    return [(scale * x) / total, (scale * y) / total];
  };
}

/**
 * One step back of one point (F35); `eta` scales the fresh noise, and with 0 the step is that of DDIM.
 * @param {string} kind @param {NoiseSchedule} s @param {number[]} x @param {number} t @param {number[]} eps
 * @param {number} eta @param {ArrayLike<number>} z
 */
export function stepBack(kind, s, x, t, eps, eta, z) {
  const [alpha, beta] = [1 - s.beta[t], s.beta[t]];
  if (kind === "E10" || kind === "E13") {
    const below = kind === "E10" ? beta : s.noiseVariance[t];
    const before = kind === "E13" ? s.alphaBar[t] : alpha;
    const sigma = eta * Math.sqrt(s.posteriorVariance[t]);
    return x.map((v, i) => (v - (beta / Math.sqrt(below)) * eps[i]) / Math.sqrt(before) + sigma * z[i]);
  }
  const [keep, spread] = s.noising(t);
  const [ofX0, ofEps, ofNew] = s.ddim(t, t - 1, eta);
  return x.map((v, i) => (ofX0 * (v - spread * eps[i])) / keep + ofEps * eps[i] + ofNew * z[i]);
}

/** @param {HTMLElement} figure */
export default function plane(figure) {
  const frame = new Frame(figure, draw);
  const options = /** @type {import("./figure.js").PlotOptions} */ ({
    x: [-3, 3],
    y: [-3, 3],
    xlabel: "right",
    ylabel: "",
    height: 350,
    bare: true,
  });
  const plots = [frame.plot(options), frame.plot({ ...options, xlabel: "with the misprint" })];
  const misprint = frame.choice("misprint", KINDS, figure.querySelector("img.break-it") ? "E10" : "right");
  const count = frame.slider("steps", 0, 3, 1, 2, (k) => String([20, 50, 100, 200][k]));
  const eta = frame.slider("fresh noise", 0, 1, 0.1, 1, (v) => (v ? v.toFixed(1) : "0, DDIM"));
  const left = frame.slider("steps left", 0, 100, 1, 0);
  const x = frame.slider("start, across", -3, 3, 0.05, 1.5, (v) => fixed(v));
  const y = frame.slider("start, up", -3, 3, 0.05, -2, (v) => fixed(v));
  let known = "";
  let s = NoiseSchedule.linear(100);
  /** @type {ReturnType<typeof predictor>[]} */
  let predict = [];
  /** @type {number[][][][]} of each plot, the cloud at each step left */
  let clouds = [];
  const start = new Generator(300).normal(2 * N);
  for (const plot of plots) {
    plot.drag((px, py) => {
      x.value = px;
      y.value = py;
    });
    for (const [i, mean] of RING.means.entries()) {
      plot.put(`c${i}`, "circle", { cx: `${plot.px(mean[0])}`, cy: `${plot.py(mean[1])}`, r: "23", class: "axis" });
    }
  }

  /** All points back, from T to 0. @param {number} k @param {number[][]} points @param {string} kind */
  function back(k, points, kind) {
    const noise = new Generator(301);
    const stages = [points];
    for (let t = s.T; t >= 1; t--) {
      const z = t > 1 ? noise.normal(Math.max(16, 2 * points.length)) : new Float32Array(2 * N);
      points = points.map((p, i) => stepBack(kind, s, p, t, predict[k](p, t), eta.value, z.subarray(2 * i, 2 * i + 2)));
      stages.unshift(points);
    }
    return stages;
  }

  function draw() {
    const T = [20, 50, 100, 200][count.value];
    const kinds = ["right", misprint.value];
    const asked = `${T} ${eta.value} ${misprint.value}`;
    plots[1].svg.style.display = misprint.value === "right" ? "none" : "";
    if (asked !== known) {
      known = asked;
      s = NoiseSchedule.linear(T, 0.1 / T, 20 / T);
      left.input.max = String(T);
      left.write();
      predict = kinds.map((kind) => predictor(kind, s));
      const points = Array.from({ length: N }, (_, i) => Array.from(start.slice(2 * i, 2 * i + 2)));
      clouds = kinds.map((kind, k) => (k && kind === "right" ? [] : back(k, points, kind)));
    }
    const said = kinds.map((kind, k) => {
      if (k && kind === "right") return "";
      const path = back(k, [[x.value, y.value]], kind).map(([p]) => p);
      const shown = path.slice(left.value).reverse();
      plots[k].dots(
        "cloud",
        clouds[k][left.value].filter((p) => Math.hypot(p[0], p[1]) < 5),
        k ? "vermilion" : "blue",
      );
      plots[k].line(
        "path",
        shown.map((p) => p[0]),
        shown.map((p) => p[1]),
        "",
      );
      plots[k].dot("start", x.value, y.value, "orange", 6);
      plots[k].dot("end", path[left.value][0], path[left.value][1], "green", 5);
      const near = clouds[k][left.value].filter((p) =>
        RING.means.some((m) => Math.hypot(p[0] - m[0], p[1] - m[1]) < 3 * Math.sqrt(0.02)),
      );
      const squares = near.map((p) => Math.min(...RING.means.map((m) => (p[0] - m[0]) ** 2 + (p[1] - m[1]) ** 2)));
      const ratio = squares.reduce((sum, v) => sum + v, 0) / squares.length / 0.04;
      const text =
        `${k ? `With ${kind}` : "Right"}: ${near.length} of ${N} points within three standard deviations of a centre` +
        `${near.length ? `, their spread ${fixed(ratio)} of the data's` : ""}; ` +
        (Math.hypot(...path[left.value]) < 1000
          ? `your point is at (${fixed(path[left.value][0])}, ${fixed(path[left.value][1])}).`
          : "your point has left for infinity.");
      plots[k].describe(text);
      return text;
    });
    frame.say(`${left.value} of ${T} steps left. ${said.join(" ")}`);
  }
  frame.begin();
}
