"use strict";
for (const place of document.querySelectorAll(".copyable")) {
  const text = place.querySelector("pre"), button = document.createElement("button"), said = document.createElement("span");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the command");
  said.className = "note";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);
      document.execCommand("copy");
    }
    said.textContent = " copied";
  });
  place.append(button, said);
}
