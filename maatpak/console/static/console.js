// Pages work without this file. It adds dialogs for forms, keys, rows that can be walked through, and a sign
// of what lies beside.
"use strict";
{
  const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");

  // A link to an act opens its form in a dialog, over the page that it is about.
  const open = async (link) => {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    const form = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form.act");
    if (!form) { location.href = link.href; return; }
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-label", form.querySelector("h1").textContent);
    dialog.append(document.adoptNode(form));
    const back = form.querySelector(".send a");
    back.addEventListener("click", (event) => { event.preventDefault(); dialog.close(); });
    dialog.addEventListener("close", () => { dialog.remove(); link.focus(); });
    document.body.append(dialog);
    dialog.showModal();
    (form.querySelector(".field input, .field select, .field textarea") || form.querySelector("button")).focus();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link).catch(() => { location.href = link.href; });
  });

  // The same form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    if (event.target.method === "post") event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

  // A form that makes a file: the page stays, and tells what came of it. What is refused is shown as without this.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-file]")) return;
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const name = /filename\*=UTF-8''(\S+)/.exec(answer.headers.get("Content-Disposition") || "");
    if (!name) { form.submit(); return; }
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = decodeURIComponent(name[1]);
    link.click();
    setTimeout(() => location.reload(), 400);
  });

  // Menus close when the reader goes elsewhere, and by Esc; one that led to a dialog is there again after it.
  const menus = () => document.querySelectorAll(".who[open], .menu[open], .drop[open]");
  for (const kind of ["click", "focusin"])
    document.addEventListener(kind, (event) => {
      if (event.target.closest("dialog")) return;
      for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
    });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    for (const menu of menus()) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // What is wider than its place fades out at its edge, until its end is seen.
  const parts = document.querySelectorAll(".scroll, .steps, .tabs");
  const fade = (part) => part.classList.toggle("more", part.scrollWidth - part.clientWidth - part.scrollLeft > 2);
  const sized = new ResizeObserver((changed) => { for (const { target } of changed) fade(target); });
  for (const part of parts) { sized.observe(part); part.addEventListener("scroll", () => fade(part), { passive: true }); }

  // On a telephone the filters of a list are folded away, so that the list is there at once.
  if (matchMedia("(max-width: 640px)").matches)
    for (const part of document.querySelectorAll("[data-folding]")) part.open = false;

  // Keys of one letter can be turned off: who speaks to their machine would press buttons by words (WCAG 2.1.4).
  const kept = (value) => { try { if (value) localStorage.keys = value; return localStorage.keys; } catch { return value; } };
  let keys = kept() !== "off";
  const turn = document.querySelector("[data-keys]");
  const shown = () => {
    document.body.classList.toggle("silent", !keys);
    if (turn) { turn.hidden = false; turn.textContent = keys ? "Turn shortcut keys off" : "Turn shortcut keys on"; }
  };
  turn?.addEventListener("click", () => { keys = !keys; kept(keys ? "on" : "off"); shown(); });
  shown();

  // Keys: j and k walk the rows, Enter opens one, / searches, ? tells, and what a button shows presses it.
  const rows = () => [...document.querySelectorAll("[data-rows] tbody tr, [data-rows] > li, [data-rows] > article")];
  const walk = (step) => {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((row) => row.classList.contains("chosen") || row.contains(document.activeElement));
    const next = all[Math.max(0, Math.min(all.length - 1, now + step))];
    for (const row of all) row.classList.toggle("chosen", row === next);
    (next.querySelector("a") || next.querySelector("button, input") || next).focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const tell = () => {
    const dialog = document.createElement("dialog");
    const keys = [["j, k", "next and previous row"], ["Enter", "open it"], ["/", "find a customer"], ["Esc", "close"]];
    for (const button of document.querySelectorAll("[data-key]"))
      if (!keys.some(([key]) => key === button.dataset.key)) keys.push([button.dataset.key, button.textContent.replace(/\s+\S$/, "").trim()]);
    const list = document.createElement("dl");
    list.className = "pairs card act";
    for (const [key, what] of keys) {
      const term = document.createElement("dt"), told = document.createElement("dd"), kbd = document.createElement("kbd");
      kbd.textContent = key; term.append(kbd); told.textContent = what; list.append(term, told);
    }
    dialog.setAttribute("aria-label", "Keys");
    dialog.append(list);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("keydown", (event) => {
    if (!keys || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
    else if (event.key === "/") document.getElementById("find")?.focus();
    else if (event.key === "?") tell();
    else {
      const near = event.target.closest("[data-rows] tr, [data-rows] > *");
      const button = (near || document).querySelector(`[data-key="${CSS.escape(event.key)}"]`) || document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (!button) return;
      button.click();
      if (button.tagName === "SUMMARY" && button.parentElement.open)
        button.parentElement.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    }
    event.preventDefault();
  });
}
