// @ts-check
/** The layers of `lecture11.networks`. An image lies in memory as its channels, one after the other. */

import { SCHEDULE } from "./gauss.js";

/** @typedef {import("./weights.js").Tensor} Tensor */
/** @typedef {{channels: number, height: number, width: number, data: Float32Array}} Image */

const silu = (/** @type {number} */ v) => v / (1 + Math.exp(-v));

/** One network: its tensors, asked for by the names that PyTorch gives them. */
class Network {
  /** @param {Map<string, Tensor>} tensors @param {string} prefix */
  constructor(tensors, prefix = "") {
    this.tensors = tensors;
    this.prefix = prefix;
  }

  /** @param {string} name */
  has(name) {
    return this.tensors.has(this.prefix + name);
  }

  /** @param {string} name */
  get(name) {
    const found = this.tensors.get(this.prefix + name);
    if (!found) throw new Error(`the weights have no ${this.prefix}${name}`);
    return found;
  }

  /** `nn.Linear`. @param {string} name @param {Float32Array} x */
  linear(name, x) {
    const [weight, bias] = [this.get(`${name}.weight`), this.get(`${name}.bias`).data];
    const [outputs, inputs] = weight.shape;
    const y = new Float32Array(outputs);
    for (let o = 0; o < outputs; o++) {
      let sum = bias[o];
      for (let i = 0, w = o * inputs; i < inputs; i++) sum += weight.data[w + i] * x[i];
      y[o] = sum;
    }
    return y;
  }

  /**
   * `nn.Conv2d` with padding that keeps the size: each patch a row, then a product of matrices, two times four numbers
   * at once, so that what is loaded is used more than once.
   * @param {string} name @param {Image} x @returns {Image}
   */
  conv(name, x, stride = 1) {
    const [weight, bias] = [this.get(`${name}.weight`), this.get(`${name}.bias`).data];
    const [outputs, inputs, k] = weight.shape;
    const [height, width] = [Math.ceil(x.height / stride), Math.ceil(x.width / stride)];
    const [positions, length, pad] = [height * width, inputs * k * k, (k - 1) / 2];
    const rows = 4 * Math.ceil(positions / 4);
    const patches = new Float32Array(rows * length);
    for (let row = 0, p = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (let c = 0; c < inputs; c++) {
          for (let i = -pad; i <= pad; i++) {
            const from = row * stride + i;
            if (from < 0 || from >= x.height) {
              p += k;
              continue;
            }
            const line = (c * x.height + from) * x.width;
            for (let j = -pad; j <= pad; j++, p++) {
              const at = column * stride + j;
              if (at >= 0 && at < x.width) patches[p] = x.data[line + at];
            }
          }
        }
      }
    }
    const data = new Float32Array(outputs * positions);
    const w = weight.data;
    for (let o = 0; o < outputs; o += 2) {
      const [u0, u1] = [o * length, (o + 1) * length];
      for (let row = 0; row < rows; row += 4) {
        let p0 = row * length;
        let p1 = p0 + length;
        let p2 = p1 + length;
        let p3 = p2 + length;
        let a0 = 0;
        let a1 = 0;
        let a2 = 0;
        let a3 = 0;
        let b0 = 0;
        let b1 = 0;
        let b2 = 0;
        let b3 = 0;
        for (let u = u0, v = u1; u < u1; u++, v++, p0++, p1++, p2++, p3++) {
          const a = w[u];
          const b = w[v];
          const x0 = patches[p0];
          const x1 = patches[p1];
          const x2 = patches[p2];
          const x3 = patches[p3];
          a0 += a * x0;
          a1 += a * x1;
          a2 += a * x2;
          a3 += a * x3;
          b0 += b * x0;
          b1 += b * x1;
          b2 += b * x2;
          b3 += b * x3;
        }
        const [as, bs] = [
          [a0, a1, a2, a3],
          [b0, b1, b2, b3],
        ];
        for (let r = 0; r < Math.min(4, positions - row); r++) {
          data[o * positions + row + r] = as[r] + bias[o];
          if (o + 1 < outputs) data[(o + 1) * positions + row + r] = bs[r] + bias[o + 1];
        }
      }
    }
    return { channels: outputs, height, width, data };
  }

  /** `_group_norm`: groups of at least eight channels. @param {string} name @param {Image} x @returns {Image} */
  norm(name, x) {
    const [weight, bias] = [this.get(`${name}.weight`).data, this.get(`${name}.bias`).data];
    const groups = gcd(x.channels, Math.max(1, Math.floor(x.channels / 8)));
    const [size, area] = [x.data.length / groups, x.height * x.width];
    const data = new Float32Array(x.data.length);
    for (let g = 0; g < groups; g++) {
      let [sum, squares] = [0, 0];
      for (let i = g * size; i < (g + 1) * size; i++) sum += x.data[i];
      const mean = sum / size;
      for (let i = g * size; i < (g + 1) * size; i++) squares += (x.data[i] - mean) ** 2;
      const scale = 1 / Math.sqrt(squares / size + 1e-5);
      for (let i = g * size; i < (g + 1) * size; i++) {
        const channel = Math.floor(i / area);
        data[i] = (x.data[i] - mean) * scale * weight[channel] + bias[channel];
      }
    }
    return { ...x, data };
  }
}

/** @param {number} a @param {number} b @returns {number} */
function gcd(a, b) {
  return b ? gcd(b, a % b) : a;
}

/** @param {Image} x @param {(v: number) => number} f @returns {Image} */
const each = (x, f) => ({ ...x, data: x.data.map(f) });
/** @param {Image} x @param {Image} y @returns {Image} */
const plus = (x, y) => ({ ...x, data: x.data.map((v, i) => v + y.data[i]) });

/** `timestep_embedding` (F21). @param {number} t @param {number} dim */
export function timestepEmbedding(t, dim) {
  const halved = Math.floor(dim / 2);
  const y = new Float32Array(dim);
  for (let i = 0; i < halved; i++) {
    const angle = t * 1e-4 ** (i / Math.max(halved - 1, 1));
    y[i] = Math.sin(angle);
    y[halved + i] = Math.cos(angle);
  }
  return y;
}

/** `MLP`: linear layers with an activation between them. */
export class MLP extends Network {
  /** @param {Float32Array} x @param {(v: number) => number} activation */
  forward(x, activation = silu) {
    for (let layer = 0; this.has(`layers.${layer}.weight`); layer += 2) {
      x = this.linear(`layers.${layer}`, layer ? x.map(activation) : x);
    }
    return x;
  }
}

/** `TimeMLP`: a guess of the noise in a point. */
export class TimeMLP {
  /** @param {Map<string, Tensor>} tensors */
  constructor(tensors) {
    this.body = new MLP(tensors, "body.");
    this.embedding = this.body.get("layers.0.weight").shape[1] - 2;
  }

  /** @param {ArrayLike<number>} x @param {number} t */
  eps(x, t) {
    return this.body.forward(Float32Array.of(x[0], x[1], ...timestepEmbedding(t, this.embedding)));
  }
}

/** `UNet`, alone or as the network of a `VelocityModel`; its sizes are read off the weights. */
export class UNet extends Network {
  /** @param {Map<string, Tensor>} tensors */
  constructor(tensors) {
    super(tensors, tensors.has("network.fold.weight") ? "network." : "");
    this.predictsV = this.prefix !== "";
    this.embedding = this.get("embed.0.weight").shape[1];
    this.classes = this.has("label.weight") ? this.get("label.weight").shape[0] - 1 : 0;
    this.channels = this.get("fold.weight").shape[1] / 4;
  }

  /** The noise in x_t, as the package's samplers ask for it. @param {Image} x @param {number} t @param {number} [y] */
  eps(x, t, y) {
    const out = this.forward(x, t, y).data;
    if (!this.predictsV) return out;
    const [keep, spread] = SCHEDULE.noising(t);
    return out.map((v, i) => keep * v + spread * x.data[i]);
  }

  /** @param {Image} x @param {number} t @param {number} [y] a class, or none for any @returns {Image} */
  forward(x, t, y = this.classes) {
    let step = timestepEmbedding(t, this.embedding);
    if (this.classes) {
      const label = this.get("label.weight").data.subarray(y * this.embedding, (y + 1) * this.embedding);
      step = step.map((v, i) => v + label[i]);
    }
    step = this.linear("embed.0", step).map(silu);
    step = this.linear("embed.2", step).map(silu);
    let h = this.conv("fold", unshuffle(x));
    /** @type {Image[]} */
    const shortcuts = [];
    for (let level = 0; this.has(`down.${level}.0.norm.weight`); level++) {
      for (let b = 0; this.has(`down.${level}.${b}.norm.weight`); b++) {
        h = this.block(`down.${level}.${b}`, h, step);
        shortcuts.push(h);
      }
      if (this.has(`shrink.${level}.weight`)) h = this.conv(`shrink.${level}`, h, 2);
    }
    h = this.attention("attention", this.block("middle", h, step));
    for (let level = 0; this.has(`up.${level}.0.norm.weight`); level++) {
      for (let b = 0; this.has(`up.${level}.${b}.norm.weight`); b++) {
        const shortcut = /** @type {Image} */ (shortcuts.pop());
        const data = new Float32Array(h.data.length + shortcut.data.length);
        data.set(h.data);
        data.set(shortcut.data, h.data.length);
        h = this.block(`up.${level}.${b}`, { ...h, channels: h.channels + shortcut.channels, data }, step);
      }
      const next = shortcuts.at(-1);
      if (next) h = this.conv(`grow.${level}`, resize(h, next.height, next.width));
    }
    return shuffle(this.conv("unfold.2", each(this.norm("unfold.0", h), silu)));
  }

  /** A residual block: the step is a scale and a shift. @param {string} name @param {Image} x @param {Float32Array} step */
  block(name, x, step) {
    const h = this.norm(`${name}.norm`, this.conv(`${name}.first.2`, each(this.norm(`${name}.first.0`, x), silu)));
    const both = this.linear(`${name}.step`, step);
    const area = h.height * h.width;
    for (let i = 0; i < h.data.length; i++) {
      const channel = Math.floor(i / area);
      h.data[i] = silu(h.data[i] * (1 + both[channel]) + both[h.channels + channel]);
    }
    const shortcut = this.has(`${name}.shortcut.weight`) ? this.conv(`${name}.shortcut`, x) : x;
    return plus(shortcut, this.conv(`${name}.second`, h));
  }

  /** Each position looks at all others. @param {string} name @param {Image} x @returns {Image} */
  attention(name, x) {
    const parts = this.conv(`${name}.query_key_value`, this.norm(`${name}.norm`, x)).data;
    const [area, heads] = [x.height * x.width, gcd(x.channels, 4)];
    const depth = x.channels / heads;
    const seen = new Float32Array(x.data.length);
    const share = new Float64Array(area);
    for (let head = 0; head < heads; head++) {
      const [q, k, v] = [0, 1, 2].map((part) => (part * x.channels + head * depth) * area);
      for (let i = 0; i < area; i++) {
        let top = -Infinity;
        for (let j = 0; j < area; j++) {
          let dot = 0;
          for (let c = 0; c < depth; c++) dot += parts[q + c * area + i] * parts[k + c * area + j];
          share[j] = dot / Math.sqrt(depth);
          top = Math.max(top, share[j]);
        }
        let total = 0;
        for (let j = 0; j < area; j++) total += share[j] = Math.exp(share[j] - top);
        for (let c = 0; c < depth; c++) {
          let sum = 0;
          for (let j = 0; j < area; j++) sum += share[j] * parts[v + c * area + j];
          seen[(head * depth + c) * area + i] = sum / total;
        }
      }
    }
    return plus(x, this.conv(`${name}.out`, { ...x, data: seen }));
  }
}

/** `pixel_unshuffle(x, 2)`. @param {Image} x @returns {Image} */
function unshuffle(x) {
  const [height, width] = [x.height / 2, x.width / 2];
  const data = new Float32Array(x.data.length);
  places(x.channels, height, width, (folded, plain) => (data[folded] = x.data[plain]));
  return { channels: 4 * x.channels, height, width, data };
}

/** `pixel_shuffle(x, 2)`. @param {Image} x @returns {Image} */
function shuffle(x) {
  const data = new Float32Array(x.data.length);
  places(x.channels / 4, x.height, x.width, (folded, plain) => (data[plain] = x.data[folded]));
  return { channels: x.channels / 4, height: 2 * x.height, width: 2 * x.width, data };
}

/** @param {number} channels @param {number} height @param {number} width @param {(a: number, b: number) => void} visit */
function places(channels, height, width, visit) {
  for (let c = 0, folded = 0; c < channels; c++) {
    for (let part = 0; part < 4; part++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++, folded++) {
          visit(folded, ((c * height + i) * 2 + (part >> 1)) * 2 * width + 2 * j + (part & 1));
        }
      }
    }
  }
}

/** The nearest pixels. @param {Image} x @param {number} height @param {number} width @returns {Image} */
function resize(x, height, width) {
  const data = new Float32Array(x.channels * height * width);
  for (let c = 0, to = 0; c < x.channels; c++) {
    for (let i = 0; i < height; i++) {
      const row = Math.floor((i * x.height) / height);
      for (let j = 0; j < width; j++, to++) {
        data[to] = x.data[(c * x.height + row) * x.width + Math.floor((j * x.width) / width)];
      }
    }
  }
  return { ...x, height, width, data };
}

/** `ImageClassifier`: which digit an image shows. */
export class Classifier extends Network {
  /** @param {Image} x */
  probabilities(x) {
    for (
      let layer = 0;
      this.has(`body.${layer}.weight`) && this.get(`body.${layer}.weight`).shape.length === 4;
      layer += 4
    ) {
      x = halve(each(this.norm(`body.${layer + 1}`, this.conv(`body.${layer}`, x)), silu));
    }
    const logits = this.linear("logits", this.linear("body.13", x.data).map(silu));
    const top = Math.max(...logits);
    const shares = logits.map((v) => Math.exp(v - top));
    const total = shares.reduce((sum, v) => sum + v);
    return shares.map((v) => v / total);
  }
}

/** `MaxPool2d(2)`. @param {Image} x @returns {Image} */
function halve(x) {
  const [height, width] = [x.height >> 1, x.width >> 1];
  const data = new Float32Array(x.channels * height * width);
  for (let c = 0, to = 0; c < x.channels; c++) {
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++, to++) {
        const from = (c * x.height + 2 * i) * x.width + 2 * j;
        const [a, b] = [x.data, from + x.width];
        data[to] = Math.max(a[from], a[from + 1], a[b], a[b + 1]);
      }
    }
  }
  return { channels: x.channels, height, width, data };
}
