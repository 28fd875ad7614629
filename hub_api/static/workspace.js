// What the workspace's pages need beyond links and forms: keys in lines, drafts of forms, focus where it belongs.
// Everything works without it, with more key strokes. It never keeps anything beyond the tab, nor beyond a log-out.
"use strict";

(function () {
  const who = document.body.dataset.who || "";
  const prefix = "draft/" + who + "/";

  // --- keys within a line: a letter does what it stands beside, arrows go up and down ------------------------------
  function rows(row) {
    return Array.from(row.closest("[data-rows]").querySelectorAll("[data-row]"));
  }

  function enter(row) {
    const way = row.querySelector("a.person, a[href]");
    if (way) way.focus();
  }

  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
    const row = event.target.closest("[data-row]");
    if (!row || event.target.matches("input, select, textarea")) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = rows(row);
      const next = all[all.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) enter(next);
      event.preventDefault();
      return;
    }
    const target = row.querySelector('[data-key="' + CSS.escape(event.key.toLowerCase()) + '"]');
    if (!target || event.repeat) return;
    event.preventDefault();
    target.click();
    const field = target.matches("summary") && target.parentElement.querySelector("input:not([type=hidden])");
    if (field) field.focus();
  });

  // --- in a calendar: arrows go to what is nearest that way, m looks for another time for a visit --------------------
  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function middle(element) {
    const box = element.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + Math.min(box.height, 24) / 2];
  }

  function nearest(calendar, from, [across, down]) {
    const [x, y] = middle(from);
    let best = null, least = Infinity;
    for (const each of calendar.querySelectorAll("a")) {
      const [dx, dy] = [middle(each)[0] - x, middle(each)[1] - y];
      const ahead = dx * across + dy * down;
      const aside = Math.abs(dx * down) + Math.abs(dy * across);
      if (ahead > 4 && ahead + 4 * aside < least) [best, least] = [each, ahead + 4 * aside];
    }
    return best;
  }

  document.addEventListener("keydown", function (event) {
    const calendar = event.target.closest("[data-calendar]");
    if (!calendar || !event.target.matches("a") || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in WAYS) {
      const next = nearest(calendar, event.target, WAYS[event.key]);
      if (next) next.focus();
      event.preventDefault();
    } else if (event.key === "m" && event.target.matches('[href^="/work/appointments/"]:not(.free)')) {
      const here = new URL(window.location.href);
      here.searchParams.set("moves", event.target.pathname.split("/")[3]);
      window.location.assign(here);
    }
  });

  // --- drafts: what is typed survives a reload of the tab, and nothing else ----------------------------------------
  function dropOthers() {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith("draft/") && !name.startsWith(prefix)) sessionStorage.removeItem(name);
    }
  }

  function forget() {
    for (const name of Object.keys(sessionStorage)) {
      if (name.startsWith("draft/")) sessionStorage.removeItem(name);
    }
  }

  function fieldsOf(form) {
    return Array.from(form.elements).filter((each) => each.name && each.type !== "hidden" && each.type !== "submit");
  }

  function keep(form) {
    const said = fieldsOf(form).map((each) => [each.id || each.name + "=" + each.value,
      each.type === "checkbox" || each.type === "radio" ? each.checked : each.value]);
    sessionStorage.setItem(prefix + form.dataset.draft, JSON.stringify(said));
  }

  function restore(form) {
    const kept = sessionStorage.getItem(prefix + form.dataset.draft);
    if (kept === null) return;
    const said = new Map(JSON.parse(kept));
    for (const each of fieldsOf(form)) {
      const value = said.get(each.id || each.name + "=" + each.value);
      if (value === undefined) continue;
      if (each.type === "checkbox" || each.type === "radio") each.checked = value;
      else each.value = value;
    }
  }

  document.addEventListener("input", function (event) {
    const form = event.target.closest("form[data-draft]");
    if (form) keep(form);
  });
  document.addEventListener("submit", function (event) {
    if (event.target.matches("[data-forget]")) forget();
    else if (event.target.matches("form[data-draft]")) sessionStorage.removeItem(prefix + event.target.dataset.draft);
  });

  // --- small things ------------------------------------------------------------------------------------------------
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) window.print();
  });
  document.addEventListener("htmx:responseError", function (event) {
    if (event.detail.xhr.status === 401) window.location.reload();
  });
  document.addEventListener("htmx:afterSettle", function (event) {
    const target = event.detail.elt.querySelector && event.detail.elt.querySelector("[data-focus]");
    if (target) target.focus();
    else if (document.activeElement === document.body && event.detail.elt.id === "board") landOn(event.detail.elt);
  });

  // After a step the button pressed is gone: go to what comes next in the same line.
  let pressed = null;
  document.addEventListener("htmx:beforeRequest", function (event) {
    const link = event.detail.elt.closest("[data-row]");
    pressed = link ? link.querySelector("a.person").getAttribute("href") : null;
  });

  function landOn(board) {
    const link = pressed && board.querySelector('a.person[href="' + CSS.escape(pressed) + '"]');
    const next = link && (link.closest("[data-row]").querySelector("[data-key]") || link);
    if (next) next.focus();
  }

  dropOthers();
  document.querySelectorAll("form[data-draft]").forEach(restore);
  const first = document.querySelector("[data-focus]");
  if (first) first.focus();
})();
