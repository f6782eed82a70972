"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const drawn = new Set();
  function draw(place) {
    const name = place.dataset.figure;
    if (drawn.has(name) || !figures[name]) return;
    drawn.add(name);
    Plotly.newPlot(place, figures[name].data, figures[name].layout, { displayModeBar: false, responsive: true });
  }
  const places = Array.from(document.querySelectorAll("[data-figure]"));
  // One after the other, so that the tables can be read and scrolled while the charts are drawn.
  places.forEach(function (place, turn) { setTimeout(function () { draw(place); }, 40 * turn); });
  window.addEventListener("beforeprint", function () { places.forEach(draw); });

  const box = document.getElementById("filter");
  const table = document.getElementById("queue");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const count = document.getElementById("filter-count");
  function filter() {
    const words = box.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      const hit = words.every(function (word) { return text.includes(word); });
      row.hidden = !hit;
      seen += hit;
    }
    count.textContent = "显示 " + seen + " / " + rows.length + " 件";
  }
  box.addEventListener("input", filter);
  filter();

  table.querySelectorAll("th button").forEach(function (button) {
    button.addEventListener("click", function () {
      const head = button.parentElement;
      const up = head.getAttribute("aria-sort") !== "ascending";
      table.querySelectorAll("th[aria-sort]").forEach(function (other) { other.setAttribute("aria-sort", "none"); });
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const column = head.cellIndex;
      const numeric = button.dataset.numeric === "1";
      const key = function (row) { const v = row.cells[column].dataset.key; return numeric ? Number(v) : v; };
      rows.sort(function (a, b) {
        const x = key(a), y = key(b);
        const order = numeric ? x - y : x.localeCompare(y, "zh");
        return up ? order : -order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
})();
