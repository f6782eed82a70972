"use strict";
(function () {
  // Marks and their cards: one card at a time, beside the text.
  function show(mark) {
    const card = document.getElementById(mark.dataset.card);
    if (!card) return;
    const side = card.parentElement;
    side.querySelectorAll(".card.on").forEach(function (other) { other.classList.remove("on"); });
    card.classList.add("on");
    const text = side.parentElement.querySelector(".text");
    text.querySelectorAll(".on").forEach(function (other) { other.classList.remove("on"); });
    text.querySelectorAll("[data-card]").forEach(function (other) {
      if (other.dataset.card === mark.dataset.card) other.classList.add("on");
    });
    side.scrollTop = 0;
  }
  document.addEventListener("click", function (event) {
    const close = event.target.closest(".close");
    if (close) {
      close.parentElement.classList.remove("on");
      document.querySelectorAll(".text .on").forEach(function (other) { other.classList.remove("on"); });
      return;
    }
    const mark = event.target.closest("[data-card]");
    if (mark) show(mark);
  });
  document.addEventListener("keydown", function (event) {
    if ((event.key === "Enter" || event.key === " ") && event.target.matches("[data-card]")) {
      event.preventDefault();
      show(event.target);
    }
  });
  function go() {
    const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place) return;
    const box = place.closest("details.doc");
    if (box) box.open = true;
    if (place.dataset.card) show(place);
    place.scrollIntoView({ block: place.dataset.card ? "center" : "start", behavior: "instant" });
  }
  window.addEventListener("hashchange", go);
  go();
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.doc").forEach(function (box) { box.open = true; });
  });

  if (!document.getElementById("names")) return;
  const read = function (id) { return JSON.parse(document.getElementById(id).textContent); };
  const names = read("names");
  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }
  const name = function (table, key) { return Object.hasOwn(table, key) ? table[key] : key; };

  // A table over rows of data: filters, a limit that grows, and rows made only when shown.
  const STEP = 100;
  function table(options) {
    const tools = document.getElementById(options.tools);
    if (!tools) return null;
    const body = document.getElementById(options.table).tBodies[0];
    const next = document.getElementById(options.next);
    const fields = {};
    tools.querySelectorAll("[data-filter]").forEach(function (field) { fields[field.dataset.filter] = field; });
    let rows = options.rows;
    let limit = STEP;
    const texts = new Map();
    function text(row) {
      if (!texts.has(row)) texts.set(row, options.text(row).toLowerCase());
      return texts.get(row);
    }
    function draw() {
      const words = fields.text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      const seen = rows.filter(function (row) {
        return Object.keys(options.filters).every(function (key) { return options.filters[key](row, fields[key].value); })
          && words.every(function (word) { return text(row).includes(word); });
      });
      body.replaceChildren.apply(body, seen.slice(0, limit).map(options.draw));
      tools.querySelector("[data-count]").textContent = "显示 " + Math.min(limit, seen.length) + " / " + seen.length + " 项，共 " + rows.length + " 项";
      next.hidden = seen.length <= limit;
      next.querySelector("span").textContent = "还有 " + Math.max(seen.length - limit, 0) + " 项";
    }
    function fresh() { limit = STEP; draw(); }
    Object.values(fields).forEach(function (field) { field.addEventListener(field.tagName === "INPUT" ? "input" : "change", fresh); });
    next.querySelector("button").addEventListener("click", function () { limit += STEP; draw(); });
    tools.querySelector("[data-reset]").addEventListener("click", function () { set({}); });
    window.addEventListener("beforeprint", function () { limit = Math.max(limit, 500); draw(); });
    function set(values) {
      Object.keys(fields).forEach(function (key) { fields[key].value = key in values ? values[key] : ""; });
      fresh();
    }
    return { fields: fields, draw: draw, set: set, sort: function (order) { rows = rows.slice().sort(order); fresh(); } };
  }
  // Choices are counted, most frequent first; "~" stands before a value so that none is mistaken for "all".
  function choices(field, all, rows, values, label) {
    const counts = new Map();
    rows.forEach(function (row) { new Set(values(row)).forEach(function (value) { counts.set(value, (counts.get(value) || 0) + 1); }); });
    field.add(new Option(all, ""));
    Array.from(counts).sort(function (a, b) { return b[1] - a[1] || String(a[0]).localeCompare(String(b[0]), "zh"); }).forEach(function (entry) {
      field.add(new Option(label(entry[0]) + "（" + entry[1] + "）", "~" + entry[0]));
    });
  }
  const is = function (values) { return function (row, wanted) { return !wanted || values(row).some(function (value) { return "~" + value === wanted; }); }; };

  const papers = read("document-data");
  const measureRows = read("measure-data");
  const seeTo = function (row) { return row.g.length > 0 || row.n.length > 0 || row.v === "not_checked"; };
  const measures = table({
    tools: "measure-tools", table: "measures", next: "measure-next", rows: measureRows,
    text: function (row) { return [row.t, row.e, papers[row.d].title, papers[row.d].number].concat(row.n, row.g.flat(), row.g.map(function (gap) { return name(names.gaps, gap[0]); })).join(" "); },
    filters: {
      verdict: function (row, wanted) { return wanted === "" ? seeTo(row) : wanted === "*" || "~" + row.v === wanted || (wanted === "?" && (row.n.length > 0 || row.v === "not_checked")); },
      code: is(function (row) { return row.g.map(function (gap) { return gap[0]; }); }),
      kind: is(function (row) { return [row.k]; }),
      frame: is(function (row) { return [row.f]; }),
      document: is(function (row) { return [row.d]; }),
    },
    draw: function (row) {
      const line = make("tr");
      const paper = papers[row.d];
      const verdict = make("td");
      verdict.append(make("span", "tag " + row.v, name(names.verdicts, row.v)));
      if (row.n.length && row.v !== "not_checked") verdict.append(make("small", "", "有事项未核查"));
      const text = make("td");
      const link = make("a", "go", row.t);
      link.href = row.h;
      text.append(link, make("small", "", paper.title + " · " + (paper.number || "（无文号）") + " · " + (paper.issued || "（无日期）")));
      const kind = [row.k ? name(names.kinds, row.k) : "", row.f].filter(Boolean).join(" · ");
      if (kind) text.append(make("small", "", kind));
      const why = make("td");
      row.g.forEach(function (gap) {
        const part = make("p", "why");
        const tag = make("span", "tag gap" + (names.advisory.includes(gap[0]) ? " advisory" : ""), name(names.gaps, gap[0]));
        tag.title = gap[0];
        part.append(tag, gap[1]);
        if (gap[2]) { const cure = make("span", "cure"); cure.append(make("b", "", "补正："), gap[2]); part.append(cure); }
        why.append(part);
      });
      if (row.e) why.append(make("p", "why", row.e));
      row.n.forEach(function (reason) {
        const part = make("p", "why");
        part.append(make("span", "tag not_checked", "未核查"), reason);
        why.append(part);
      });
      line.append(verdict, text, why);
      return line;
    },
  });
  if (measures) {
    const field = measures.fields;
    field.verdict.add(new Option("有缺口或未核查", ""));
    field.verdict.add(new Option("全部", "*"));
    Object.keys(names.verdicts).filter(function (key) { return key !== "out_of_scope"; }).forEach(function (key) { field.verdict.add(new Option(names.verdicts[key], "~" + key)); });
    field.verdict.add(new Option("任何事项未核查", "?"));
    choices(field.code, "全部", measureRows, function (row) { return row.g.map(function (gap) { return gap[0]; }); }, function (code) { return name(names.gaps, code); });
    choices(field.kind, "全部", measureRows, function (row) { return [row.k]; }, function (kind) { return name(names.kinds, kind); });
    choices(field.frame, "全部", measureRows, function (row) { return [row.f]; }, function (frame) { return frame || names.no_frame; });
    choices(field.document, "全部", measureRows, function (row) { return [row.d]; }, function (place) { return papers[place].title; });
    measures.draw();
    document.addEventListener("click", function (event) {
      const button = event.target.closest("[data-set-verdict],[data-set-code]");
      if (!button) return;
      const set = button.dataset;
      const wanted = {};
      if (set.setVerdict !== undefined) wanted.verdict = "~" + set.setVerdict;
      if (set.setCode !== undefined) { wanted.code = "~" + set.setCode; wanted.verdict = "*"; }
      if (set.setKind !== undefined) wanted.kind = "~" + set.setKind;
      if (set.setFrame !== undefined) wanted.frame = "~" + set.setFrame;
      measures.set(wanted);
      document.getElementById("measures-section").scrollIntoView();
    });
  }

  const dutyRows = read("duty-data");
  dutyRows.forEach(function (row, place) { row.place = place; });
  const duties = table({
    tools: "duty-tools", table: "duties", next: "duty-next", rows: dutyRows,
    text: function (row) { return [row.l, row.a, row.d, row.b, row.c, row.i, row.f, row.t].join(" "); },
    filters: { gap: is(function (row) { return [row.g]; }), field: is(function (row) { return [row.f]; }) },
    draw: function (row) {
      const line = make("tr");
      const law = make("td", "title", row.l);
      law.append(make("small", "", row.a));
      const gap = make("td");
      gap.append(row.g ? make("span", "tag gap", name(names.gaps, row.g)) : make("span", "tag supported", "已承接"));
      const carrier = make("td", "", row.c || "—");
      if (row.t) carrier.append(make("small", "", row.t));
      const bearer = make("td", "", row.b);
      if (row.k) bearer.append(make("small", "", row.k));
      line.append(law, make("td", "", row.d), bearer, carrier, make("td", "", row.i || "—"), make("td", "", row.f || "—"), gap);
      return line;
    },
  });
  if (duties) {
    choices(duties.fields.gap, "全部", dutyRows, function (row) { return [row.g]; }, function (gap) { return gap ? name(names.gaps, gap) : "已承接"; });
    choices(duties.fields.field, "全部", dutyRows, function (row) { return [row.f]; }, function (field) { return field || "（无）"; });
    duties.draw();
    document.querySelectorAll("#duties th button").forEach(function (button) {
      button.addEventListener("click", function () {
        const head = button.parentElement;
        const up = head.getAttribute("aria-sort") !== "ascending";
        document.querySelectorAll("#duties th[aria-sort]").forEach(function (other) { other.setAttribute("aria-sort", "none"); });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = button.dataset.key;
        duties.sort(function (a, b) { return (up ? 1 : -1) * a[key].localeCompare(b[key], "zh") || a.place - b.place; });
      });
    });
  }
})();
