// @ts-check
/** The EM stepper: p(x | z) = N(x; W z, 1), q(z | x) = N(z; a x, σ²), data of mean square S (F18 to F20). */

import { Frame, fixed, range } from "./figure.js";

/** The first principal coordinate of the digits, in units of eight grey levels. */
export const S = 2.7806206410507026;
const LOG_2PI = Math.log(2 * Math.PI);

/** @param {number} w the decoder W @param {number} a @param {number} v the variance σ² */
export function elbo(w, a, v) {
  return -(S * (1 - a * w) ** 2 + v * w ** 2 + LOG_2PI) / 2 - (a ** 2 * S + v - 1 - Math.log(v)) / 2;
}

/** @param {number} w */
export const logLikelihood = (w) => -(S / (1 + w ** 2) + Math.log(1 + w ** 2) + LOG_2PI) / 2;
/** The posterior: a and σ². @param {number} w */
export const eStep = (w) => [w / (1 + w ** 2), 1 / (1 + w ** 2)];
/** The top of the parabola in W. @param {number} a @param {number} v */
export const mStep = (a, v) => (a * S) / (a ** 2 * S + v);

/**
 * Where the bound has a height, over W to the right and up the W whose posterior q is: for each q it is a parabola in W.
 * @param {number} height
 */
export function contour(height) {
  const [left, right] = [[], []].map((side) => /** @type {number[][]} */ (side));
  for (const of of range(0.005, 2.4, 480)) {
    const [a, v] = eStep(of);
    const top = mStep(a, v);
    const half = Math.sqrt((2 * (elbo(top, a, v) - height)) / (a ** 2 * S + v));
    if (half >= 0) {
      left.push([top - half, of]);
      right.unshift([top + half, of]);
    }
  }
  return left.concat(right, left.slice(0, 1));
}

/** @param {HTMLElement} figure */
export default function em(figure) {
  const frame = new Frame(figure, draw);
  const plot = frame.plot({ x: [0, 2.4], y: [-2.6, -1.7], xlabel: "W, the decoder", ylabel: "nats" });
  const land = frame.plot({
    x: [0, 2.4],
    y: [0, 2.4],
    xlabel: "W, the decoder (M-step: ↔)",
    ylabel: "W that q fits (E-step: ↕)",
  });
  const rises = frame.plot({ x: [0, 12], y: [-2.6, -1.7], xlabel: "steps", ylabel: "bound" });
  const begun = "The parabola touches at the circle. Press M-step: W walks to the square.";
  const moved = "You moved W, and the encoder stayed: press E-step to lift the parabola.";
  let touch = 0.4; // where the parabola was lifted to the curve
  let [a, v] = eStep(touch);
  let word = begun;
  /** @type {{bound: number, color: string, place: number[]}[]} */
  let path = [];
  const w = frame.slider("W", 0, 2.4, 0.01, touch, (value) => fixed(value));
  const e = frame.button("E-step", () => step("E"));
  const m = frame.button("M-step", () => step("M"));
  frame.button("Begin again", () => {
    [touch, path, word] = [0.4, [], begun];
    [a, v] = eStep(touch);
    w.value = touch;
  });
  w.input.addEventListener("input", () => {
    [path, word] = [[], moved];
  });
  plot.drag((x) => {
    [path, word] = [[], moved];
    w.value = x;
  });
  w.input.step = "any"; // an M-step arrives at any number
  w.input.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 0.02, ArrowUp: 0.02, ArrowLeft: -0.02, ArrowDown: -0.02 }[event.key];
    if (!by) return;
    event.preventDefault();
    [path, word] = [[], moved];
    w.value += by;
  });

  /** @param {number} bound @param {string} color */
  const now = (bound, color) => ({ bound, color, place: [w.value, touch] });

  /** @param {string} which */
  function step(which) {
    const before = elbo(w.value, a, v);
    if (!path.length) path = [now(before, "grey")];
    if (which === "E") [a, v] = eStep((touch = w.value));
    else w.value = mStep(a, v);
    const rise = elbo(w.value, a, v) - before;
    if (path.length > 12) path = path.slice(-12);
    path.push(now(before + rise, which === "E" ? "blue" : "vermilion"));
    word = `${which}-step: the bound rose by ${rise.toFixed(4)}.`;
    frame.changed();
  }

  const xs = range(0, 2.4, 241);
  plot.line("likelihood", xs, xs.map(logLikelihood), "");
  plot.rule("best", Math.sqrt(S - 1), "green dashed");
  plot.write("n1", 58, 22, "log-likelihood");
  plot.write("n2", 168, 22, "bound", "start", "blue");
  plot.write("n3", 338, 22, "best W", "end", "green");
  plot.write("n4", 58, 38, "● touches here", "start", "blue");
  plot.write("n5", 338, 38, "■ top of the bound", "end", "vermilion");
  for (const height of [-2.6, -2.3, -2.1, -2, -1.96, -1.94]) {
    const points = contour(height);
    const [ws, of] = [0, 1].map((i) => points.map((point) => point[i]));
    land.line(`at ${height}`, ws, of, "thin");
  }
  land.line("posterior", [0, 2.4], [0, 2.4], "green dashed");
  rises.write("n1", 338, 40, "largest log-likelihood", "end", "green");
  rises.write("n2", 338, 178, "● after an E-step", "end", "blue");
  rises.write("n3", 338, 194, "● after an M-step", "end", "vermilion");

  const below = (/** @type {number} */ bound) => (bound < -2.6 ? `↓ ${fixed(bound)}` : "");

  function draw() {
    const bound = elbo(w.value, a, v);
    plot.line(
      "bound",
      xs,
      xs.map((x) => elbo(x, a, v)),
      "blue",
    );
    const top = mStep(a, v);
    plot.dot("touch", touch, logLikelihood(touch), "blue", 6);
    const [x, y] = [plot.px(top) - 5, plot.py(elbo(top, a, v)) - 5].map((at) => at.toFixed(1));
    plot.put("top", "rect", { x, y, width: "10", height: "10", class: "vermilion", style: "fill: var(--ink)" });
    plot.dot("now", w.value, Math.max(-2.6, bound), "grey", 3);
    plot.write("below", plot.px(w.value), plot.bottom - 8, below(bound), "middle");
    const shown = path.length ? path : [now(bound, "grey")];
    const [ws, of] = [0, 1].map((i) => shown.map(({ place }) => place[i]));
    land.line("path", ws, of, "grey");
    land.dot("here", w.value, touch, shown[shown.length - 1].color, 5);
    rises.line(
      "path",
      shown.map((_, i) => i),
      shown.map((at) => at.bound),
      "grey",
    );
    shown.forEach((at, i) => rises.dot(`p${i}`, i, Math.max(-2.6, at.bound), at.color));
    rises.write("below", rises.left + 8, rises.bottom - 8, below(shown[0].bound)); // no step ends there
    for (let i = shown.length; i < 14; i++) rises.marks.get(`p${i}`)?.setAttribute("r", "0");
    rises.line("top", [0, 12], [logLikelihood(Math.sqrt(S - 1)), logLikelihood(Math.sqrt(S - 1))], "green dashed");
    const text =
      `${word} W = ${fixed(w.value, 3)}, a = ${fixed(a, 3)}, σ² = ${fixed(v, 3)}: bound ${fixed(bound, 4)}, log-likelihood ` +
      `${fixed(logLikelihood(w.value), 4)}; the best W is ${fixed(Math.sqrt(S - 1), 3)}.`;
    plot.describe(
      `Over W, the log-likelihood and below it the bound, a parabola: they touch at W = ${fixed(touch)}; its top is at ` +
        `${fixed(top)}; you are at ${fixed(w.value)}.`,
    );
    land.describe(
      `Lines of equal bound over W and over the W that q fits; you are at (${fixed(w.value)}, ${fixed(touch)}), and the ` +
        `top is where both are ${fixed(Math.sqrt(S - 1))}.`,
    );
    rises.describe(`The bound after each step: ${shown.map((at) => fixed(at.bound, 3)).join(", ")}.`);
    frame.say(text);
    [e.disabled, m.disabled] = [false, false];
  }
  frame.begin();
}
