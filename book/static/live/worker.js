// @ts-check
/** Networks, beside the page: it stays quick while they compute. */

import { Classifier, UNet } from "./nets.js";
import { load } from "./weights.js";

/** @type {UNet} */
let unet;
/** @type {Classifier} */
let classifier;

const answers = {
  async load() {
    const [noise, reader] = await Promise.all([load("diffusion-mnist"), load("classifier-mnist")]);
    unet = new UNet(noise);
    classifier = new Classifier(reader);
    return { classes: unet.classes };
  },

  /** @param {{x: Float32Array, t: number, y?: number, scale: number}} message */
  async eps({ x, t, y, scale }) {
    const image = { channels: 1, height: 28, width: 28, data: x };
    if (y === undefined || scale === 1) return unet.eps(image, t, y);
    const [any, asked] = [unet.eps(image, t), unet.eps(image, t, y)];
    return any.map((v, i) => v + scale * (asked[i] - v));
  },

  /** @param {{x: Float32Array}} message */
  async read({ x }) {
    return classifier.probabilities({ channels: 1, height: 28, width: 28, data: x });
  },
};

self.addEventListener("message", async ({ data }) => {
  try {
    const answer = await answers[/** @type {keyof answers} */ (data.what)](data);
    self.postMessage({ id: data.id, answer });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error) });
  }
});
