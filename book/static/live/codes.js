// @ts-check
/** Coded test images in a plane. */

/** @typedef {{codes: Float32Array, classes: Float32Array}} Codes pairs of coordinates, and a digit for each */

/** Dots in ten colours, each digit's name amid its own. @param {import("./figure.js").Plot} plot @param {Codes} coded */
export function cloud(plot, { codes, classes }) {
  /** @type {number[][]} */
  const taken = [];
  for (let digit = 0; digit < 10; digit++) {
    /** @type {number[][]} */
    const points = [];
    classes.forEach((own, i) => own === digit && points.push([codes[2 * i], codes[2 * i + 1]]));
    plot.dots(`cloud${digit}`, points, `c${digit}`);
    const [x, y] = [0, 1].map((axis) => points.map((p) => p[axis]).sort((a, b) => a - b)[points.length >> 1]);
    const at = [plot.px(x), plot.py(y) + 4];
    while (taken.some((other) => Math.hypot(other[0] - at[0], other[1] - at[1]) < 14)) at[1] += 7;
    taken.push(at);
    plot.write(`name${digit}`, at[0], at[1], String(digit), "middle");
  }
}

/** The digit that is most frequent among the twenty codes nearest to (x, y), and how many are its. @param {Codes} coded @param {number} x @param {number} y */
export function nearest({ codes, classes }, x, y) {
  const far = Array.from(classes, (digit, i) => [Math.hypot(codes[2 * i] - x, codes[2 * i + 1] - y), digit]);
  const counts = Array(10).fill(0);
  for (const [, digit] of far.sort((a, b) => a[0] - b[0]).slice(0, 20)) counts[digit]++;
  const most = Math.max(...counts);
  return { digit: counts.indexOf(most), count: most, distance: far[0][0] };
}
