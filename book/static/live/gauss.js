// @ts-check
/** Schedules, Gaussians and mixtures, with the names and the numbers of the package `lecture11`. */

const LOG_2PI = Math.log(2 * Math.PI);

/** PyTorch's generator on the CPU (mt19937): one seed gives the noise that it gives in the notebooks. */
export class Generator {
  /** @param {number} seed */
  constructor(seed) {
    const state = (this.state = new Uint32Array(624));
    state[0] = seed;
    for (let i = 1; i < 624; i++) {
      state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
    this.at = 624;
  }

  /** The next 32 bits. */
  next() {
    const s = this.state;
    if (this.at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (s[i] & 0x80000000) | (s[(i + 1) % 624] & 0x7fffffff);
        s[i] = s[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = s[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** One number in [0, 1), of 24 bits. */
  uniform() {
    return (this.next() & 0xffffff) / 0x1000000;
  }

  /**
   * What `torch.randn(n)` gives, for n of at least 16: all uniform numbers first, then pairs of them, eight apart.
   * @param {number} n
   */
  normal(n) {
    const x = new Float32Array(n);
    for (let i = 0; i < n; i++) x[i] = this.uniform();
    const block = (/** @type {number} */ from) => {
      for (let j = from; j < from + 8; j++) {
        const radius = Math.sqrt(-2 * Math.log(1 - x[j]));
        const angle = 2 * Math.PI * x[j + 8];
        x[j] = radius * Math.cos(angle);
        x[j + 8] = radius * Math.sin(angle);
      }
    };
    for (let i = 0; i + 16 <= n; i += 16) block(i);
    if (n % 16) {
      for (let i = n - 16; i < n; i++) x[i] = this.uniform();
      block(n - 16);
    }
    return x;
  }
}

/** `diffusion.NoiseSchedule`: tables by the step t; entry 0 is the data, where it has a meaning. */
export class NoiseSchedule {
  /** @param {ArrayLike<number>} betas beta_1 to beta_T */
  constructor(betas) {
    const T = (this.T = betas.length);
    this.beta = Float64Array.of(NaN, ...Array.from(betas));
    this.alphaBar = new Float64Array(T + 1).fill(1);
    this.noiseVariance = new Float64Array(T + 1);
    this.posteriorVariance = new Float64Array(T + 1).fill(NaN);
    for (let t = 1; t <= T; t++) {
      const beta = this.beta[t];
      this.alphaBar[t] = this.alphaBar[t - 1] * (1 - beta);
      this.noiseVariance[t] = (1 - beta) * this.noiseVariance[t - 1] + beta;
      this.posteriorVariance[t] = (beta * this.noiseVariance[t - 1]) / this.noiseVariance[t];
    }
  }

  static linear(T = 1000, beta1 = 1e-4, betaT = 0.02) {
    return new NoiseSchedule(Array.from({ length: T }, (_, i) => beta1 + ((betaT - beta1) * i) / Math.max(1, T - 1)));
  }

  static cosine(T = 1000, maxBeta = 0.999) {
    const f = (/** @type {number} */ t) => Math.cos((((t / T + 0.008) / 1.008) * Math.PI) / 2) ** 2;
    return new NoiseSchedule(Array.from({ length: T }, (_, i) => Math.min(1 - f(i + 1) / f(i), maxBeta)));
  }

  /** @param {number} t */
  snr(t) {
    return this.alphaBar[t] / this.noiseVariance[t];
  }

  /** The steps that `diffusion.ddim_chain` takes for their number n. @param {number} n */
  steps(n) {
    return Array.from({ length: n }, (_, i) => Math.ceil((this.T * (n - i)) / n));
  }

  /** The schedule that walks only over those steps. @param {number} n */
  coarse(n) {
    const steps = this.steps(n).reverse();
    return new NoiseSchedule(steps.map((t, k) => 1 - this.alphaBar[t] / this.alphaBar[k ? steps[k - 1] : 0]));
  }

  /** Weights of x_0 and eps in x_t (F28). @param {number} t */
  noising(t) {
    return [Math.sqrt(this.alphaBar[t]), Math.sqrt(this.noiseVariance[t])];
  }

  /** Weights of x_t and x_0 in the mean of q(x_{t-1} | x_t, x_0) (F33). @param {number} t */
  posteriorMean(t) {
    const now = this.noiseVariance[t];
    return [
      (Math.sqrt(1 - this.beta[t]) * this.noiseVariance[t - 1]) / now,
      (Math.sqrt(this.alphaBar[t - 1]) * this.beta[t]) / now,
    ];
  }

  /**
   * Weights of x_0, eps and new noise in `diffusion.ddim_step`, from t to before.
   * @param {number} t @param {number} before @param {number} eta
   */
  ddim(t, before, eta) {
    const [now, then] = [this.noiseVariance[t], this.noiseVariance[before]];
    const between = 1 - this.alphaBar[t] / this.alphaBar[before];
    const variance = (eta ** 2 * then * between) / now;
    return [Math.sqrt(this.alphaBar[before]), Math.sqrt(Math.max(0, then - variance)), Math.sqrt(variance)];
  }
}

/** The schedule of the models of images that the package ships. */
export const SCHEDULE = NoiseSchedule.cosine(1000, 0.05);

/** log N(x; mean, variance), one number. @param {number} x @param {number} mean @param {number} variance */
export function logNormal(x, mean, variance) {
  return -0.5 * ((x - mean) ** 2 / variance + Math.log(variance) + LOG_2PI);
}

/**
 * `gaussian.kl_to_standard_normal`, in nats (F16).
 * @param {ArrayLike<number>} mu @param {ArrayLike<number>} logVar
 */
export function klToStandardNormal(mu, logVar) {
  let sum = 0;
  for (let i = 0; i < mu.length; i++) sum += mu[i] ** 2 + Math.expm1(logVar[i]) - logVar[i];
  return sum / 2;
}

/** @param {number[]} values */
export function logSumExp(values) {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

/** `data.planar.gaussian_mixture`: eight round Gaussians on a circle, of equal weights. */
export const RING = {
  means: Array.from({ length: 8 }, (_, j) => [1.4 * Math.cos((j * Math.PI) / 4), 1.4 * Math.sin((j * Math.PI) / 4)]),
  variance: 0.02,
};
