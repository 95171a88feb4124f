"use strict";
// The browser of many rows. The fields of its form are the whole view: what is drawn, listed,
// answered and linked to follows from them, and from the two rows at most that are looked at.
(() => {
  const place = document.getElementById("browser");
  if (!place) return;
  const sheet = JSON.parse(place.querySelector(":scope > script").textContent);
  const form = place.querySelector("form.view");
  const status = form.querySelector("[role=status]");
  const address = form.querySelector(".address");
  const looked = document.getElementById("looked");
  const drawing = place.querySelector("figure.live");

  const MOST_PLOTS = 12; // more are no comparison
  const MOST_APART = 24; // values of a figure that means are taken at; of more, rows alone are drawn
  const MOST_DOTS = 3000; // more hide each other
  const COLOURS = ["accent", "series-1", "series-2", "series-3", "series-5", "series-4", "series-6"];
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "x", "star", "triangle-down"];
  const OTHERS = { teacher: { dash: "dash", symbol: "line-ew-open" }, baseline: { dash: "dot", symbol: "x-thin-open" } };

  // Rows: an axis's value and a figure of each, by name; undefined and null where there is none.
  const axes = new Map(sheet.axes.map((axis, at) => [axis.name, { ...axis, of: sheet.places[at], at }]));
  const measures = new Map(sheet.measures.map((one, at) => [one.name, { ...one, of: sheet.figures[at] }]));
  const value = (axis, run) => axis.values[axis.of[run]];
  const every = sheet.names.map((_, run) => run);

  // Figures and elements. Nothing is ever parsed as markup.
  const commas = (text) => text.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
  const written = (measure, figure) => commas((measure.scale * figure).toFixed(measure.digits));
  const level = (measure, figure) => (figure == null ? "–" : written(measure, figure).replace("-", "−"));
  function gain(measure, figure) {
    if (figure == null) return "–";
    const text = written(measure, Math.abs(figure));
    return /[1-9]/.test(text) ? (figure < 0 ? "−" : "+") + text : text;
  }
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const plural = (number, noun) => `${commas(String(number))} ${noun}${number === 1 ? "" : "s"}`;

  function element(tag, attributes, ...children) {
    const one = document.createElement(tag);
    for (const [name, told] of Object.entries(attributes)) {
      if (name === "onclick") one.addEventListener("click", told);
      else if (told !== null) one.setAttribute(name, told);
    }
    one.append(...children.filter((child) => child !== null));
    return one;
  }

  function tabled(caption, heads, rows, settings) {
    const style = (at) => (at < settings ? {} : { class: "number" });
    const cell = (told, at) =>
      element("td", style(at), ...(told instanceof Node ? [told] : [String(told)]));
    const table = element("table", {},
      element("thead", {}, element("tr", {},
        ...heads.map((head, at) => element("th", { scope: "col", ...style(at) }, head)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))));
    return element("div", {}, element("p", { class: "told" }, caption),
      element("div", { class: "scrolled", role: "region", "aria-label": caption, tabindex: 0 }, table));
  }

  // What is computed: means, deviations, and the interval of Student's t.
  const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;
  function deviation(values) {
    const middle = mean(values);
    const squares = values.reduce((sum, one) => sum + (one - middle) ** 2, 0);
    return values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
  }

  // The view.
  function view() {
    const told = new FormData(form);
    const one = (name) => told.get(name);
    return {
      measure: measures.get(one("figure")),
      along: axes.get(one("along")) ?? null,
      cost: measures.get(one("along")) ?? null,
      group: axes.get(one("group")) ?? null,
      panels: axes.get(one("panels")) ?? null,
      spread: one("spread"),
      shape: one("shape"),
      overlays: new Set(told.getAll("overlay")),
      ticked: [...axes.values()].map((axis) => new Set(told.getAll(`of.${axis.at}`))),
    };
  }

  // A row without a value of an axis, as a teacher has no student's network, passes that axis.
  const passes = (ticked) => (run) => [...axes.values()].every((axis) =>
    !ticked[axis.at].size || axis.of[run] < 0 || ticked[axis.at].has(value(axis, run)));

  // Averages: of each plot, colour and place along it.
  function averages(runs, seen) {
    const { measure, along, cost, group, panels } = seen;
    const own = runs.filter((run) => measure.of[run] != null && (along ? along.of[run] >= 0 : cost.of[run] != null));
    const apart = cost ? new Set(own.map((run) => cost.of[run])).size <= MOST_APART : true;
    const cells = new Map();
    for (const run of own) {
      const x = along ? along.of[run] : cost.of[run];
      const key = [panels ? panels.of[run] : -1, group ? group.of[run] : -1, x];
      const cell = cells.get(String(key)) ?? { panel: key[0], group: key[1], x, runs: [] };
      cell.runs.push(run);
      cells.set(String(key), cell);
    }
    const sorted = [...cells.values()].sort((a, b) => a.panel - b.panel || a.group - b.group || a.x - b.x);
    for (const cell of sorted) {
      const values = cell.runs.map((run) => measure.of[run]);
      Object.assign(cell, { mean: mean(values), sd: deviation(values), n: values.length,
        low: Math.min(...values), high: Math.max(...values) });
      for (const role of ["teacher", "baseline"]) {
        const theirs = [...new Set(cell.runs.map((run) => sheet[role][run]))]
          .filter((run) => run != null && measure.of[run] != null);
        cell[role] = theirs.length ? mean(theirs.map((run) => measure.of[run])) : null;
      }
    }
    return { cells: sorted, apart, left: runs.length - own.length };
  }

  const named = (axis, code) => (axis && code >= 0 ? axis.values[code] : "");

  function draw(found, seen) {
    const { measure, along, cost, group, panels, spread, shape, overlays } = seen;
    const { cells, apart } = found;
    const bars = apart && Boolean(along) && (shape === "bars" || (shape === "" && !along.numeric));
    const plots = [...new Set(cells.map((cell) => cell.panel))].slice(0, MOST_PLOTS);
    const groups = [...new Set(cells.map((cell) => cell.group))].sort((a, b) => a - b);
    const width = drawing.clientWidth;
    const columns = Math.max(1, Math.min(plots.length, width < 640 ? 1 : plots.length === 4 ? 2 : 3));
    const lines = Math.ceil(plots.length / columns) || 1;
    const thick = 0.8 / groups.length; // bars of a place leave a fifth of it free
    const step = groups.length > 1 && along ? (bars ? thick : Math.min(0.12, 0.6 / groups.length)) : 0;
    const shift = (code) => step * (groups.indexOf(code) - (groups.length - 1) / 2);
    const look = (code) => {
      const at = Math.max(0, code);
      return { colour: `var(--${COLOURS[at % COLOURS.length]})`, symbol: SYMBOLS[at % SYMBOLS.length] };
    };
    const scaled = (figure) => measure.scale * figure;
    const traces = [];
    const dots = cells.reduce((sum, cell) => sum + cell.n, 0);
    const legend = new Set();
    const keyed = (name) => ({ name: plain(name), legendgroup: plain(name), showlegend: !legend.has(name) && Boolean(legend.add(name)) });

    plots.forEach((panel, at) => {
      const where = { xaxis: `x${at ? at + 1 : ""}`, yaxis: `y${at ? at + 1 : ""}` };
      const inside = cells.filter((cell) => cell.panel === panel);
      const drawnOthers = new Set();
      for (const code of groups) {
        const own = inside.filter((cell) => cell.group === code);
        if (!own.length) continue;
        const { colour, symbol } = look(code);
        const name = group ? named(group, code) || "–" : measure.title;
        const x = own.map((cell) => cell.x + shift(code));
        for (const role of ["teacher", "baseline"]) {
          if (!overlays.has(role) || !apart || own.every((cell) => cell[role] == null)) continue;
          const theirs = own.map((cell) => (cell[role] == null ? null : scaled(cell[role])));
          const same = groups.every((other) => inside.filter((cell) => cell.group === other)
            .every((cell) => own.some((one) => one.x === cell.x && one[role] === cell[role])));
          if (same && drawnOthers.has(role)) continue;
          drawnOthers.add(role);
          const line = same && role === "teacher" ? "var(--teacher)" : same ? "var(--baseline)" : colour;
          traces.push({ type: "scatter", mode: "lines+markers", ...where, x: same ? own.map((cell) => cell.x) : x, y: theirs,
            line: { color: line, width: 1.5, dash: OTHERS[role].dash },
            marker: { color: line, size: 10, symbol: OTHERS[role].symbol, line: { color: line, width: 1.5 } },
            showlegend: false, connectgaps: true,
            text: own.map((cell) => `${role}${same ? "" : ` of ${plain(name)}`}: ${level(measure, cell[role])}${measure.unit}`),
            hovertemplate: "%{text}<extra></extra>" });
        }
        if (apart) {
          const spreads = spread && own.some((cell) => cell.n > 1) ? {
            error_y: { type: "data", symmetric: spread === "sd", thickness: 1.2, width: 3, color: bars ? "var(--ink)" : colour,
              array: own.map((cell) => scaled(spread === "sd" ? cell.sd ?? 0 : cell.high - cell.mean)),
              arrayminus: own.map((cell) => scaled(spread === "sd" ? cell.sd ?? 0 : cell.mean - cell.low)) } } : {};
          const form = bars ? { type: "bar", textposition: "none", width: 0.92 * Math.min(thick, 0.5), marker: { color: colour, opacity: 0.75 } }
            : { type: "scatter", mode: along && !along.numeric ? "markers" : "lines+markers",
              line: { color: colour, width: 2 }, marker: { color: colour, size: 9, symbol } };
          traces.push({ ...form, ...where, x, y: own.map((cell) => scaled(cell.mean)), ...spreads, ...keyed(name),
            text: own.map((cell) => `${plain(name)}: mean ${level(measure, cell.mean)}${measure.unit} of ${cell.n}` +
              (cell.sd == null ? "" : ` ± ${level(measure, cell.sd)}`)),
            hovertemplate: "%{text}<extra></extra>" });
        }
        if ((overlays.has("runs") && dots <= MOST_DOTS && own.some((cell) => cell.n > 1)) || !apart) {
          const each = own.flatMap((cell) => cell.runs.map((run) => [cell.x + shift(code), run]));
          traces.push({ type: "scatter", mode: "markers", ...where, x: each.map(([spot]) => spot),
            y: each.map(([, run]) => scaled(measure.of[run])), customdata: each.map(([, run]) => run),
            ...(apart ? { showlegend: false, legendgroup: plain(name) } : keyed(name)),
            marker: { color: bars ? "var(--ink)" : colour, size: apart ? 5 : 8, symbol, opacity: bars ? 0.6 : apart ? 0.35 : 0.7 },
            text: each.map(([, run]) => plain(`${described(run)}: ${level(measure, measure.of[run])}${measure.unit}`)),
            hovertemplate: "%{text}<extra></extra>" });
        }
      }
    });
    for (const role of ["teacher", "baseline"]) {
      if (!overlays.has(role) || !apart || !cells.some((cell) => cell[role] != null)) continue;
      traces.push({ type: "scatter", mode: "lines", x: [null], y: [null], name: `their ${role}s`, showlegend: true,
        line: { color: "var(--quiet)", width: 1.5, dash: OTHERS[role].dash } });
    }

    const rows = Math.ceil(traces.filter((one) => one.showlegend).length / Math.max(1, Math.floor(width / 150)));
    const top = 20 + 22 * rows + (panels ? 30 : 6);
    const height = top + lines * (width < 640 ? 280 : 330) + 20;
    const gap = { x: 0.03, y: panels ? 74 / (height - top) : 0 };
    const size = { x: (1 - gap.x * (columns - 1)) / columns, y: (1 - gap.y * (lines - 1)) / lines };
    const quiet = { gridcolor: "var(--line)", linecolor: "var(--line)", zeroline: false, ticks: "", automargin: true };
    const title = (text) => ({ text: plain(text), font: { size: 13 }, standoff: 8 });
    const layout = {
      // Room for percentages and titles; where it is too little, plotly draws all of it again.
      height, margin: { l: 66, r: 12, t: top, b: 49 }, showlegend: traces.some((one) => one.showlegend && (group || one.line?.dash)),
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest",
      font: { color: "var(--quiet)", size: 13, family: "var(--sans)" },
      hoverlabel: { bgcolor: "var(--surface)", bordercolor: "var(--line)", font: { color: "var(--ink)" } },
      legend: { orientation: "h", x: 0, y: 1 + (panels ? 30 : 6) / (height - top), yanchor: "bottom", font: { size: 13 } },
      annotations: [],
    };
    plots.forEach((panel, at) => {
      const suffix = at ? at + 1 : "";
      const column = at % columns, line = Math.floor(at / columns);
      const left = column * (size.x + gap.x), upper = 1 - line * (size.y + gap.y);
      const last = at + columns >= plots.length;
      layout[`xaxis${suffix}`] = { ...quiet, domain: [left, left + size.x], anchor: `y${suffix}`,
        title: last ? title(along ? along.name : cost.title) : undefined,
        ...(along ? { tickvals: along.values.map((_, code) => code), ticktext: along.values.map((one) => plain(one)),
          range: [-0.5, along.values.length - 0.5], showgrid: false } : { nticks: 6 }) };
      layout[`yaxis${suffix}`] = { ...quiet, domain: [Math.max(0, upper - size.y), upper], anchor: `x${suffix}`,
        matches: at ? "y" : undefined, rangemode: bars ? "tozero" : "normal", nticks: 7, ticksuffix: column ? "" : measure.unit, showticklabels: !column,
        title: column ? undefined : title(measure.title) };
      if (panels) layout.annotations.push({ text: plain(`${panels.name}: ${named(panels, panel) || "–"}`), showarrow: false,
        xref: "paper", yref: "paper", x: left, xanchor: "left", y: upper, yanchor: "bottom", yshift: 4,
        font: { size: 13, color: "var(--ink)" } });
    });

    const sentence = [`${measure.title} along ${along ? along.name : cost.title}`, group && `by ${group.name}`, panels && `a plot for each ${panels.name}`];
    const [caption, small] = drawing.querySelectorAll("figcaption > *");
    caption.textContent = `${measure.title[0].toUpperCase()}${measure.title.slice(1)} along ${along ? along.name : cost.title}`;
    const all = new Set(cells.map((cell) => cell.panel)).size;
    small.textContent = [apart ? "Means of the rows below" : "Each dot is a row",
      apart && spread === "sd" ? "lines: standard deviation over them" : apart && spread ? "lines: lowest to highest" : "",
      apart && overlays.has("runs") && dots > MOST_DOTS ? `${commas(String(dots))} single rows are too many to draw` : "",
      all > plots.length ? `${plots.length} of ${all} plots drawn` : ""].filter(Boolean).join("; ");
    const plot = drawing.querySelector(".plot");
    plot.setAttribute("aria-label", `${sentence.filter(Boolean).join(", ")}; the averages stand in the table below.`);
    plot.style.minHeight = `${height}px`;
    page.plot(plot, { data: traces, layout }, { narrow: false });
    if (!plot.dataset.listens) {
      plot.dataset.listens = "";
      plot.on("plotly_click", ({ points: [point] }) => {
        if (typeof point.customdata === "number") pick(point.customdata);
      });
    }
  }

  const described = (run) => [...axes.values()].filter((axis) => axis.of[run] >= 0).map((axis) => value(axis, run)).join(" · ");

  function listAverages({ cells }, { measure, along, cost, group, panels }) {
    const by = [panels, group].filter(Boolean);
    const unit = measure.unit;
    const others = ["teacher", "baseline"].filter((role) => cells.some((cell) => cell[role] != null));
    const heads = [...by.map((axis) => axis.name), along ? along.name : cost.title, `mean${unit}`, "± sd", "lowest", "highest", "rows",
      ...others.map((role) => `their ${role}s`)];
    const rows = cells.map((cell) => [
      ...(panels ? [named(panels, cell.panel) || "–"] : []), ...(group ? [named(group, cell.group) || "–"] : []),
      along ? along.values[cell.x] : level(cost, cell.x), level(measure, cell.mean), level(measure, cell.sd),
      level(measure, cell.low), level(measure, cell.high), cell.n, ...others.map((role) => level(measure, cell[role]))]);
    place.querySelector(".averages").replaceChildren(tabled(`Averages of ${measure.title}`, heads, rows, by.length + 1));
  }

  // What the rows say: of each question the mean over pairs, counting those that share a row or a
  // teacher once. The page as it was written says the same of the first view.
  function answer(question, shown, seen) {
    const { measure, along, cost, group, panels } = seen;
    const own = question.axis === (along ?? cost).name;
    const by = [...new Set([panels, own ? group : along])].filter((axis) => axis?.splits && ![question.axis, "role"].includes(axis.name));
    const pairs = question.pairs.filter(([of, against]) => shown.has(of) && measure.of[of] != null && measure.of[against] != null);
    const groups = new Map(pairs.length ? [["", { setting: null, pairs }]] : []);
    for (const pair of by.length ? pairs : []) {
      const setting = by.map((axis) => axis.of[pair[0]]);
      if (!groups.has(String(setting))) groups.set(String(setting), { setting, pairs: [] });
      groups.get(String(setting)).pairs.push(pair);
    }
    const origin = (run) => sheet.teacher[run] ?? run;
    const leader = new Map();
    const first = (run) => {
      while ((leader.get(run) ?? run) !== run) run = leader.get(run);
      return run;
    };
    let sentence = "";
    const sorted = [...groups.values()].sort((a, b) => {
      if (!a.setting || !b.setting) return a.setting ? 1 : -1;
      const at = a.setting.findIndex((code, axis) => code !== b.setting[axis]);
      return at < 0 ? 0 : a.setting[at] - b.setting[at];
    });
    const rows = sorted.map(({ setting, pairs: some }) => {
      leader.clear();
      for (const [of, against] of some) leader.set(first(origin(of)), first(origin(against)));
      const together = new Map();
      let higher = 0;
      for (const [of, against] of some) {
        const difference = measure.of[of] - measure.of[against];
        higher += difference > 0;
        const key = first(origin(of));
        if (!together.has(key)) together.set(key, []);
        together.get(key).push(difference);
      }
      const means = [...together.values()].map(mean);
      const sd = deviation(means), middle = mean(means);
      const half = sd > 1e-12 ? (sheet.quantiles[Math.min(means.length - 1, sheet.quantiles.length) - 1] * sd) / Math.sqrt(means.length) : null;
      const names = setting ? setting.map((code, at) => named(by[at], code) || "–") : by.map((_, at) => (at ? "" : "all"));
      const interval = half === null ? "–" : `${gain(measure, middle - half)} to ${gain(measure, middle + half)}`;
      if (!setting) {
        const told = half === null ? "no interval" : `95 % interval ${interval}, n = ${means.length}`;
        const verdict = half !== null && Math.abs(middle) <= half ? "; no difference shown" : "";
        sentence = `${question.title}: ${gain(measure, middle)}${measure.of_differences} in ${measure.title} ` +
          `(${told}${verdict}), higher in ${commas(String(higher))} of ${plural(some.length, "pair")}.`;
      }
      return [...names, gain(measure, middle), interval, means.length, some.length, higher];
    });
    const heads = [...by.map((axis) => axis.name), measure.of_differences.trim() || "mean", "95 % interval", "n", "pairs", "higher"];
    return rows.length ? tabled(sentence, heads, rows, by.length) : null;
  }

  // The table of rows, which page.js sorts and searches; here it is filtered, and rows are chosen.
  const body = place.querySelector(".scroll table");
  const table = page.tabled(body);
  let visible = new Set(every);
  DataTable.ext.search.push((settings, _, run) => settings.nTable !== body || visible.has(run));
  const buttons = table.rows().nodes().toArray().map((row, run) => {
    const button = element("button", { type: "button", class: "pick", "aria-pressed": "false",
      "aria-label": `Look at ${described(run)}`, title: "Look at this row, or at two side by side", onclick: () => pick(run) });
    row.cells[0].prepend(button);
    return button;
  });

  // One row closely, or two side by side.
  let picked = [];
  function pick(run) {
    picked = picked.includes(run) ? picked.filter((one) => one !== run) : [...picked, run].slice(-2);
    look();
    remember();
    status.textContent = picked.length ? `${plural(picked.length, "row")} looked at, below the table of rows.` : "No row is looked at.";
  }

  function look() {
    buttons.forEach((button, run) => button.setAttribute("aria-pressed", picked.includes(run)));
    if (!picked.length) return looked.replaceChildren();
    const one = picked.length === 1;
    const beside = one ? ["teacher", "baseline"].filter((role) => sheet[role][picked[0]] != null) : [];
    const runs = one ? [picked[0], ...beside.map((role) => sheet[role][picked[0]])] : picked;
    const heads = one ? ["this row", ...beside.map((role) => `its ${role}`)] : ["first", "second"];
    const own = [...measures.values()].filter((measure) => runs.some((run) => measure.of[run] != null));
    const figures = own.map((measure) => [measure.title + measure.unit, ...runs.map((run) => level(measure, measure.of[run])),
      ...(one ? [] : [runs.every((run) => measure.of[run] != null) ? gain(measure, measure.of[runs[0]] - measure.of[runs[1]]) : "–"])]);
    const told = runs.map((run) => new Map([
      ...[...axes.values()].filter((axis) => axis.of[run] >= 0).map((axis) => [axis.name, value(axis, run)]),
      ...sheet.settings.of[run].map((at) => sheet.settings.known[at])]));
    const keys = [...new Set(told.flatMap((settings) => [...settings.keys()]))];
    const lines = keys.map((key) => [key, ...told.map((settings) => settings.get(key) ?? "–")]);
    const differ = lines.filter(([, first, ...rest]) => rest.some((other) => other !== first));
    const alike = lines.filter((line) => !differ.includes(line));
    looked.replaceChildren(
      element("h3", {}, one ? "One row, closely" : "Two rows side by side"),
      element("ul", { class: "plainly" }, ...picked.map((run, at) => element("li", {},
        one ? "" : element("strong", {}, `${heads[at]}: `), described(run), " ",
        sheet.folders[run] ? element("a", { href: encodeURI(sheet.folders[run]) }, sheet.names[run]) : element("small", {}, sheet.names[run]), " ",
        element("button", { type: "button", class: "away", onclick: () => pick(run) }, one ? "Close" : "Take away")))),
      element("div", { class: "pairwise" },
        tabled("Figures", ["", ...heads, ...(one ? [] : ["first − second"])], figures, 1),
        differ.length ? tabled(one ? "Where they differ" : "In what they differ", ["", ...heads], differ, 9) : null),
      alike.length ? element("details", { class: "settings" }, element("summary", {}, runs.length > 1 ? `${plural(alike.length, "setting")} that all have` : plural(alike.length, "setting")),
        tabled("Settings", ["", "value"], alike.map(([key, first]) => [key, first]), 9)) : null,
      element("div", { class: "figures" }, ...curves(runs, heads)),
      element("div", { class: "pairwise" }, ...runs.map((run, at) => confusion(run, heads[at])).filter(Boolean)),
    );
    looked.querySelectorAll("figure").forEach((figure) => page.plot(figure.querySelector(".plot"), figure.drawn));
  }

  function curves(runs, heads) {
    const known = runs.map((run) => sheet.curves.known[sheet.curves.of[run]] ?? {});
    const titles = [...new Set(known.flatMap((own) => Object.keys(own)))];
    return titles.map((title) => {
      const share = title.includes("accuracy");
      const data = known.flatMap((own, at) => (own[title] ? [{ type: "scatter", mode: "lines", name: heads[at], x: own[title][0], y: own[title][1],
        line: { color: `var(--${["accent", "series-2", "baseline"][at]})`, width: 1.75, dash: ["solid", "dash", "dot"][at] } }] : []));
      const quiet = { gridcolor: "var(--line)", linecolor: "var(--line)", zeroline: false, automargin: true, nticks: 6 };
      const figure = element("figure", { class: "live" }, element("figcaption", {}, `${title[0].toUpperCase()}${title.slice(1)}`),
        element("div", { class: "plot", role: "img", "aria-label": title }));
      figure.drawn = { data, layout: { height: 260, margin: { l: 8, r: 12, t: 8, b: 8 }, showlegend: data.length > 1,
        legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: "var(--quiet)", size: 13, family: "var(--sans)" }, xaxis: { ...quiet, title: { text: "step", font: { size: 13 } } },
        yaxis: { ...quiet, ...(share ? { tickformat: ".0%" } : {}) } } };
      return figure;
    });
  }

  function confusion(run, head) {
    const told = sheet.confusions.of[run];
    if (!told) return null;
    const names = sheet.confusions.classes[told[0]];
    const rows = told[1].map((line, label) => {
      const sum = line.reduce((a, b) => a + b, 0) || 1;
      return [names[label], ...line.map((number) => {
        const cell = element("span", { class: "share", title: `${((100 * number) / sum).toFixed(1)} % of ${names[label]}` }, commas(String(number)));
        cell.style.setProperty("--share", number / sum);
        return cell;
      })];
    });
    return tabled(`Confusion of ${head}: labels down, answers across`, ["", ...names], rows, 1);
  }

  // The address holds whatever differs from the view that the page opens with.
  const fields = () => [...form.elements].filter((one) => one.name);
  const key = (one) => (one.name.startsWith("of.") ? `is.${sheet.axes[one.name.slice(3)].name}` : one.name);
  function state() {
    const told = new Map();
    for (const one of fields()) {
      if (one.type === "checkbox") told.set(key(one), [...(told.get(key(one)) ?? []), ...(one.checked ? [one.value] : [])]);
      else told.set(key(one), [one.value]);
    }
    return told;
  }
  const atFirst = state();
  const orderAtFirst = JSON.stringify(table.order());

  function remember() {
    const told = new URLSearchParams();
    for (const [name, values] of state()) {
      if (String(values) === String(atFirst.get(name))) continue;
      for (const one of values.length ? values : [""]) told.append(name, one);
    }
    if (table.search()) told.set("words", table.search());
    if (JSON.stringify(table.order()) !== orderAtFirst) told.set("order", JSON.stringify(table.order()));
    picked.forEach((run) => told.append("row", sheet.names[run]));
    const text = told.toString();
    history.replaceState(null, "", text ? `#browser?${text}` : location.hash.startsWith("#browser?") ? "#browser" : location.hash || "#browser");
    address.value = location.href;
  }

  function restore() {
    const told = new URLSearchParams(location.hash.slice("#browser?".length));
    const unknown = [];
    const known = new Map();
    for (const one of fields()) known.set(key(one), [...(known.get(key(one)) ?? []), one]);
    for (const [name, ones] of known) {
      const wanted = told.has(name) ? told.getAll(name).filter(Boolean) : atFirst.get(name);
      const has = (asked) => ones.some((one) => (one.options ? [...one.options].some((option) => option.value === asked) : one.value === asked));
      unknown.push(...wanted.filter((asked) => asked && !has(asked)).map((asked) => `${name.replace(/^is\./, "")} = ${asked}`));
      for (const one of ones) {
        if (one.type === "checkbox") one.checked = wanted.includes(one.value);
        else if (has(wanted[0] ?? "")) one.value = wanted[0] ?? "";
      }
    }
    for (const name of new Set(told.keys())) if (!known.has(name) && !["words", "order", "row"].includes(name)) unknown.push(name);
    picked = told.getAll("row").map((name) => sheet.names.indexOf(name)).filter((run) => run >= 0).slice(-2);
    unknown.push(...told.getAll("row").filter((name) => !sheet.names.includes(name)));
    table.search(told.get("words") ?? "");
    try {
      table.order(JSON.parse(told.get("order") ?? orderAtFirst));
    } catch {
      unknown.push("order");
    }
    look();
    show();
    if (unknown.length) status.textContent += ` The link also names what is not here: ${unknown.join("; ")}.`;
  }

  // Showing.
  function show() {
    const seen = view();
    const runs = every.filter(passes(seen.ticked));
    visible = new Set(runs);
    const found = averages(runs, seen);
    for (const axis of axes.values()) {
      const count = seen.ticked[axis.at].size;
      form.querySelector(`[data-axis="${CSS.escape(axis.name)}"] small`).textContent = count ? ` ${count} of ${axis.values.length}` : " all";
    }
    drawing.hidden = !found.cells.length;
    if (found.cells.length) draw(found, seen);
    listAverages(found, seen);
    const told = sheet.questions.map((question) => answer(question, visible, seen)).filter(Boolean);
    place.querySelector(".answers")?.replaceChildren(...(told.length ? told : ["No pair of rows is among those shown."]));
    table.draw();
    const left = found.left ? ` ${plural(found.left, "row")} of them ${found.left === 1 ? "has" : "have"} no place in the plot.` : "";
    status.textContent = runs.length ? `${commas(String(runs.length))} of ${plural(every.length, "row")} shown.${left}` :
      "No row has all of these values; untick one.";
  }

  function csv() {
    const text = (told) => (/^[=+\-@\t\n]/.test(told) && Number.isNaN(Number(told)) ? `'${told}` : told);
    const cell = (told) => (told == null ? "" : typeof told === "number" ? String(told) : /[",\n\r]/.test(text(told)) ? `"${text(told).replace(/"/g, '""')}"` : text(told));
    const heads = ["row", ...axes.keys(), ...measures.keys(), "teacher", "baseline"];
    const name = (run) => (run == null ? null : sheet.names[run]);
    const lines = table.rows({ search: "applied", order: "applied" }).indexes().toArray().map((run) => [sheet.names[run],
      ...[...axes.values()].map((axis) => value(axis, run)), ...[...measures.values()].map((measure) => measure.of[run]),
      name(sheet.teacher[run]), name(sheet.baseline[run])]);
    return [heads, ...lines].map((line) => line.map(cell).join(",")).join("\n") + "\n";
  }

  const doing = {
    reset() {
      form.reset();
      picked = [];
      table.search("").order(JSON.parse(orderAtFirst));
      address.hidden = true;
      look();
      show();
      remember();
    },
    async link() {
      remember();
      try {
        await navigator.clipboard.writeText(location.href);
        status.textContent = "The link is copied; it opens this view.";
      } catch {
        address.hidden = false;
        address.focus();
        address.select();
        status.textContent = "Copy the link from the field below; it opens this view.";
      }
    },
    csv() {
      const link = element("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "rows.csv" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
      status.textContent = "The rows are saved as rows.csv.";
    },
  };

  form.addEventListener("change", () => {
    show();
    remember();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", doing[button.dataset.do]));
  table.on("order search", () => setTimeout(remember));
  addEventListener("hashchange", () => location.hash.startsWith("#browser?") && restore());
  const redraw = () => {
    show();
    look();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  matchMedia("(max-width: 40rem)").addEventListener("change", redraw);
  addEventListener("beforeprint", redraw);
  addEventListener("afterprint", redraw);

  form.hidden = false;
  place.dataset.live = "";
  if (location.hash.startsWith("#browser?")) {
    restore();
    place.scrollIntoView();
  } else show();
})();
