// @ts-check
/** Starts each live figure of a page when the reader comes near it. A figure that fails leaves its still picture. */

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      const figure = /** @type {HTMLElement} */ (entry.target);
      import(`./${figure.dataset.live}.js`).then((module) => module.default(figure));
    }
  },
  { rootMargin: "400px" },
);
document.querySelectorAll("figure[data-live]").forEach((figure) => near.observe(figure));
