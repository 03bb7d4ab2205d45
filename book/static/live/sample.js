// @ts-check
/** Draw a sample: the course's own diffusion model, step by step. */

import { Asking } from "./asking.js";
import { Frame, still } from "./figure.js";
import { Generator, SCHEDULE } from "./gauss.js";
import { ddimChain } from "./sampling.js";

const STEPS = [5, 10, 20, 50, 100, 200, 1000];
const WORDS = ["first", "second", "third", "fourth", "fifth", "sixth"];

/**
 * Where a chain starts, and what draws its noise: by a seed, or as one of the six images of the chapter, which were drawn
 * together from seed 3, and their noise from seed 0.
 * @param {string} from `seed`, or the number of the image @param {number} seed
 * @returns {{x: Float32Array, generator: {normal: (n: number) => Float32Array}}}
 */
export function beginning(from, seed) {
  if (from === "seed") {
    const generator = new Generator(seed);
    return { x: generator.normal(784), generator };
  }
  const row = (/** @type {Generator} */ drawn) => (/** @type {number} */ n) =>
    drawn.normal(6 * n).subarray(Number(from) * n, (Number(from) + 1) * n);
  return { x: row(new Generator(3))(784), generator: { normal: row(new Generator(0)) } };
}

/** @param {HTMLElement} figure */
export default function sample(figure) {
  const frame = new Frame(figure, draw);
  frame.fetching("Draw one here", begin);
  /** @type {Asking} */
  let asking;
  /** @type {import("./sampling.js").Stage[]} */
  let stages = [];
  /** @type {import("./figure.js").Picture[]} */
  let pictures = [];
  /** @type {Record<string, import("./figure.js").Slider>} */
  const sliders = {};
  /** @type {HTMLSelectElement} */
  let digit;
  /** @type {HTMLSelectElement | undefined} */
  let from;
  /** @type {HTMLButtonElement} */
  let pause;
  let [run, paused, seen] = [0, false, ""];

  async function begin() {
    asking = new Asking(); // and its worker: a reader who does not press has neither
    const { classes } = await asking.ask("load");
    pictures = [frame.picture("the image now"), frame.picture("guess of the clean image")];
    const again = frame.button("Another one", () => (sliders.seed.value = (sliders.seed.value % 999) + 1));
    pause = frame.button("Pause", () => {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
      frame.changed();
    });
    pause.before(again);
    const digits = Array.from({ length: classes }, (_, k) => [`d${k}`, String(k)]);
    digit = frame.choice("digit", Object.fromEntries([["any", "any"], ...digits]), "d7");
    digit.addEventListener("input", restart);
    sliders.seed = frame.slider("seed", 1, 999, 1, 3);
    if (!frame.small) {
      const images = WORDS.map((word, i) => [`${i}`, `the chapter's ${word}`]);
      from = frame.choice("noise at the start", { seed: "by the seed", ...Object.fromEntries(images) }, "seed");
      sliders.steps = frame.slider("steps", 0, STEPS.length - 1, 1, 2, (k) => `${STEPS[k]}`);
      sliders.eta = frame.slider(
        "fresh noise η",
        0,
        1,
        0.1,
        0,
        (v) => ({ 0: "0, DDIM", 1: "1, DDPM" })[v] ?? v.toFixed(1),
      );
      sliders.scale = frame.slider("guidance", 0, 4, 0.5, 2, (v) => v.toFixed(1));
    }
    from?.addEventListener("input", () => {
      if (from?.value !== "seed") {
        // As the chapter drew them.
        digit.value = "any";
        [sliders.steps.value, sliders.eta.value, sliders.scale.value] = [STEPS.indexOf(50), 1, 1];
      }
      restart();
    });
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
    const { x, generator } = beginning(from?.value ?? "seed", sliders.seed.value);
    const y = digit.value !== "any" ? Number(digit.value.slice(1)) : undefined;
    const scale = sliders.scale?.value ?? 2;
    const eps = (/** @type {Float32Array} */ x, /** @type {number} */ t) => asking.ask("eps", { x, t, y, scale });
    stages = [];
    seen = "";
    // Who asks for another digit is not kept waiting by a pause in the last one.
    [paused, pause.textContent, pause.disabled] = [false, "Pause", false];
    sliders.at.input.max = String(steps);
    figure.dataset.state = "drawing";
    for await (const stage of ddimChain(eps, SCHEDULE, x, steps, sliders.eta?.value ?? 0, generator)) {
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
    pause.disabled = true;
    frame.changed();
  }

  function draw() {
    const stage = stages[sliders.at.value];
    const now = paused ? "Paused." : "Drawing.";
    if (!stage) return frame.say(now);
    sliders.at.write();
    // On the first page no letter is known.
    pictures[0].show(stage.x, frame.small ? "the image now" : `xₜ at t = ${stage.t}`);
    pictures[1].show(stage.guess, frame.small ? "guess of the clean image" : "the guess of x₀");
    const which = from && from.value !== "seed" ? from.selectedOptions[0].text : `seed ${sliders.seed.value}`;
    const left = stages.length - 1 < Number(sliders.at.input.max) ? ` ${now}` : seen;
    frame.say(
      `From the noise of ${which}, step ${sliders.at.value} of ${sliders.at.input.max}: t = ${stage.t}.${left}`,
    );
  }
}
