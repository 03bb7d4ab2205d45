// @ts-check
// What scrolls can be scrolled by keys. The theme looks when the window or the list of elements has changed; here it is
// looked at when a box gets another size, as it does when its fold is opened.
const boxes =
  "pre, .nboutput > .output_area, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container";
const seen = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
    /** @type {HTMLElement} */ (target).tabIndex = scrolls ? 0 : -1;
  }
});
for (const box of document.querySelectorAll(boxes)) seen.observe(box);
