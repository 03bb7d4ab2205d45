// Typesets formulas with MathJax: [[TeX, display], ...] on standard input; on standard output {html, errors, css}.
// An error is the place of a formula and what MathJax says of it. The style has the rules of all characters.
const { readFileSync } = require("fs");
const path = require("path");

globalThis.MathJax = {
  loader: {
    paths: { mathjax: path.join(__dirname, "mathjax") },
    require,
    load: ["adaptors/liteDOM", "input/tex", "output/chtml", "a11y/assistive-mml"],
  },
  startup: { typeset: false },
  tex: {
    packages: { "[-]": ["noundefined"] }, // a macro that nobody knows is an error, not red text
    formatError: (jax, error) => {
      throw error;
    },
  },
  // Its size is set by the style, in the x-height of the text around it: nothing can be measured here.
  chtml: { fontURL: ".", matchFontHeight: false, adaptiveCSS: false },
};
require("./mathjax/startup.js");

async function main() {
  const formulas = JSON.parse(readFileSync(0, "utf8"));
  await MathJax.startup.promise;
  const { adaptor } = MathJax.startup;
  const html = [];
  const errors = [];
  for (const [tex, display] of formulas) {
    try {
      // What HTML implies, what only MathJax reads, and ids, which would not be the only ones of their name.
      const node = await MathJax.tex2chtmlPromise(tex, { display });
      html.push(adaptor.outerHTML(node).replace(/ (?:data-mjx-[\w-]+|xmlns|unselectable|id)="[^"]*"/g, ""));
    } catch (error) {
      errors.push([html.length, error.message]);
      html.push("");
    }
  }
  process.stdout.write(JSON.stringify({ html, errors, css: adaptor.textContent(MathJax.chtmlStylesheet()) }));
}

main();
