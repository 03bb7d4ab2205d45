// @ts-check
/** Draw a digit: what the course's VAE codes it as, and the two terms of its bound (F11, F14 to F16). */

import { cloud, nearest } from "./codes.js";
import { fixed, Frame } from "./figure.js";
import { Generator, klToStandardNormal } from "./gauss.js";
import { TWO } from "./digit.js";
import { MLP } from "./nets.js";
import { load, table } from "./weights.js";

/** `VAE.elbo` of a Bernoulli decoder at one draw. @param {MLP} encoder @param {MLP} decoder @param {Float32Array} x @param {ArrayLike<number>} eps */
export function elbo(encoder, decoder, x, eps) {
  const out = encoder.forward(x, Math.tanh);
  const k = out.length / 2;
  const [mu, logVar] = [out.subarray(0, k), out.subarray(k)];
  const logits = decoder.forward(
    mu.map((m, i) => m + Math.exp(logVar[i] / 2) * eps[i]),
    Math.tanh,
  );
  let reconstruction = 0;
  logits.forEach((logit, i) => {
    const signed = x[i] > 0.5 ? logit : -logit;
    reconstruction += Math.min(signed, 0) - Math.log1p(Math.exp(-Math.abs(signed)));
  });
  return {
    mu,
    logVar,
    reconstruction,
    kl: klToStandardNormal(mu, logVar),
    mean: logits.map((v) => 1 / (1 + Math.exp(-v))),
  };
}

/** Where a code lies in the plane of two directions. @param {Float32Array} directions @param {Float32Array} mu */
export const seen = (directions, mu) =>
  [0, 1].map((row) => mu.reduce((sum, m, i) => sum + m * directions[row * mu.length + i], 0));

/** @param {HTMLElement} figure */
export default function drawing(figure) {
  const frame = new Frame(figure, draw);
  frame.fetching("Draw a digit here", begin);
  /** @type {MLP} */
  let encoder;
  /** @type {MLP} */
  let decoder;
  /** @type {Float32Array} */
  let x = new Float32Array(784);
  let [row, column] = [14, 14];
  /** @type {import("./figure.js").Picture[]} */
  let pictures = [];
  /** @type {import("./figure.js").Plot} */
  let codes;
  /** @type {import("./figure.js").Plot} */
  let plane;
  /** @type {Float32Array} two rows */
  let directions;
  /** @type {import("./codes.js").Codes} */
  let coded;
  /** @type {import("./figure.js").Slider} */
  let seed;

  async function begin() {
    const [tensors, others] = await Promise.all([load("vae-mnist"), table("codes-50")]);
    [encoder, decoder] = [new MLP(tensors, "encoder."), new MLP(tensors, "decoder.")];
    [directions, coded] = [others.directions, { codes: others.codes, classes: others.classes }];
    pictures = ["yours", "what the decoder expects"].map((title) => frame.picture(title));
    pictures[1].canvas.classList.add("large"); // as the one that is drawn on
    codes = frame.plot({ x: [-1, 50], y: [-4, 4], xlabel: "latent", ylabel: "μ, and ± σ" });
    const [xs, ys] = [0, 1].map((axis) => coded.codes.filter((_, i) => i % 2 === axis));
    /** @param {Float32Array} v @returns {[number, number]} */
    const around = (v) => [Math.min(...v) - 1, Math.max(...v) + 1];
    plane = frame.plot({
      x: around(xs),
      y: around(ys),
      xlabel: "codes, along two of many directions",
      ylabel: "",
      bare: true,
    });
    cloud(plane, coded);
    frame.button("Wipe it", () => set(new Float32Array(784)));
    frame.button("A two", () => set(TWO.map((v) => (v > 0 ? 1 : 0))));
    seed = frame.slider("draw of z: seed", 1, 50, 1, 1);
    x = TWO.map((v) => (v > 0 ? 1 : 0));
    pen(pictures[0].canvas);
    frame.begin();
  }

  /** @param {Float32Array} image */
  function set(image) {
    x = image;
    frame.changed();
  }

  /** A stroke two pixels wide. @param {number} i @param {number} j */
  function ink(i, j) {
    for (const [a, b] of [
      [i, j],
      [i + 1, j],
      [i, j + 1],
      [i + 1, j + 1],
    ])
      if (a < 28 && b < 28) x[a * 28 + b] = 1;
    frame.changed();
  }

  /** The mouse and the finger draw; with the keyboard the arrows move the pen and the space bar sets it down. @param {HTMLCanvasElement} canvas */
  function pen(canvas) {
    canvas.classList.add("live-drag");
    canvas.tabIndex = 0;
    /** @type {number[] | undefined} */
    let last;
    let down = false;
    const move = (/** @type {PointerEvent} */ event) => {
      const box = canvas.getBoundingClientRect();
      const at = [event.clientY - box.top, event.clientX - box.left].map((v) =>
        Math.min(27, Math.max(0, (v / box.width) * 28 - 0.5)),
      );
      const from = last ?? at;
      const n = Math.ceil(Math.max(1, ...at.map((v, i) => Math.abs(v - from[i]))));
      for (let k = 0; k <= n; k++) {
        const [i, j] = at.map((v, axis) => Math.round(from[axis] + ((v - from[axis]) * k) / n));
        ink(i, j);
      }
      last = at;
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      last = undefined;
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && move(event));
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (by) [row, column] = [row + by[0], column + by[1]].map((v) => Math.min(27, Math.max(0, v)));
      else if (event.key === " ") down = !down;
      else return;
      event.preventDefault();
      if (down) ink(row, column);
      frame.changed();
    });
  }

  function draw() {
    const { mu, logVar, reconstruction, kl, mean } = elbo(encoder, decoder, x, new Generator(seed.value).normal(50));
    const shown = Float32Array.from(x);
    if (document.activeElement === pictures[0].canvas) shown[row * 28 + column] = x[row * 28 + column] ? 0.6 : 0.4;
    pictures[0].show(shown, "yours", 0);
    pictures[1].show(mean, "what the decoder expects", 0);
    mu.forEach((m, i) => {
      const sigma = Math.exp(logVar[i] / 2);
      codes.line(`s${i}`, [i, i], [m - sigma, m + sigma], "orange");
      codes.dot(`m${i}`, i, m, "blue", 2.5);
    });
    const at = seen(directions, mu);
    const limits = [plane.xs, plane.ys];
    const [px, py] = at.map((v, axis) => Math.min(limits[axis][1], Math.max(limits[axis][0], v)));
    plane.dot("own", px, py, "vermilion", 7);
    const { digit, count } = nearest(coded, at[0], at[1]);
    const used = logVar.filter((v) => v < Math.log(0.5)).length;
    const text =
      `Reconstruction ${fixed(reconstruction)}, minus KL ${fixed(kl)}: bound ${fixed(reconstruction - kl)} nats. ` +
      `In ${used} of 50 latents the image makes σ less than 0.7; the prior has 1. ` +
      `In the plane, which has only two directions of fifty, ${count} of the twenty nearest codes of test images show a ` +
      `${digit}, which may mislead; the decoder sees all fifty.`;
    codes.describe(
      `Mean and standard deviation of each of 50 latents; in ${used} the standard deviation is less than 0.7.`,
    );
    plane.describe(
      `Codes of 1,000 test images along two directions, coloured by digit, and yours at (${at.map((v) => fixed(v)).join(", ")}).`,
    );
    frame.say(`${text} In the left square draw with the mouse, a finger, or the arrow keys and the space bar.`);
  }
}
