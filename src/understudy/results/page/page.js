"use strict";
(() => {
  const root = document.documentElement;
  const figures = [...document.querySelectorAll("figure")];
  const drawn = new Set();
  const coarse = matchMedia("(pointer: coarse)").matches;

  // Colours and fonts stand in the data as var(--name), so that the style alone decides them.
  function styled(value, style) {
    if (typeof value === "string") {
      const name = /^var\((--[\w-]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => styled(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, styled(item, style)]));
    }
    return value;
  }

  // On a narrow page names would take the room of the plot.
  function narrowed(layout, width) {
    if (width > 420) return layout;
    const short = (text) => (text.length > 18 ? text.slice(0, 17) + "…" : text);
    for (const axis of [layout.xaxis, layout.yaxis]) {
      if (axis.ticktext) axis.ticktext = axis.ticktext.map(short);
      if (axis.nticks) axis.nticks = 5;
      axis.tickfont = { ...axis.tickfont, size: 11 };
    }
    return layout;
  }

  function draw(figure) {
    const place = figure.querySelector(".plot");
    const content = JSON.parse(figure.querySelector("script").textContent);
    const { data, layout } = styled(content, getComputedStyle(root));
    layout.dragmode = coarse ? false : "zoom"; // on a phone a finger scrolls the page
    Plotly.react(place, data, narrowed(layout, place.clientWidth), {
      responsive: true,
      displayModeBar: false,
      doubleClick: "reset",
    });
    drawn.add(figure);
  }

  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (isIntersecting && !drawn.has(target)) draw(target);
      }
    },
    { rootMargin: "600px" },
  );
  figures.forEach((figure) => watch.observe(figure));

  // The others follow one by one while nothing else is asked for, so that none is met undrawn.
  function drawNext() {
    const next = figures.find((figure) => !drawn.has(figure));
    if (!next) return;
    draw(next);
    setTimeout(drawNext, 100);
  }
  addEventListener("load", () => setTimeout(drawNext, 500));

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(draw));
  addEventListener("beforeprint", () => {
    root.dataset.print = "";
    figures.forEach(draw);
  });
  addEventListener("afterprint", () => {
    delete root.dataset.print;
    drawn.forEach(draw);
  });

  function key(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  }

  function order(head) {
    const column = head.cellIndex;
    const table = head.closest("table");
    const falling = head.getAttribute("aria-sort") === "descending";
    const sign = falling ? 1 : -1;
    const compare = (a, b) =>
      typeof a === "number" && typeof b === "number"
        ? a - b
        : String(a).localeCompare(String(b), undefined, { numeric: true });
    const absent = (value) => value === "–";
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const [left, right] = [key(a, column), key(b, column)];
      if (absent(left) || absent(right)) return absent(left) - absent(right);
      return sign * compare(left, right);
    });
    table.tBodies[0].append(...rows);
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", falling ? "ascending" : "descending");
  }

  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => order(button.closest("th")));
  }
})();
