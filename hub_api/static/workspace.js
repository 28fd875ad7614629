// What the workspace's pages need beyond links and forms: keys in lines, drafts of forms, focus where it belongs.
// Everything works without it, with more key strokes. It keeps nothing in the browser.
"use strict";

(function () {
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

  // --- drafts: what is typed is kept by the server, sealed and for whoever typed it, and never by the browser --------
  const KEEP_AFTER = 500;
  const waiting = new Map();  // form to the timer that will keep it
  const sending = new Map();  // form to what can stop its keeping

  function fieldsOf(form) {
    return Array.from(form.elements).filter((each) => each.name && each.name !== "draft" && each.type !== "submit" &&
      each.type !== "file" && (each.type !== "hidden" || each.name === "version"));
  }

  function nameOf(field) {
    return field.id || field.name + "=" + (field.type === "hidden" ? "" : field.value);
  }

  function isTick(field) {
    return field.type === "checkbox" || field.type === "radio";
  }

  function tell(form, text, isOld) {
    const note = form.querySelector(".kept");
    if (!note) return;
    note.hidden = false;
    note.querySelector("span").textContent = text;
    note.querySelector("[data-anew]").hidden = !isOld;
  }

  function stop(form) {
    clearTimeout(waiting.get(form));
    waiting.delete(form);
    if (sending.has(form)) sending.get(form).abort();
  }

  async function keep(form) {
    const said = fieldsOf(form).map((each) => [nameOf(each), isTick(each) ? each.checked : each.value]);
    stop(form);
    const stopper = new AbortController();
    sending.set(form, stopper);
    try {
      const answer = await fetch("/work/drafts/" + form.dataset.draft, { method: "PUT", keepalive: true,
        headers: { "Content-Type": "application/json" }, body: JSON.stringify(said), signal: stopper.signal });
      tell(form, answer.ok ? "What you typed is kept until you send it." :
        "What you typed is not kept: log in again in another tab, then go on here.", false);
    } catch (error) {
      if (error.name !== "AbortError") tell(form, "What you typed is not kept: the hub does not answer.", false);
    }
  }

  async function restore(form) {
    if (form.querySelector(".problem, .alike")) return keep(form);  // the server shows what was typed
    const answer = await fetch("/work/drafts/" + form.dataset.draft);
    if (answer.status !== 200 || waiting.has(form)) return;
    const said = new Map(await answer.json());
    for (const each of fieldsOf(form)) {
      const value = said.get(nameOf(each));
      if (value === undefined) continue;
      if (isTick(each)) each.checked = value;
      else each.value = value;
    }
    tell(form, "Here is what you had typed and not sent.", true);
  }

  document.addEventListener("input", function (event) {
    const form = event.target.closest("form[data-draft]");
    if (!form) return;
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(keep, KEEP_AFTER, form));
  });
  document.addEventListener("submit", function (event) {
    if (event.target.matches("form[data-draft]")) stop(event.target);
  });
  window.addEventListener("pagehide", function () {
    for (const form of waiting.keys()) keep(form);
  });
  document.addEventListener("click", async function (event) {
    const anew = event.target.closest("[data-anew]");
    const take = event.target.closest("[data-take]");
    if (anew) {
      const form = anew.closest("form");
      stop(form);
      await fetch("/work/drafts/" + form.dataset.draft, { method: "DELETE" });
      window.location.reload();
    } else if (take) {
      const field = document.getElementById(take.dataset.take);
      if (!field) return;
      if (isTick(field)) field.checked = take.dataset.value !== "";
      else field.value = take.dataset.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    }
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

  document.querySelectorAll("form[data-draft]").forEach(restore);
  const first = document.querySelector("[data-focus]");
  if (first) first.focus();
})();
