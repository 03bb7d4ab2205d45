// @ts-check
/** The ring: start anywhere and follow the exact score, and beside it a network, or the misprints of the notes. */

import { Frame, fixed, still } from "./figure.js";
import { Generator, NoiseSchedule, RING } from "./gauss.js";
import { TimeMLP } from "./nets.js";
import { load } from "./weights.js";

const MISPRINTS = {
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
    const variance = keep * RING.variance + spread;
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

/** `models.RING_SCHEDULE`: all steps of the network. */
export const FULL = NoiseSchedule.linear(200, 5e-4, 0.1);

/**
 * All points back, from T to 0: a generator of what is there at each step, and of undefined wherever it may be left for
 * a while.
 * @param {(x: number[], t: number) => ArrayLike<number>} predict @param {string} kind @param {NoiseSchedule} s
 * @param {number[][]} points @param {number} eta
 */
export function* back(predict, kind, s, points, eta) {
  const noise = new Generator(301);
  yield points;
  for (let t = s.T; t >= 1; t--) {
    const z = t > 1 ? noise.normal(Math.max(16, 2 * points.length)) : new Float32Array(2 * points.length);
    const next = [];
    for (const [i, p] of points.entries()) {
      next.push(stepBack(kind, s, p, t, Array.from(predict(p, t)), eta, z.subarray(2 * i, 2 * i + 2)));
      if (i % 20 === 19) yield;
    }
    yield (points = next);
  }
}

/** @param {HTMLElement} figure */
export default function plane(figure) {
  const frame = new Frame(figure, draw);
  const options = /** @type {import("./figure.js").PlotOptions} */ ({
    x: [-3, 3],
    y: [-3, 3],
    xlabel: "exact score, right step",
    ylabel: "",
    height: 356,
    bare: true,
  });
  // Broken, all misprints are seen at once; otherwise what one chooses.
  const broken = !!figure.querySelector("img.break-it");
  const plots = [frame.plot(options)];
  const others = broken ? Object.values(MISPRINTS) : [""];
  for (const xlabel of others) plots.push(frame.plot({ ...options, xlabel }));
  if (broken) frame.stage.classList.add("live-many");
  const beside = broken
    ? undefined
    : frame.choice(
        "beside it",
        { right: "nothing", network: `a trained network (${figure.dataset.size})`, ...MISPRINTS },
        "right",
      );
  const count = frame.slider("steps", 0, 3, 1, 2, (k) => String([20, 50, 100, 200][k]));
  const eta = frame.slider("fresh noise", 0, 1, 0.1, 1, (v) => (v ? v.toFixed(1) : "0, DDIM"));
  const left = frame.slider("steps left", 0, 100, 1, 0);
  const start = [
    frame.slider("start, across", -3, 3, 0.05, 1.5, fixed),
    frame.slider("start, up", -3, 3, 0.05, -2, fixed),
  ];
  const noise = new Generator(300).normal(2 * N);
  const cloud = Array.from({ length: N }, (_, i) => Array.from(noise.slice(2 * i, 2 * i + 2)));
  let s = FULL;
  /** @type {TimeMLP | undefined} */
  let network;
  let trouble = "";
  /** @type {{asked: string, predict: (x: number[], t: number) => ArrayLike<number>, job: ReturnType<typeof back>, clouds: number[][][], from: string, path: number[][]}[]} */
  const sides = [];
  for (const plot of plots) {
    plot.drag((...at) => at.forEach((v, i) => (start[i].value = v)));
    for (const [i, mean] of RING.means.entries()) {
      plot.put(`c${i}`, "circle", { cx: `${plot.px(mean[0])}`, cy: `${plot.py(mean[1])}`, r: "23", class: "axis" });
    }
  }

  async function fetchNetwork() {
    trouble = "The network is on its way.";
    try {
      network = new TimeMLP(await load("diffusion-ring"));
      trouble = "";
    } catch (error) {
      trouble = `The network could not be loaded (${error}).`;
    }
    frame.changed();
  }

  /** What is asked of a side; its cloud begins anew if that has changed. @param {number} k @param {string} kind */
  function prepare(k, kind) {
    const asked = `${s.T} ${eta.value} ${kind}`;
    if (sides[k]?.asked === asked) return;
    const full = FULL.steps(s.T).reverse();
    const net = network;
    const predict =
      kind === "network" && net
        ? (/** @type {number[]} */ x, /** @type {number} */ t) => net.eps(x, full[t - 1])
        : predictor(kind, s);
    sides[k] = { asked, predict, job: back(predict, kind, s, cloud, eta.value), clouds: [], from: "", path: [] };
  }

  /** The clouds, for as long as a frame has time. */
  function advance() {
    const end = performance.now() + 6;
    const unfinished = () => sides.filter(({ clouds }) => clouds.length <= s.T);
    while (unfinished().length && performance.now() < end) {
      for (const { job, clouds } of unfinished()) {
        const { value } = job.next();
        if (value) clouds.push(value);
      }
    }
  }

  function draw() {
    const T = [20, 50, 100, 200][count.value];
    if (s.T !== T) {
      s = FULL.coarse(T);
      left.input.max = String(T);
      left.write();
    }
    if (beside?.value === "network" && !network && !trouble) fetchNetwork();
    const kinds = ["right", ...(beside ? [beside.value] : Object.keys(MISPRINTS))];
    if (beside?.value === "right" || (beside?.value === "network" && !network)) kinds.pop();
    if (beside) {
      plots[1].svg.style.display = kinds[1] ? "" : "none";
      plots[1].write("xlabel", 182, 350, kinds[1] === "network" ? "network" : "with the misprint", "middle");
    }
    sides.length = Math.min(sides.length, kinds.length);
    kinds.forEach((kind, k) => prepare(k, kind));
    advance();
    const said = kinds.map((kind, k) => {
      const { predict, clouds } = sides[k];
      const from = start.map((slider) => slider.value);
      if (String(from) !== sides[k].from) {
        sides[k].from = String(from);
        sides[k].path = [...back(predict, kind, s, [from], eta.value)].map((p) => p?.[0] ?? []);
      }
      const { path } = sides[k];
      const shown = path.slice(0, T - left.value + 1);
      const end = shown[shown.length - 1];
      // While it is computed, the cloud is shown as far as it has come; or, to a reader who wants no motion, not yet.
      const here = T - left.value;
      const points = clouds[still() && clouds.length <= here ? 0 : Math.min(clouds.length - 1, here)];
      const color = k ? "vermilion" : "blue";
      plots[k].dots(
        "cloud",
        points.filter((p) => Math.hypot(p[0], p[1]) < 5),
        color,
      );
      plots[k].line(
        "path",
        shown.map((p) => p[0]),
        shown.map((p) => p[1]),
        "",
      );
      plots[k].dot("start", path[0][0], path[0][1], "orange", 6);
      plots[k].dot("end", end[0], end[1], "green", 5);
      const squares = points.map((p) => Math.min(...RING.means.map((m) => (p[0] - m[0]) ** 2 + (p[1] - m[1]) ** 2)));
      const near = squares.filter((square) => square < 9 * RING.variance);
      const ratio = near.reduce((sum, v) => sum + v, 0) / near.length / (2 * RING.variance);
      const text =
        `${{ right: "Right", network: "Network" }[kind] ?? `With ${kind}`}: ${near.length} of ${N} points within three standard ` +
        `deviations of a centre${near.length ? `, their spread ${fixed(ratio)} of the data's` : ""}; ` +
        (Math.hypot(...end) < 1000
          ? `your point, from (${from.map((v) => fixed(v)).join(", ")}), is at (${fixed(end[0])}, ${fixed(end[1])}).`
          : "your point has left for infinity.");
      plots[k].describe(text);
      return broken ? `${kind} ${near.length}${near.length ? ` (${fixed(ratio)})` : ""}` : text;
    });
    const all = `Of ${N} points within three standard deviations of a centre (in brackets: their variance, divided by that of the data): `;
    frame.say(`${left.value} of ${T} steps left. ${broken ? `${all}${said.join(", ")}.` : said.join(" ")} ${trouble}`);
    if (sides.some(({ clouds }) => clouds.length <= T)) frame.changed();
  }
  frame.begin();
}
