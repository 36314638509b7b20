"use strict";
(() => {
  const list = document.getElementById("rows"), rows = [...list.children];
  const texts = new Map();
  const bars = [...document.querySelectorAll("#rows .bar")];
  const ticks = [...document.querySelectorAll(".ticks i")], labels = ticks.map((tick) => tick.textContent);
  const find = document.getElementById("find"), failures = document.getElementById("failures");
  const count = document.getElementById("count"), whole = document.getElementById("whole");
  const length = Number(document.querySelector(".axis").dataset.ms);
  const ONE = "Show this time", WHOLE = "Show the whole time";
  for (const part of document.querySelectorAll(".tools, .keys")) part.hidden = false;

  const two = (parts) => parts.filter(([n]) => n).slice(0, 2).map(([n, unit]) => n + unit).join("");
  const words = (ms) => {
    if (ms < 999.5) return `${Math.round(ms * 10) / 10} ms`;
    if (ms < 59950) return `${Math.round(ms / 100) / 10} s`;
    const s = Math.round(ms / 1000);
    return two([[Math.floor(s / 86400), "d"], [Math.floor(s / 3600) % 24, "h"], [Math.floor(s / 60) % 60, "m"], [s % 60, "s"]]);
  };

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const show = () => {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = (!text || textOf(row).includes(text)) && (!failures.checked || row.classList.contains("bad"));
      row.hidden = !fits;
      shown += fits;
    }
    count.textContent = text || failures.checked ? `${shown} of ${rows.length} rows` : "";
  };

  let zoomed = null;  // the button of the row whose time fills the axis
  const zoom = (left, right, button = null) => {
    if (zoomed) zoomed.textContent = ONE;
    zoomed = button;
    if (zoomed) zoomed.textContent = WHOLE;
    const width = Math.max(right - left, 1e-4);
    for (const bar of bars) {
      const l = (bar.dataset.l - left) / width * 100, r = (bar.dataset.r - left) / width * 100;
      const outside = r < 0 || l > 100;
      bar.style.left = `min(${Math.max(0, l)}%, 100% - 3px)`;  // a bar is 3px at least
      bar.style.width = `${Math.min(100, r) - Math.max(0, l)}%`;
      bar.style.display = outside ? "none" : "";
    }
    whole.disabled = left === 0 && right === 100;
    ticks.forEach((tick, n) => {
      tick.textContent = whole.disabled ? labels[n] : words(length / 100 * (left + width * n / (ticks.length - 1)));
    });
  };

  // A row gets its button when it is opened for the first time: twenty thousand of them take seconds to make.
  const offer = (event) => {
    const row = event.target.closest("details"), bar = row && row.querySelector(".bar");
    if (!bar || row.querySelector("button")) return;
    textOf(row);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = ONE;
    button.addEventListener("click", () => {
      if (zoomed === button) zoom(0, 100);
      else zoom(Number(bar.dataset.l), Number(bar.dataset.r), button);
    });
    row.querySelector("dl").after(button);
  };

  // What is longer than its box can be scrolled by keys once it has the focus.
  const open = (event) => {
    offer(event);
    for (const text of event.target.querySelectorAll("pre")) if (text.scrollHeight > text.clientHeight) text.tabIndex = 0;
  };

  const beside = (row, next) => {
    do row = next ? row.nextElementSibling : row.previousElementSibling; while (row && row.hidden);
    return row;
  };
  const first = () => rows.find((row) => !row.hidden);
  const go = (row) => { if (row) row.firstElementChild.focus(); };
  const KEYS = {
    ArrowDown: (row) => go(beside(row, true)),
    ArrowUp: (row) => go(beside(row, false)),
    ArrowRight: (row) => { row.open = true; },
    ArrowLeft: (row) => { row.open = false; },
    Home: () => go(first()),
    End: () => go([...rows].reverse().find((row) => !row.hidden)),
  };
  const move = (event) => {
    const key = KEYS[event.key];
    if (!key || event.target.tagName !== "SUMMARY" || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    key(event.target.parentElement);
  };

  list.addEventListener("click", offer);
  list.addEventListener("toggle", open, true);
  list.addEventListener("keydown", move);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target !== find && !whole.disabled) zoom(0, 100);
  });
  document.querySelector(".tools").addEventListener("submit", (event) => {
    event.preventDefault();  // Enter would reload the page without the search
    go(first());
  });
  find.addEventListener("input", show);
  failures.addEventListener("change", show);
  whole.addEventListener("click", () => zoom(0, 100));
  show();
})();
