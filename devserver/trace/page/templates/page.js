"use strict";
(() => {
  const list = document.getElementById("rows"), rows = [...list.children];
  const texts = new Map();
  const bars = [...document.querySelectorAll("#rows .bar")];
  const ticks = document.querySelector(".ticks"), main = document.querySelector("main");
  const axis = ticks.innerHTML, grid = main.style.getPropertyValue("--grid");
  const find = document.getElementById("find"), failures = document.getElementById("failures");
  const count = document.getElementById("count"), whole = document.getElementById("whole");
  const length = Number(document.querySelector(".axis").dataset.ms);
  const ONE = "Show this time", WHOLE = "Show the whole time";
  for (const part of document.querySelectorAll(".tools, .keys")) part.hidden = false;

  // As devserver/system/axis.py: round marks of a time in seconds.
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  const stepOf = (least) => {
    if (least > 0.5 && least <= 86400) return STEPS.find((step) => step >= least * 0.999);
    const unit = least <= 1 ? 1 : 86400, power = unit * 10 ** Math.floor(Math.log10(least / unit));
    return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= least * 0.999);
  };
  const round = (n) => String(Number(n.toPrecision(9)));
  const words = (at, step) => {
    if (at <= 0) return "0";
    if (step < 0.1) return `${round(at * 1000)} ms`;
    if (at < 60 || step < 1) return `${round(at)} s`;
    const s = Math.round(at);
    const parts = [[Math.floor(s / 86400), "d"], [Math.floor(s / 3600) % 24, "h"], [Math.floor(s / 60) % 60, "min"], [s % 60, "s"]];
    return parts.filter(([n]) => n).slice(0, 2).map(([n, unit]) => `${n} ${unit}`).join(" ");
  };
  const mark = (from, to) => {
    const step = stepOf((to - from) / 6), lines = [];
    ticks.replaceChildren();
    for (let n = Math.ceil(from / step - 1e-9); n * step <= to * (1 + 1e-9); n++) {
      const tick = document.createElement("i"), place = (n * step - from) / (to - from) * 100;
      tick.textContent = words(n * step, step);
      tick.style.left = `${place}%`;
      if (place > 93) tick.style.transform = "translateX(-100%)";
      ticks.append(tick);
      lines.push(`linear-gradient(var(--line) 0 0) ${place}% 0 / 1px 100% no-repeat`);
    }
    main.style.setProperty("--grid", lines.join(", "));
  };

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const show = () => {
    const text = find.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = (!text || textOf(row).includes(text)) && (!failures.checked || row.matches(".bad, .retried"));
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
    if (whole.disabled) {
      ticks.innerHTML = axis;
      main.style.setProperty("--grid", grid);
    } else mark(length / 1e5 * left, length / 1e5 * (left + width));
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
    if (!key || event.target.parentElement.parentElement !== list || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    key(event.target.parentElement);
  };

  list.addEventListener("click", offer);
  list.addEventListener("toggle", offer, true);
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
