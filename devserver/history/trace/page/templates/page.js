"use strict";
(() => {
  const list = document.getElementById("rows"), rows = [...list.children];
  const texts = new Map();
  const bars = [...document.querySelectorAll("#rows .bar")];
  const ticks = [...document.querySelectorAll(".ticks i")];
  const find = document.getElementById("find"), failures = document.getElementById("failures");
  const count = document.getElementById("count"), whole = document.getElementById("whole");
  const length = Number(document.querySelector(".axis").dataset.ms);
  document.querySelector(".tools").hidden = false;

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

  const zoom = (left, right) => {
    const width = Math.max(right - left, 1e-4);
    for (const bar of bars) {
      const l = (bar.dataset.l - left) / width * 100, r = (bar.dataset.r - left) / width * 100;
      const outside = r < 0 || l > 100;
      bar.style.left = `min(${Math.max(0, l)}%, 100% - 3px)`;  // a bar is 3px at least
      bar.style.width = `${Math.min(100, r) - Math.max(0, l)}%`;
      bar.style.display = outside ? "none" : "";
    }
    ticks.forEach((tick, n) => { tick.textContent = words(length / 100 * (left + width * n / (ticks.length - 1))); });
    whole.disabled = left === 0 && right === 100;
  };

  // A row gets its button when it is opened for the first time: twenty thousand of them take seconds to make.
  const offer = (event) => {
    const row = event.target.closest("details"), bar = row && row.querySelector(".bar");
    if (!bar || row.querySelector("button")) return;
    textOf(row);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Show this time";
    button.addEventListener("click", () => zoom(Number(bar.dataset.l), Number(bar.dataset.r)));
    row.querySelector("dl").after(button);
  };
  list.addEventListener("click", offer);
  list.addEventListener("toggle", offer, true);
  find.addEventListener("input", show);
  failures.addEventListener("change", show);
  whole.addEventListener("click", () => zoom(0, 100));
  show();
})();
