"use strict";
(() => {
  const root = document.documentElement;
  const figures = [...document.querySelectorAll("figure:not(.live)")]; // those draw themselves
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

  function plot(place, content, { narrow = true } = {}) {
    const { data, layout } = styled(content, getComputedStyle(root));
    if (root.dataset.print !== undefined) layout.width = place.clientWidth; // paper does not resize
    layout.dragmode = coarse ? false : "zoom"; // on a phone a finger scrolls the page
    Plotly.react(place, data, narrow ? narrowed(layout, place.clientWidth) : layout, {
      responsive: true,
      displayModeBar: false,
      doubleClick: "reset",
    });
  }
  function draw(figure) {
    plot(figure.querySelector(".plot"), JSON.parse(figure.querySelector("script").textContent));
    drawn.add(figure);
  }

  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        if (target.tagName === "TABLE") tabled(target);
        else if (!drawn.has(target)) draw(target);
      }
    },
    { rootMargin: "600px" },
  );
  figures.forEach((figure) => watch.observe(figure));

  // The others follow one by one while nothing else is asked for, so that none is met unfinished.
  function next() {
    const place = places.find((one) => !tables.has(one));
    const figure = figures.find((one) => !drawn.has(one));
    if (place) tabled(place);
    else if (figure) draw(figure);
    else return;
    setTimeout(next, 100);
  }
  addEventListener("load", () => setTimeout(next, 500));

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(draw));
  // A digit of 8 x 8 pixels shows them; a photograph stays smooth.
  for (const image of document.querySelectorAll(".images img")) {
    const mark = () => image.classList.toggle("exact", image.naturalWidth <= 16);
    if (image.complete) mark();
    else image.addEventListener("load", mark);
  }

  // Tables, each when it comes near. Without this script they stand whole and in the page's order,
  // and so they do on a page that brings no library to sort them.
  const places = globalThis.DataTable ? [...document.querySelectorAll(".scroll table")] : [];
  const natural = new Intl.Collator(undefined, { numeric: true });
  const last = (isAbsent, compare) => (a, b) => isAbsent(a) - isAbsent(b) || compare(a, b);
  const types = {
    figure: [(cell) => (cell === "" ? null : Number(cell)), (a) => a === null, (a, b) => a - b],
    name: [(cell) => String(cell), (a) => a === "–", natural.compare],
  };
  for (const [name, [pre, isAbsent, compare]] of places.length ? Object.entries(types) : []) {
    DataTable.ext.type.order[`${name}-pre`] = pre;
    DataTable.ext.type.order[`${name}-asc`] = last(isAbsent, compare);
    DataTable.ext.type.order[`${name}-desc`] = last(isAbsent, (a, b) => compare(b, a));
  }

  const SEARCHED = 10; // rows from which a search is worth its room
  const dialog = { search: "", searchPlaceholder: "Filter", zeroRecords: "No row has these words.",
    info: "_START_ to _END_ of _TOTAL_", infoEmpty: "", infoFiltered: "(of _MAX_)",
    paginate: { first: "«", previous: "‹", next: "›", last: "»" } };

  const tables = new Map();

  function tabled(place) {
    if (tables.has(place)) return tables.get(place);
    const rows = place.tBodies[0].rows.length;
    const isLong = place.parentElement.classList.contains("long"); // so it is shown in pages
    const aside = [...place.tHead.rows[0].cells].flatMap((cell, at) =>
      cell.classList.contains("aside") ? [at] : []);
    const table = new DataTable(place, {
      order: [],
      autoWidth: false,
      paging: isLong,
      pageLength: 25, // as many as page.css shows before
      lengthChange: false,
      searching: rows > SEARCHED,
      language: dialog,
      columnDefs: [
        { targets: aside, visible: false },
        { targets: "number", type: "figure", orderSequence: ["desc", "asc", ""] },
        { targets: "_all", type: "name", orderSequence: ["asc", "desc", ""] },
      ],
      layout: {
        topStart: rows > SEARCHED ? "search" : null,
        topEnd: aside.length ? () => chooser(place, aside) : null,
        bottomStart: isLong ? "info" : null,
        bottomEnd: isLong ? "paging" : null,
      },
    });
    tables.set(place, table);
    return table;
  }
  places.forEach((place) => watch.observe(place));
  globalThis.page = { plot, tabled }; // what the browser of many rows draws and lists with

  function chooser(place, aside) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "columns";
    button.textContent = "All columns";
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const all = button.getAttribute("aria-pressed") !== "true";
      new DataTable.Api(place).columns(aside).visible(all, false);
      button.setAttribute("aria-pressed", all);
      button.textContent = all ? "Fewer columns" : "All columns";
    });
    return button;
  }

  // Print. The page takes the width of the paper first, so that plots are drawn to fit it.
  const opened = [];
  addEventListener("beforeprint", () => {
    root.dataset.print = "";
    for (const one of document.querySelectorAll("details:not([open], .settings, .settings *)")) {
      one.open = true;
      opened.push(one);
    }
    places.forEach((place) => tabled(place).page.len(-1).draw(false));
    figures.forEach(draw);
  });
  addEventListener("afterprint", () => {
    delete root.dataset.print;
    opened.splice(0).forEach((one) => (one.open = false));
    tables.forEach((table) => table.page.len(table.init().pageLength).draw(false));
    drawn.forEach(draw);
  });
})();
