// @ts-check
/** Draw a sample: the course's own diffusion model, step by step. */

import { Asking, MODELS } from "./asking.js";
import { Frame, still } from "./figure.js";
import { Generator, SCHEDULE } from "./gauss.js";
import { ddimChain } from "./sampling.js";

const STEPS = [5, 10, 20, 50, 100, 200, 1000];

/** @param {HTMLElement} figure */
export default function sample(figure) {
  const frame = new Frame(figure, draw);
  const start = frame.button(`Draw one here (the model: ${figure.dataset.size})`, begin);
  /** @type {Asking} */
  let asking;
  /** @type {import("./sampling.js").Stage[]} */
  let stages = [];
  /** @type {import("./figure.js").Picture[]} */
  let pictures = [];
  /** @type {Record<string, import("./figure.js").Slider>} */
  const sliders = {};
  /** @type {HTMLSelectElement | undefined} */
  let digit;
  /** @type {HTMLButtonElement} */
  let pause;
  let [run, paused, seen] = [0, false, ""];

  async function begin() {
    start.disabled = true;
    asking = new Asking(); // and its worker: a reader who does not press has neither
    frame.say("The model is on its way.");
    let classes;
    try {
      ({ classes } = await asking.ask("load", { models: MODELS }));
    } catch (error) {
      start.disabled = false;
      frame.say(`The model could not be loaded (${error}). The still picture stays.`);
      return;
    }
    start.remove();
    pictures = [frame.picture("x_t"), frame.picture("guess of x_0")];
    const again = frame.button("Another one", () => (sliders.seed.value = (sliders.seed.value % 999) + 1));
    pause = frame.button("Pause", () => {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
    });
    pause.before(again);
    if (classes) {
      const digits = Array.from({ length: classes }, (_, k) => [`d${k}`, String(k)]);
      digit = frame.choice("digit", Object.fromEntries([["any", "any"], ...digits]), "any");
      digit.addEventListener("input", restart);
    }
    sliders.seed = frame.slider("seed", 1, 999, 1, 3);
    if (!frame.small) {
      sliders.steps = frame.slider("steps", 0, STEPS.length - 1, 1, 2, (k) => `${STEPS[k]}`);
      sliders.eta = frame.slider("fresh noise η", 0, 1, 0.1, 0, (v) => (v ? v.toFixed(1) : "0, DDIM"));
      if (classes) sliders.scale = frame.slider("guidance", 0, 4, 0.5, 1, (v) => v.toFixed(1));
    }
    for (const slider of Object.values(sliders)) slider.input.addEventListener("input", restart);
    // A slider that is set by a button tells it by this, too.
    sliders.seed.changed = restart;
    sliders.at = frame.slider("look at step", 0, 20, 1, 0, (k) => (stages[k] ? `t = ${stages[k].t}` : ""));
    frame.begin();
    restart();
  }

  async function restart() {
    const mine = ++run;
    const steps = sliders.steps ? STEPS[sliders.steps.value] : 20;
    const generator = new Generator(sliders.seed.value);
    const y = digit && digit.value !== "any" ? Number(digit.value.slice(1)) : undefined;
    const scale = sliders.scale?.value ?? 1;
    const eps = (/** @type {Float32Array} */ x, /** @type {number} */ t) => asking.ask("eps", { x, t, y, scale });
    stages = [];
    seen = "";
    sliders.at.input.max = String(steps);
    figure.dataset.state = "drawing";
    for await (const stage of ddimChain(
      eps,
      SCHEDULE,
      generator.normal(784),
      steps,
      sliders.eta?.value ?? 0,
      generator,
    )) {
      while (paused && mine === run) await new Promise((resolve) => setTimeout(resolve, 50));
      if (mine !== run) return;
      stages.push(stage);
      if (!still() || stage.t === 0) sliders.at.value = stages.length - 1;
    }
    const shares = await asking.ask("read", { x: stages[steps].x });
    if (mine !== run) return;
    const best = shares.indexOf(Math.max(...shares));
    seen = ` The course's classifier reads a ${best} (${Math.round(100 * shares[best])} %).`;
    figure.dataset.state = "done";
    frame.changed();
  }

  function draw() {
    const stage = stages[sliders.at.value];
    if (!stage) return;
    sliders.at.write();
    pictures[0].show(stage.x, `x_t at t = ${stage.t}`);
    pictures[1].show(stage.guess, "the guess of x_0");
    const left = stages.length - 1 < Number(sliders.at.input.max) ? " Drawing." : seen;
    frame.say(
      `Seed ${sliders.seed.value}, step ${sliders.at.value} of ${sliders.at.input.max}: t = ${stage.t}.${left}`,
    );
  }
}
