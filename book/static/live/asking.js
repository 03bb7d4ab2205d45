// @ts-check
/** The page's side of the worker: questions and their answers. */

export class Asking {
  constructor() {
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    /** @type {Map<number, {resolve: (v: any) => void, reject: (e: Error) => void}>} */
    this.open = new Map();
    this.id = 0;
    this.worker.addEventListener("message", ({ data }) => {
      const { resolve, reject } = /** @type {any} */ (this.open.get(data.id));
      this.open.delete(data.id);
      if ("error" in data) reject(new Error(data.error));
      else resolve(data.answer);
    });
  }

  /** @param {string} what @param {object} message @returns {Promise<any>} */
  ask(what, message = {}) {
    return new Promise((resolve, reject) => {
      this.open.set(++this.id, { resolve, reject });
      this.worker.postMessage({ id: this.id, what, ...message });
    });
  }
}
