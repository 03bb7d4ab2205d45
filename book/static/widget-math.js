// ipywidgets typesets its labels through MathJax 2's queue; the page carries MathJax 3.
if (window.MathJax) {
  window.MathJax.Hub = {
    Queue: ([, , element]) => MathJax.startup.promise.then(() => MathJax.typesetPromise([element])),
  };
}
