// @ts-check
/** The latent map: a code in the plane, and what the decoder makes of it; of a VAE, and of an auto-encoder. */

import { cloud, nearest } from "./codes.js";
import { fixed, Frame } from "./figure.js";
import { Generator } from "./gauss.js";
import { MLP } from "./nets.js";
import { load, table } from "./weights.js";

/** The radius that holds 99 % of N(0, I). */
const RADIUS = Math.sqrt(-2 * Math.log(0.01));

/** What is expected of each pixel. @param {MLP} decoder @param {number[]} z @param {boolean} bernoulli its outputs are logits */
export function decode(decoder, z, bernoulli) {
  const out = decoder.forward(Float32Array.from(z));
  return bernoulli ? out.map((v) => 1 / (1 + Math.exp(-v))) : out;
}

/** @param {HTMLElement} figure */
export default function map(figure) {
  const frame = new Frame(figure, draw);
  frame.fetching("Walk through both maps here", begin);
  /** @type {Record<string, {decoder: MLP, coded: import("./codes.js").Codes, reach: number}>} */
  const kinds = {};
  let [shown, seed] = ["", 0];
  /** @type {import("./figure.js").Plot} */
  let plot;
  /** @type {import("./figure.js").Picture} */
  let picture;
  /** @type {HTMLSelectElement} */
  let kind;
  /** @type {import("./figure.js").Slider[]} */
  let z;

  async function begin() {
    const [data, vae, autoencoder] = await Promise.all([
      table("codes-2"),
      load("vae-mnist-2d"),
      load("autoencoder-mnist-2d"),
    ]);
    for (const [name, tensors] of Object.entries({ vae, autoencoder })) {
      const far = Array.from(data[name], Math.abs).sort((a, b) => a - b);
      const reach = Math.ceil(Math.max(4, far[Math.floor(0.995 * far.length)]));
      const coded = { codes: data[name], classes: data.classes };
      kinds[name] = { decoder: new MLP(tensors, "decoder."), coded, reach };
    }
    plot = frame.plot({ x: [-4, 4], y: [-4, 4], xlabel: "z₁", ylabel: "z₂", height: 356, bare: true });
    picture = frame.picture("");
    picture.canvas.classList.add("large");
    kind = frame.choice("model", { vae: "VAE", autoencoder: "auto-encoder" }, "vae");
    z = ["z₁", "z₂"].map((name) => frame.slider(name, -4, 4, 0.01, 0.5, (v) => fixed(v)));
    frame.button("Draw z from N(0, I)", () => {
      new Generator(++seed).normal(16).forEach((v, i) => i < 2 && (z[i].value = v));
    });
    plot.drag((...at) => at.forEach((v, i) => (z[i].value = v)));
    frame.begin();
  }

  function draw() {
    const { decoder, coded, reach } = kinds[kind.value];
    if (kind.value !== shown) {
      shown = kind.value;
      plot.xs = plot.ys = [-reach, reach];
      for (const slider of z) {
        Object.assign(slider.input, { min: -reach, max: reach, step: reach / 400 });
        slider.write();
      }
      cloud(plot, coded);
      const r = String(plot.px(RADIUS) - plot.px(0));
      plot.put("prior", "circle", { cx: `${plot.px(0)}`, cy: `${plot.py(0)}`, r, class: "axis" });
    }
    const at = z.map((slider) => slider.value);
    picture.show(decode(decoder, at, shown === "vae"), "the decoder's image", 0);
    plot.dot("z", at[0], at[1], "vermilion", 7);
    const { digit, count, distance } = nearest(coded, at[0], at[1]);
    const text =
      `z = (${at.map((v) => fixed(v)).join(", ")}), ${Math.hypot(...at) < RADIUS ? "inside" : "outside"} the circle that holds ` +
      `99 % of N(0, I). The nearest code of a test image is ${fixed(distance)} away; of the nearest twenty, ${count} show a ${digit}.`;
    plot.describe(
      `Codes of 1,000 test images by the ${kind.selectedOptions[0].text}, coloured by digit, the circle, and z.`,
    );
    frame.say(text);
  }
}
