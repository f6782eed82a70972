// Keys, the help dialog and small comforts. Every page works without this file.
(() => {
  "use strict";
  const OFF = "minqing-keys-off";
  const off = () => { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } };
  const typing = (node) => node && node.matches && node.matches("input:not([type=checkbox]), textarea, select, [contenteditable]");
  document.documentElement.classList.add("has-js");

  const rows = () => [...document.querySelectorAll("[data-list] a.open")];
  function move(step) {
    const all = rows();
    if (!all.length) return false;
    const here = all.indexOf(document.activeElement);
    const next = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  function press(key) {
    const target = [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key.split(" ").includes(key));
    if (!target) {
      if (key === "j" || key === "k") return move(key === "j" ? 1 : -1);
      if (key === "o" && rows().includes(document.activeElement)) { document.activeElement.click(); return true; }
      return false;
    }
    if (target.matches("summary")) {
      const box = target.parentElement;
      box.open = true;
      (box.querySelector("input[type=radio], textarea") || target).focus();
    } else if (target.matches("input, textarea, select")) {
      target.focus();
      if (target.select) target.select();
    } else {
      target.click();
    }
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const node = event.target;
    if (event.key === "Escape" && node.closest && node.closest("details[open]")) {
      const box = node.closest("details[open]");
      box.open = false;
      box.querySelector("summary").focus();
      return;
    }
    if (event.key === "Escape" && typing(node)) { node.blur(); return; }
    if (typing(node) || document.querySelector("dialog[open]") || off() || event.repeat && !"jk".includes(event.key)) return;
    if (press(event.key)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-dialog]");
    const dialog = link && document.getElementById(link.dataset.dialog);
    if (dialog && dialog.showModal && !event.ctrlKey && !event.metaKey) { event.preventDefault(); dialog.showModal(); }
  });

  document.addEventListener("change", (event) => {
    const node = event.target;
    if (node.matches("[data-keys-off]")) {
      try { localStorage.setItem(OFF, node.checked ? "1" : "0"); } catch { /* private mode: for this page only */ }
      document.querySelectorAll("[data-keys-off]").forEach((other) => { other.checked = node.checked; });
    }
    if (node.matches("[data-all]")) document.querySelectorAll("input[name=member]").forEach((box) => { box.checked = node.checked; });
  });

  // A form is sent once: a second Enter is no second decision.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));

  // Enter in the search of a unit goes to what was found.
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key !== "Enter" || event.isComposing || !field.dataset || !field.dataset.then) return;
    const first = document.querySelector(`${field.dataset.then} input:checked`);
    if (first) { event.preventDefault(); first.focus(); }
  });

  document.querySelectorAll("[data-keys-off]").forEach((box) => { box.checked = off(); });
})();
