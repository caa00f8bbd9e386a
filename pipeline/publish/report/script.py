"""The page's behaviour: draw a view, change it by a select, sort a table, fit paper. Reads the data block and nothing else."""

# ruff: noqa: E501  # JavaScript in a string

JS = """
(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("report-data").textContent);
  var config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
  var drawn = {};

  function fill(value, trace) {
    if (typeof value !== "string" || value[0] !== "@") return value;
    if (value.slice(0, 6) === "@rows:") {
      var row = data.shared[value.slice(6)];
      return trace.z.map(function () { return row; });
    }
    return data.shared[value.slice(1)];
  }
  // A view after the first is written as its difference from the first; null takes a key away.
  function merged(base, change) {
    var full = Object.assign({}, base, change);
    Object.keys(full).forEach(function (key) { if (full[key] === null) delete full[key]; });
    return full;
  }
  function viewOf(figure, index) {
    var first = figure.views[0], view = figure.views[index];
    if (index === 0) return view;
    return { label: view.label, says: view.says, layout: merged(first.layout, view.layout),
      traces: view.traces.map(function (trace, i) { return merged(first.traces[i], trace); }) };
  }
  // Hover titles know only numbers; this unseen line tells the local time, right on the days when the clock changes.
  function clockTrace() {
    var x = data.shared.q_edges;
    return { type: "scatter", mode: "lines", x: x, y: x.map(function () { return 0.5; }), yaxis: "y9", name: "<b>local time</b>", customdata: data.shared.q_span,
      hovertemplate: "<b>%{customdata}</b>", line: { width: 0, color: "rgba(0,0,0,0)" }, showlegend: false };
  }
  function traces(view) {
    var clock = view.layout.hovermode === "x unified" && view.layout.xaxis.tickvals ? [clockTrace()] : [];
    return clock.concat(view.traces.map(function (trace) {
      var full = JSON.parse(JSON.stringify(trace));
      ["x", "customdata", "text"].forEach(function (name) { if (name in full) full[name] = fill(full[name], trace); });
      return full;
    }));
  }
  function layoutOf(view) {
    var layout = JSON.parse(JSON.stringify(view.layout));
    layout.yaxis9 = { overlaying: "y", visible: false, range: [0, 1], fixedrange: true };
    return layout;
  }
  function draw(id) {
    var figure = data.figures[id], box = document.getElementById("plot-" + id), select = document.getElementById("select-" + id);
    if (!box || !figure.views.length) return Promise.resolve();
    var view = viewOf(figure, select ? select.selectedIndex : 0);
    var says = document.getElementById("says-" + id);
    says.textContent = view.says;
    box.setAttribute("aria-label", figure.title + ", " + view.label + ". " + view.says);
    box.dataset.view = view.label;
    drawn[id] = true;
    return Plotly.react(box, traces(view), layoutOf(view), config).then(function () { box.dataset.ready = "yes"; });
  }
  Object.keys(data.figures).forEach(function (id) {
    var select = document.getElementById("select-" + id);
    if (select) select.addEventListener("change", function () { draw(id); });
  });
  function drawAll() { return Promise.all(Object.keys(data.figures).map(function (id) { return drawn[id] ? null : draw(id); })); }

  // Plots near the window first: the verdict and the first plots must not wait for the last.
  if ("IntersectionObserver" in window) {
    var watcher = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) { if (entry.isIntersecting) { watcher.unobserve(entry.target); draw(entry.target.id.slice(5)); } });
    }, { rootMargin: "1200px 0px" });
    document.querySelectorAll(".plot").forEach(function (box) { watcher.observe(box); });
    (window.requestIdleCallback || setTimeout)(function () { drawAll().then(function () { document.body.dataset.ready = "yes"; }); });
  } else { drawAll(); }

  // A4 less its margins is 700 px wide; the screen's width would be cut off, and its legend is one line.
  function refit(width) {
    Object.keys(drawn).forEach(function (id) {
      var top = data.figures[id].views[0].layout.margin.t;
      Plotly.relayout(document.getElementById("plot-" + id), { width: width, autosize: width === null, "margin.t": width === null ? top : top + 44 });
    });
  }
  window.addEventListener("beforeprint", function () { drawAll(); refit(700); });
  window.addEventListener("afterprint", function () { refit(null); });

  var rank = { failed: 0, warning: 1, info: 2 };
  function keyOf(cell) { var raw = cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent; return raw in rank ? rank[raw] : raw; }
  document.querySelectorAll("table.sortable th button").forEach(function (button) {
    button.addEventListener("click", function () {
      var head = button.closest("th"), table = button.closest("table"), body = table.tBodies[0], column = head.cellIndex;
      var down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach(function (other) { if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      var rows = Array.prototype.slice.call(body.rows);
      rows.sort(function (a, b) {
        var x = keyOf(a.cells[column]), y = keyOf(b.cells[column]), p = parseFloat(x), q = parseFloat(y);
        var order = head.classList.contains("num") ? (isNaN(p) ? 1 : isNaN(q) ? -1 : p - q) : (typeof x === "number" ? x - y : String(x).localeCompare(String(y), undefined, { numeric: true }));
        return down ? -order : order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
})();
"""
