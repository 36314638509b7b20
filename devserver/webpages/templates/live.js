"use strict";
const live = (() => {
  const element = (id) => document.getElementById(id);
  const meta = (name) => document.querySelector(`meta[name="devserver-${name}"]`).content;
  const connection = element("connection"), announcement = element("announcement"), notice = element("notice");
  const handlers = new Map();
  const RETRY = 1500, AGAIN = "devserver-restarted";

  // --- what the page says

  const announce = (text) => { announcement.textContent = text; };
  const state = (name, text) => {
    connection.dataset.state = name;
    if (connection.textContent !== text) connection.textContent = text;
  };
  const say = (text, lines = [], bad = false) => {
    const box = document.createElement("div"), words = document.createElement("div"), close = document.createElement("button");
    box.className = bad ? "bad" : "";
    for (const line of [text, ...lines]) words.appendChild(document.createElement("p")).textContent = line;
    close.type = "button";
    close.textContent = "Dismiss";
    close.addEventListener("click", () => { box.remove(); element("main").focus({ preventScroll: true }); });
    box.append(words, close);
    notice.replaceChildren(box);
  };

  // --- parts of the page: the new HTML is compared with what is there, so that focus and open details stay

  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  const KEPT = { DETAILS: ["open"], INPUT: ["value", "checked"], BUTTON: ["aria-disabled"] };
  const morph = (from, to) => {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    const kept = KEPT[from.nodeName] || [];
    for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !kept.includes(name)) from.removeAttribute(name);
    for (const { name, value } of [...to.attributes]) {
      if (from.getAttribute(name) !== value && !kept.includes(name)) from.setAttribute(name, value);
    }
    children(from, to);
  };
  const children = (from, to) => {
    let old = from.firstChild;
    for (const next of [...to.childNodes]) {
      let found = old;
      if (next.id) while (found && found.id !== next.id) found = found.nextSibling;
      if (found && alike(found, next)) {
        while (old !== found) { const gone = old; old = old.nextSibling; gone.remove(); }
        old = found.nextSibling;
        morph(found, next);
      } else {
        from.insertBefore(document.importNode(next, true), old);
      }
    }
    while (old) { const gone = old; old = old.nextSibling; gone.remove(); }
  };
  const show = (target, html) => {
    const focused = document.activeElement && document.activeElement.id;
    children(target, new DOMParser().parseFromString(html, "text/html").body);
    if (focused && document.activeElement === document.body && element(focused)) element(focused).focus({ preventScroll: true });
  };

  // --- the stream

  let source = null, seen = "", failures = 0, timer = 0, over = false;
  const on = (key, handler) => handlers.set(key, handler);
  const update = ({ key, data }) => {
    if (data && data.announce) announce(data.announce);
    const handler = handlers.get(key), target = element(key);
    if (handler) handler(data);
    else if (target && data && typeof data.html === "string") show(target, data.html);
  };
  const disconnect = () => {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  };
  const later = () => { disconnect(); timer = setTimeout(connect, RETRY); };
  const reload = () => {
    sessionStorage.setItem(AGAIN, (document.activeElement && document.activeElement.id) || " ");
    location.reload();
  };
  const connect = () => {
    if (over || source || document.hidden) return;
    const stream = new EventSource(document.body.dataset.stream + (seen ? `?seen=${seen}` : ""));
    source = stream;
    stream.addEventListener("start", (event) => {
      if (JSON.parse(event.data).start !== meta("start")) { disconnect(); reload(); return; }
      failures = 0;
      state("live", "Live");
    });
    stream.addEventListener("update", (event) => {
      seen = event.lastEventId;
      update(JSON.parse(event.data));
    });
    stream.addEventListener("end", (event) => {
      const { reason, final } = JSON.parse(event.data);
      over = final;
      failures = 2;
      state(final ? "final" : "ended", reason);
      if (over) disconnect(); else later();
    });
    stream.onerror = () => {
      if (source !== stream) return;
      failures += 1;
      if (connection.dataset.state !== "ended") {
        state("lost", failures > 1 ? document.body.dataset.lost : "Connection lost. Trying again…");
      }
      later();
    };
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { disconnect(); if (!over) state("connecting", "Paused while this tab is hidden"); } else connect();
  });
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => { if (event.persisted) connect(); });

  // --- actions

  const post = async (path, values) => {
    let answer;
    try {
      answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Devserver-Token": meta("token") },
        body: JSON.stringify(values),
      });
    } catch {
      throw Object.assign(new Error("There is no answer."), { lines: [document.body.dataset.lost] });
    }
    const data = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(data.error), { lines: [...(data.details || []), ...(data.hint ? [`Hint: ${data.hint}`] : [])] });
    return data;
  };
  let answer = null;  // takes what is answered in the dialog
  const ask = (button) => new Promise((resolve) => {
    const dialog = element("question"), field = element("question-field"), value = element("question-value");
    const details = element("question-details");
    if (answer) answer(null);
    answer = resolve;
    element("question-text").textContent = button.dataset.confirm;
    details.textContent = button.dataset.details || "";
    details.hidden = !details.textContent;
    field.hidden = !button.dataset.ask;
    field.querySelector("label").textContent = button.dataset.ask || "";
    value.value = button.dataset.suggestion || "";
    element("question-yes").textContent = button.dataset.yes || button.firstChild.textContent;
    dialog.returnValue = "no";
    dialog.dataset.field = button.dataset.field || "value";
    dialog.dataset.from = button.id;
    dialog.showModal();
    (field.hidden ? element("question-no") : value).focus();
  });
  element("question").addEventListener("close", (event) => {
    const dialog = event.target;
    if (dialog.open || !answer) return;  // it was opened again before this event came
    const done = answer, from = element(dialog.dataset.from);
    answer = null;
    done(dialog.returnValue === "yes" ? { [dialog.dataset.field]: element("question-value").value } : null);
    if (from) from.focus();
  });
  // Enter in the field means yes, as in every dialog with a field.
  element("question-value").addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); element("question-yes").click(); }
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-post]");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    let values = JSON.parse(button.dataset.values || "{}");
    if (button.dataset.confirm) {
      const answer = await ask(button);
      if (!answer) return;
      if (button.dataset.ask) values = { ...values, ...answer };
    }
    const now = () => (button.id && element(button.id)) || button;
    now().setAttribute("aria-disabled", "true");
    try {
      const answer = await post(button.dataset.post, values);
      if (answer.message) say(answer.message, answer.lines || []);
    } catch (error) {
      say(error.message, error.lines || [], true);
    } finally {
      now().removeAttribute("aria-disabled");
    }
  });

  const again = sessionStorage.getItem(AGAIN);
  if (again) {
    sessionStorage.removeItem(AGAIN);
    say("The command was started again, so this page has loaded itself again.");
    if (element(again)) element(again).focus({ preventScroll: true });
  }
  if (document.body.dataset.stream) connect();
  return { on, post, say, announce, show, state };
})();
