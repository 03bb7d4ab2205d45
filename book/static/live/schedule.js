// @ts-check
/** Design a schedule: four handles for beta_t, and what becomes of a digit (F25, F28). */

import { Frame, fixed, make, name, range } from "./figure.js";
import { Generator, NoiseSchedule } from "./gauss.js";
import { TWO } from "./digit.js";

const T = 1000;
const AT = [1, 333, 667, 1000];

/** Betas whose logarithms lie on straight lines between the handles. @param {number[]} logs to the base 10 */
export function through(logs) {
  return new NoiseSchedule(
    Array.from({ length: T }, (_, i) => {
      const k = Math.min(
        2,
        AT.findIndex((t, j) => i + 1 >= t && (j === 3 || i + 1 < AT[j + 1])),
      );
      const share = (i + 1 - AT[k]) / (AT[k + 1] - AT[k]);
      return 10 ** (logs[k] + share * (logs[k + 1] - logs[k]));
    }),
  );
}

/** @param {HTMLElement} figure */
export default function schedule(figure) {
  const frame = new Frame(figure, draw);
  // A little to the left of 0, so that the first handle does not hide the numbers.
  const betas = frame.plot({ x: [-30, T], y: [-5, 0], xlabel: "step t", ylabel: "log₁₀ β" });
  const kept = frame.plot({ x: [0, T], y: [0, 1], xlabel: "step t", ylabel: "ᾱ and 1 − ᾱ" });
  const path = frame.plot({ x: [0, T], y: [-3, 3], xlabel: "step t", ylabel: "one pixel" });
  const pictures = [0, 1, 2, 3, 4].map(() => frame.picture(""));
  frame.stage.append(
    make("div", { class: "live-row" }, ...pictures.map((p) => /** @type {Node} */ (p.canvas.parentNode))),
  );
  const given = { linear: NoiseSchedule.linear(T), cosine: NoiseSchedule.cosine(T, 0.05) };
  const start = frame.choice(
    "start from",
    { linear: "linear (Ho)", cosine: "cosine, cut at 0.05", own: "your own" },
    "linear",
  );
  const handles = AT.map((t) => frame.slider(`β at ${t}`, -5, -0.3, 0.05, -2, (v) => (10 ** v).toPrecision(2)));
  const at = frame.slider("look at t", 0, T, 10, 300);
  let s = given.linear;
  const noise = Array.from({ length: 5 }, (_, k) => new Generator(11 + k).normal(784));
  const steps = new Generator(7).normal(T);

  function preset() {
    if (start.value === "own") return;
    s = given[/** @type {"linear" | "cosine"} */ (start.value)];
    AT.forEach((t, k) => {
      handles[k].input.valueAsNumber = Math.log10(s.beta[t]);
      handles[k].write();
    });
  }
  /** Betas must not fall (F25): a handle takes its neighbours along. @param {number} k */
  function moved(k) {
    start.value = "own";
    handles.forEach((handle, j) => {
      const [mine, its] = [handles[k].value, handle.value];
      if ((j < k && its > mine) || (j > k && its < mine)) handle.input.valueAsNumber = mine;
      handle.write();
    });
    s = through(handles.map((handle) => handle.value));
  }
  start.addEventListener("input", preset);
  handles.forEach((handle, k) => {
    handle.changed = () => {
      moved(k);
      frame.changed();
    };
  });
  betas.drag((x, y) => {
    const nearest = AT.reduce((best, t, k) => (Math.abs(t - x) < Math.abs(AT[best] - x) ? k : best), 0);
    handles[nearest].value = y;
  });
  const look = (/** @type {number} */ x) => (at.value = Math.round(x));
  kept.drag(look);
  path.drag(look);
  preset();
  const ts = range(0, T, 201);

  const share = (/** @type {number} */ v, digits = 2) => (v < 1e-6 ? "less than a millionth" : name(v, digits));

  function draw() {
    const t = at.value;
    betas.line(
      "beta",
      ts.slice(1),
      ts.slice(1).map((k) => Math.log10(s.beta[k])),
      "vermilion",
    );
    AT.forEach((k, j) => betas.dot(`h${j}`, k, Math.log10(s.beta[k]), "vermilion", 8));
    kept.line(
      "signal",
      ts,
      ts.map((k) => s.alphaBar[k]),
      "blue",
    );
    kept.line(
      "noise",
      ts,
      ts.map((k) => s.noiseVariance[k]),
      "orange dashed",
    );
    kept.write("n1", 338, 100, "signal ᾱ", "end", "blue");
    kept.write("n2", 338, 116, "noise 1 − ᾱ", "end", "orange");
    for (const plot of [kept, path]) plot.rule("at", t, "grey dashed");
    // One pixel, white at first, by single steps (F24).
    const x = new Float64Array(T + 1).fill(-1);
    for (let k = 1; k <= T; k++) x[k] = Math.sqrt(1 - s.beta[k]) * x[k - 1] + Math.sqrt(s.beta[k]) * steps[k - 1];
    path.line("path", range(0, T, T + 1), x, "green");
    pictures.forEach((picture, k) => {
      const step = k === 4 ? T : k === 2 ? t : [0, Math.round(t / 2), t, Math.round((t + T) / 2)][k];
      const [keep, spread] = s.noising(step);
      picture.show(
        TWO.map((v, i) => keep * v + spread * noise[k][i]),
        `t = ${step}`,
      );
    });
    const half = s.alphaBar.findIndex((v) => v < 0.5);
    const snr = t ? share(s.snr(t)) : "without end";
    const text =
      `At t = ${t}, ${share(s.alphaBar[t], 3)} of the signal's variance is left, signal to noise ${snr}. ` +
      `${half < 0 ? "Half of it is never gone" : `Half of it is gone at t = ${half}`}; at the end ${share(s.alphaBar[T])} is left` +
      `${s.alphaBar[T] > 0.01 ? ": too much to begin a sample from pure noise" : ""}.`;
    betas.describe(`β over the steps, through four handles: ${AT.map((k) => name(s.beta[k], 2)).join(", ")}.`);
    kept.describe(
      `The signal's share ᾱ falls from 1 to ${share(s.alphaBar[T])}, the noise's rises; at t = ${t} they are ` +
        `${fixed(s.alphaBar[t])} and ${fixed(s.noiseVariance[t])}.`,
    );
    path.describe(`One pixel on its way from white to noise: ${fixed(x[t])} at t = ${t}.`);
    frame.say(text);
  }
  frame.begin();
}
