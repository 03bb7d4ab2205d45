// @ts-check
// Sliders that choose one of several stored pictures, and a button that plays them. The others are fetched when a reader
// comes near the slider.
for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("figure.pictures"))) {
  /** @type {[string, string][]} */
  const pictures = JSON.parse(figure.dataset.pictures ?? "");
  const image = /** @type {HTMLImageElement} */ (figure.querySelector("img"));
  const inputs = [...figure.querySelectorAll("input")];
  const labels = inputs.map((input) => JSON.parse(input.dataset.labels ?? ""));
  const aloud = /** @type {HTMLElement} */ (figure.querySelector(".live-aloud"));
  let waiting = 0;
  const show = () => {
    let at = 0;
    inputs.forEach((input, k) => {
      const label = labels[k][input.valueAsNumber];
      at = at * labels[k].length + input.valueAsNumber;
      input.setAttribute("aria-valuetext", label);
      /** @type {Element} */ (input.nextElementSibling).textContent = label;
    });
    [image.src, image.alt] = pictures[at];
    clearTimeout(waiting);
    waiting = setTimeout(() => (aloud.textContent = image.alt), 600); // when the reader has come to rest
  };
  const fetchAll = () => pictures.forEach(([src]) => (new Image().src = src));
  const button = figure.querySelector("button");
  const last = inputs[inputs.length - 1];
  let playing = 0;
  /** @param {boolean} on */
  const play = (on) => {
    clearInterval(playing);
    playing = on ? setInterval(next, Number(button?.dataset.interval)) : 0;
    const word = on ? "Pause" : "Play";
    if (!button || button.textContent === word) return;
    button.setAttribute("aria-label", (button.getAttribute("aria-label") ?? "").replace(/^\w+/, word));
    button.textContent = word;
  };
  /** To the next picture; at the end it stops. */
  const next = () => {
    last.valueAsNumber += 1;
    show();
    if (last.value === last.max) play(false);
  };
  // Nothing moves until a reader asks, and what moves stops when one takes a slider.
  button?.addEventListener("click", () => {
    if (!playing && last.value === last.max) {
      last.valueAsNumber = 0;
      show();
    }
    play(!playing);
  });
  for (const input of inputs)
    input.addEventListener("input", () => {
      if (input === last) play(false);
      show();
    });
  for (const event of ["pointerenter", "focusin"]) figure.addEventListener(event, fetchAll, { once: true });
  // A browser that kept the sliders where they were shows the picture that belongs to them.
  if (inputs.some((input) => input.value !== input.defaultValue)) show();
}
