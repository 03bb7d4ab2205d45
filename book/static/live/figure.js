// @ts-check
/**
 * The frame of a live figure: native inputs, a text that says what is seen, a plot, a picture. The still picture that
 * stands in the page stays for print, and for all who do not run this.
 */

const SVG = "http://www.w3.org/2000/svg";

/** Whether the reader asks for no motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

let count = 0;

export class Frame {
  /** @param {HTMLElement} figure @param {() => void} draw called before the next frame whenever an input has changed */
  constructor(figure, draw) {
    this.figure = figure;
    this.draw = draw;
    this.waiting = 0;
    this.said = 0;
    this.small = figure.querySelector("img.small") !== null;
    this.controls = make("div", { class: "live-controls" });
    this.stage = make("div", { class: "live-stage" });
    this.words = make("p", { class: "live-words" });
    // Read out when the reader has come to rest, not while he drags.
    this.aloud = make("p", { class: "live-aloud", "aria-live": "polite" });
    figure.append(this.stage, this.controls, this.words, this.aloud);
  }

  /** Shows the live figure in place of the still picture, which print shows again. */
  begin() {
    this.figure.classList.add("live-on");
    this.changed();
  }

  changed() {
    this.waiting ||= requestAnimationFrame(() => {
      this.waiting = 0;
      this.draw();
    });
  }

  /**
   * The button that fetches what the figure needs, with its size, and then starts it.
   * @param {string} label @param {() => Promise<void>} begin
   */
  fetching(label, begin) {
    const button = this.button(`${label} (the model: ${this.figure.dataset.size})`, async () => {
      button.disabled = true;
      this.say("The model is on its way.");
      try {
        await begin();
        button.remove();
      } catch (error) {
        button.disabled = false;
        this.say(`The model could not be loaded (${error}). The still picture stays.`);
      }
    });
  }

  /** What is seen now. @param {string} text */
  say(text) {
    this.words.textContent = text;
    clearTimeout(this.said);
    this.said = setTimeout(() => (this.aloud.textContent = text), 600);
  }

  /**
   * @param {string} label @param {number} min @param {number} max @param {number} step @param {number} value
   * @param {(value: number) => string} show the value in words
   * @returns {Slider}
   */
  slider(label, min, max, step, value, show = (v) => String(v)) {
    const slider = new Slider(label, min, max, step, value, show, () => this.changed());
    this.controls.append(slider.row);
    return slider;
  }

  /** @param {string} label @param {Record<string, string>} options value and what is read @param {string} value */
  choice(label, options, value) {
    const id = `live-${++count}`;
    const select = make("select", { id });
    for (const [key, text] of Object.entries(options)) select.append(make("option", { value: key }, text));
    select.value = value;
    select.addEventListener("input", () => this.changed());
    this.controls.append(make("div", {}, make("label", { for: id }, label), select));
    return select;
  }

  /** @param {string} label @param {() => void} press */
  button(label, press) {
    const button = make("button", { type: "button" }, label);
    button.addEventListener("click", press);
    this.controls.append(button);
    return button;
  }

  /** A picture of grey values; black is `high`. @param {string} title */
  picture(title, width = 28, height = 28) {
    const canvas = make("canvas", { width: String(width), height: String(height), role: "img" });
    const caption = make("span", {}, title);
    this.stage.append(make("div", { class: "live-picture" }, canvas, caption));
    return new Picture(canvas, caption);
  }

  /** @param {PlotOptions} options */
  plot(options) {
    const plot = new Plot(options);
    this.stage.append(plot.svg);
    return plot;
  }
}

export class Slider {
  /**
   * @param {string} label @param {number} min @param {number} max @param {number} step @param {number} value
   * @param {(value: number) => string} show @param {() => void} changed
   */
  constructor(label, min, max, step, value, show, changed) {
    const id = `live-${++count}`;
    this.show = show;
    this.changed = changed;
    this.input = make("input", { id, type: "range", min: `${min}`, max: `${max}`, step: `${step}`, value: `${value}` });
    this.output = make("output", { for: id });
    this.row = make("div", {}, make("label", { for: id }, label), this.input, this.output);
    this.input.addEventListener("input", () => this.update());
    this.write();
  }

  get value() {
    return this.input.valueAsNumber;
  }

  set value(value) {
    this.input.valueAsNumber = value;
    this.update();
  }

  update() {
    this.write();
    this.changed();
  }

  write() {
    const text = this.show(this.value);
    this.output.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
  }
}

export class Picture {
  /** @param {HTMLCanvasElement} canvas @param {HTMLElement} caption */
  constructor(canvas, caption) {
    this.canvas = canvas;
    this.caption = caption;
  }

  /** @param {ArrayLike<number>} values @param {string} text what it is @param {number} low shown white */
  show(values, text, low = -1, high = 1) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const image = context.createImageData(this.canvas.width, this.canvas.height);
    for (let i = 0; i < values.length; i++) {
      const grey = 255 * (1 - Math.min(1, Math.max(0, (values[i] - low) / (high - low))));
      image.data.set([grey, grey, grey, 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
    this.canvas.setAttribute("aria-label", text);
    this.caption.textContent = text;
  }
}

/**
 * @typedef {object} PlotOptions
 * @property {[number, number]} x @property {[number, number]} y ranges
 * @property {string} xlabel @property {string} ylabel
 * @property {number} [height] of 360 in width
 * @property {boolean | "y"} [bare] no numbers at the axes, or at one
 */

/** Curves, dots and bars in the colours of the book, one picture for a screen reader. */
export class Plot {
  /** @param {PlotOptions} options */
  constructor({ x, y, xlabel, ylabel, height = 240, bare = false }) {
    this.xs = x;
    this.ys = y;
    this.height = height;
    this.left = bare ? 24 : 54;
    this.right = 340;
    this.top = 10;
    this.bottom = height - (bare === true ? 30 : 38);
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 360 ${height}`);
    this.svg.setAttribute("role", "img");
    // Letters have one size, however large the plot is drawn.
    new ResizeObserver(([{ contentRect }]) => {
      this.svg.style.setProperty("--letters", `${(12 * 360) / contentRect.width}px`);
    }).observe(this.svg);
    /** @type {Map<string, SVGElement>} */
    this.marks = new Map();
    // What leaves the frame is cut off.
    const clip = document.createElementNS(SVG, "clipPath");
    clip.id = `live-${++count}`;
    const inside = document.createElementNS(SVG, "path");
    inside.setAttribute("d", `M${this.left},${this.top}H${this.right}V${this.bottom}H${this.left}Z`);
    clip.append(inside);
    this.svg.append(clip);
    this.clip = `url(#${clip.id})`;
    this.put("frame", "path", { d: `M${this.left},${this.top}V${this.bottom}H${this.right}`, class: "axis" });
    this.write("xlabel", (this.left + this.right) / 2, height - 6, xlabel, "middle");
    this.write("ylabel", 0, 0, ylabel, "middle");
    this.marks.get("ylabel")?.setAttribute("transform", `translate(12,${(this.top + this.bottom) / 2}) rotate(-90)`);
    if (bare === true) return;
    for (const v of ticks(...x)) this.write(`x${v}`, this.px(v), this.bottom + 14, name(v), "middle");
    if (bare) return;
    for (const v of ticks(...y)) this.write(`y${v}`, this.left - 5, this.py(v) + 4, name(v), "end");
  }

  /** @param {number} x */
  px(x) {
    return this.left + ((x - this.xs[0]) / (this.xs[1] - this.xs[0])) * (this.right - this.left);
  }

  /** @param {number} y */
  py(y) {
    return this.bottom - ((y - this.ys[0]) / (this.ys[1] - this.ys[0])) * (this.bottom - this.top);
  }

  /** @param {string} id @param {string} tag @param {Record<string, string>} attributes */
  put(id, tag, attributes) {
    let mark = this.marks.get(id);
    if (!mark) {
      mark = document.createElementNS(SVG, tag);
      this.marks.set(id, mark);
      this.svg.append(mark);
    }
    for (const [key, value] of Object.entries(attributes)) mark.setAttribute(key, value);
    return mark;
  }

  /** @param {string} id @param {number} x @param {number} y @param {string} text @param {string} anchor */
  write(id, x, y, text, anchor = "start", color = "") {
    const mark = this.put(id, "text", { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor, class: color });
    mark.textContent = text;
  }

  /**
   * @param {string} id @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys @param {string} color a class
   * @param {boolean} area filled down to the axis
   */
  line(id, xs, ys, color, area = false) {
    let d = "";
    for (let i = 0; i < xs.length; i++) {
      const [x, y] = [this.px(xs[i]), this.py(ys[i])].map((v) => Math.min(9999, Math.max(-9999, v)).toFixed(1));
      d += `${i ? "L" : "M"}${x},${y}`;
    }
    if (area && xs.length) d += `V${this.bottom}H${this.px(xs[0]).toFixed(1)}Z`;
    this.put(id, "path", { d, class: `${area ? "area" : "line"} ${color}`, "clip-path": this.clip });
  }

  /** @param {string} id @param {number} x @param {number} y @param {string} color */
  dot(id, x, y, color, r = 4) {
    this.put(id, "circle", { cx: this.px(x).toFixed(1), cy: this.py(y).toFixed(1), r: String(r), class: color });
  }

  /** Many dots as one path. @param {string} id @param {ArrayLike<number>[]} points @param {string} color */
  dots(id, points, color) {
    const d = Array.from(points, (p) => `M${this.px(p[0]).toFixed(1)},${this.py(p[1]).toFixed(1)}h0`).join("");
    this.put(id, "path", { d, class: `cloud ${color}`, "clip-path": this.clip });
  }

  /** A vertical line. @param {string} id @param {number} x @param {string} color */
  rule(id, x, color) {
    const at = this.px(x).toFixed(1);
    this.put(id, "path", { d: `M${at},${this.top}V${this.bottom}`, class: `line ${color}` });
  }

  /** Calls `move` with the place under the mouse or the finger while it is held. @param {(x: number, y: number) => void} move */
  drag(move) {
    this.svg.classList.add("live-drag");
    const at = (/** @type {PointerEvent} */ event) => {
      const box = this.svg.getBoundingClientRect();
      const px = ((event.clientX - box.left) / box.width) * 360;
      const py = ((event.clientY - box.top) / box.height) * this.height;
      const clamp = (/** @type {number} */ v, [lo, hi] = [0, 1]) => Math.min(hi, Math.max(lo, v));
      move(
        clamp(this.xs[0] + ((px - this.left) / (this.right - this.left)) * (this.xs[1] - this.xs[0]), this.xs),
        clamp(this.ys[0] + ((this.bottom - py) / (this.bottom - this.top)) * (this.ys[1] - this.ys[0]), this.ys),
      );
    };
    this.svg.addEventListener("pointerdown", (event) => {
      this.svg.setPointerCapture(event.pointerId);
      at(event);
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (this.svg.hasPointerCapture(event.pointerId)) at(event);
    });
  }

  /** @param {string} text */
  describe(text) {
    this.svg.setAttribute("aria-label", text);
  }
}

/** @param {number} low @param {number} high */
function ticks(low, high) {
  const size = 10 ** Math.floor(Math.log10((high - low) / 2));
  const step = [5, 2, 1].map((k) => k * size).find((s) => (high - low) / s >= 3) ?? size;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => (first + i) * step);
}

/** A number with a few digits and a true minus. @param {number} v */
export function name(v, digits = 6) {
  return String(Number(v.toPrecision(digits))).replace("-", "−");
}

/** @param {number} v */
export function fixed(v, digits = 2) {
  return v.toFixed(digits).replace("-", "−");
}

/** @param {number} low @param {number} high @param {number} n */
export function range(low, high, n) {
  return Float64Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
}
