"use strict";
(function () {
  const opened = [];
  addEventListener("beforeprint", function () {
    for (const one of document.querySelectorAll("details:not([open])")) {
      one.open = true;
      opened.push(one);
    }
  });
  addEventListener("afterprint", function () {
    for (const one of opened.splice(0)) one.open = false;
  });
  if (!window.vegaEmbed) return;

  const settings = JSON.parse(document.getElementById("chart-settings").textContent);
  const drawn = new Map();

  function draw(figure) {
    const place = figure.querySelector(".picture");
    const width = place.clientWidth;
    const zoom = Math.min(Math.max(width / 660, 1), 1.5); // letters grow with the page, up to a projector's
    const before = drawn.get(figure);
    if (!width || (before && before.width === width)) return;
    if (before && before.result) before.result.finalize();
    delete figure.dataset.drawn;
    const now = { width: width, result: null };
    drawn.set(figure, now);
    const spec = fitFigure(JSON.parse(figure.querySelector("script").textContent), width / zoom);
    if (spec.width === "container") spec.width = Math.floor(width / zoom);
    const controls = figure.querySelector(".controls");
    controls.replaceChildren();
    vegaEmbed(place, spec, {
      mode: "vega-lite",
      config: settings.config, // colours of the page: they follow the theme, and the print, by themselves
      renderer: "svg",
      actions: false,
      ast: true, // expressions are interpreted: the policy of this page forbids making code of text
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true }, // it makes text of every value
      formatLocale: settings.locale,
      bind: controls,
    }).then(function (result) {
      now.result = result;
      const svg = place.querySelector("svg");
      svg.setAttribute("aria-hidden", "true"); // its words are those of the figure
      svg.style.maxWidth = svg.viewBox.baseVal.width * zoom + "px";
      figure.dataset.drawn = "yes";
    }, console.error);
  }

  function drawAll() {
    document.querySelectorAll("figure.chart").forEach(draw);
  }

  let waiting = 0;
  addEventListener("resize", function () {
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 200);
  });
  drawAll();
})();
