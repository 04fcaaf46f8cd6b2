"use strict";
(() => {
  const all = [...document.querySelectorAll("[data-case]")];
  const groups = [...document.querySelectorAll("[data-group]")].reverse();
  const counts = document.getElementById("counts");
  const links = [...counts.querySelectorAll("[data-only]")];
  const words = new Map(all.map((item) => [item, item.textContent.toLowerCase()]));
  let only = "";

  const tools = document.createElement("div");
  tools.className = "tools";
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "search   /";
  search.setAttribute("aria-label", "search cases");
  const found = document.createElement("span");
  found.className = "soft";
  found.setAttribute("role", "status");
  tools.append(search, found);
  if (all.length) counts.append(tools);

  const filter = () => {
    const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = only !== "" || terms.length > 0;
    let number = 0;
    for (const item of all) {
      const match = (!only || item.dataset.case === only) && terms.every((term) => words.get(item).includes(term));
      item.hidden = !match;
      number += match;
    }
    for (const group of groups) {
      group.hidden = active && !group.querySelector("[data-case]:not([hidden])");
      if (active && group.tagName === "DETAILS" && !group.hidden && terms.length) group.open = true;
    }
    for (const link of links) link.setAttribute("aria-current", String(link.dataset.only === only));
    found.textContent = active ? number + " of " + all.length + " cases" : "";
  };

  const show = (item) => {
    for (let up = item; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    item.scrollIntoView({ block: "start" });
  };

  const named = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* as it stands */ }
    const item = id && document.getElementById(id.split("&")[0]);
    if (!item || !item.matches("[data-case]")) return;
    if (item.hidden) { only = ""; search.value = ""; filter(); }
    show(item);
  };

  let at = -1;
  const step = (by) => {
    const red = all.filter((item) => !item.hidden && (item.dataset.case === "fail" || item.dataset.case === "error"));
    if (!red.length) return;
    at = Math.min(Math.max(at + by, 0), red.length - 1);
    for (const item of all) item.classList.toggle("current", item === red[at]);
    show(red[at]);
    history.replaceState(null, "", "#" + red[at].id);
  };

  for (const link of links) link.addEventListener("click", () => {
    only = only === link.dataset.only ? "" : link.dataset.only;
    at = -1;
    filter();
  });
  search.addEventListener("input", () => { at = -1; filter(); });
  addEventListener("hashchange", named);
  addEventListener("beforeprint", () => {
    for (const record of document.querySelectorAll("details.record")) record.open = true;
  });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") { search.value = ""; filter(); search.blur(); }
      return;
    }
    if (event.key === "/") { search.focus(); event.preventDefault(); }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
    if (event.key === "Escape") { only = ""; search.value = ""; filter(); }
  });

  if (navigator.clipboard) for (const command of document.querySelectorAll("pre.command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.querySelector("code").textContent);
        button.textContent = "copied";
      } catch { button.textContent = "no access"; }
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
    command.append(button);
  }

  const title = document.querySelector("#red h2");
  if (title) {
    const keys = document.createElement("span");
    keys.className = "soft keys";
    keys.textContent = "keys: j next, k previous, / search, Esc all";
    title.append(keys);
  }
  filter();
  named();
})();
