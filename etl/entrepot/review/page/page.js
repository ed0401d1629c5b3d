// The reader's page. Offsets that leave it count Unicode characters, as Python does; a browser
// counts UTF-16 units, which differ from the first emoji or rare ideogram on.
"use strict";

const at = (id) => document.getElementById(id);
const text = at("text");
let state = null, words = null, language = "fr", shown = null, marks = [], dirty = false;
let busy = true;  // between two documents nothing is marked: it would belong to neither

const characters = (units) => Array.from(shown.text.slice(0, units)).length;
const same = (a, b) => a.start === b.start && a.end === b.end;

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function element(name, content, attributes = {}) {
  const made = document.createElement(name);
  made.append(...[].concat(content));
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function say(message) { at("message").textContent = message; }

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// What is drawn over the text: tags, and misses; pieces never overlap because misses are joined.
function pieces() {
  const missed = marks.filter((mark) => mark.kind === "missed").map((mark) => ({ ...mark, type: "miss" }));
  const tags = shown.tags.map((tag) => ({ ...tag, type: "tag" }));
  const free = tags.filter((tag) => !missed.some((mark) => mark.start < tag.end && tag.start < mark.end));
  return [...missed, ...free].sort((a, b) => a.start - b.start);
}

function isOver(tag) { return marks.some((mark) => mark.kind === "over" && same(mark, tag)); }

function draw() {
  const all = Array.from(shown.text ?? "");
  const cut = (start, end) => all.slice(start, end).join("");
  text.replaceChildren();
  let done = 0;
  for (const piece of pieces()) {
    text.append(cut(done, piece.start));
    const span = element("span", cut(piece.start, piece.end), { "data-start": piece.start, "data-end": piece.end });
    span.className = piece.type === "miss" ? "miss" : isOver(piece) ? "tag over" : "tag";
    span.title = words.labels[piece.label][1];
    text.append(span);
    done = piece.end;
  }
  text.append(cut(done, all.length));
  drawLists(cut);
  at("saved").textContent = dirty ? words.page.unsaved : shown.done ? words.page.saved : "";
}

function drawLists(cut) {
  const missed = marks.filter((mark) => mark.kind === "missed").map((mark) => {
    const remove = element("button", words.page.remove, { type: "button" });
    remove.addEventListener("click", () => change(marks.filter((one) => one !== mark)));
    const name = `${words.labels[mark.label][1]} : ${cut(mark.start, mark.end)}`;
    remove.setAttribute("aria-label", `${words.page.remove} ${name}`);
    return element("li", [element("span", name), remove]);
  });
  const tags = shown.tags.map((tag) => {
    const name = cut(tag.start, tag.end);
    const over = element("button", words.page.over, { type: "button", "aria-pressed": isOver(tag) });
    over.setAttribute("aria-label", `${name} ${words.page.over}`);
    over.addEventListener("click", () => toggle(tag));
    return element("li", [element("span", name), over]);
  });
  const empty = () => [element("li", words.page.none, { class: "empty" })];
  at("marks").replaceChildren(...(missed.length ? missed : empty()));
  at("tags").replaceChildren(...(tags.length ? tags : empty()));
}

function change(next) { if (busy) return; marks = next; dirty = true; say(""); draw(); }

function toggle(tag) {
  const others = marks.filter((mark) => !(mark.kind === "over" && same(mark, tag)));
  const added = others.length === marks.length ? [{ kind: "over", start: tag.start, end: tag.end, label: tag.label }] : [];
  change([...others, ...added]);
}

// The selection in characters of the text, without the blanks around it; null when there is none.
function selection() {
  const chosen = window.getSelection();
  if (!chosen.rangeCount || chosen.isCollapsed || !text.contains(chosen.anchorNode) || !text.contains(chosen.focusNode)) return null;
  const range = chosen.getRangeAt(0), before = document.createRange();
  before.setStart(text, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const raw = range.toString(), start = before.toString().length + raw.length - raw.trimStart().length;
  return raw.trim() ? { start: characters(start), end: characters(start + raw.trim().length) } : null;
}

function miss(label) {
  if (busy) return;
  const chosen = selection();
  if (!chosen) return say(words.page.select);
  const apart = (mark) => mark.kind === "over" || mark.end <= chosen.start || mark.start >= chosen.end;
  change([...marks.filter(apart), { kind: "missed", ...chosen, label }]);
  text.focus();
}

// The tag under the caret or the selection, for the keyboard.
function tagAtCaret() {
  const node = window.getSelection().focusNode;
  const span = (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.(".tag");
  return span && shown.tags.find((tag) => tag.start === Number(span.dataset.start));
}

function wait(waiting) {
  busy = waiting;
  text.setAttribute("aria-busy", waiting);
}

async function open(number) {
  if (dirty && !window.confirm(words.page.unfinished)) return;
  wait(true);
  try {
    shown = await ask(`document/${number}`);
    marks = shown.marks;
    dirty = false;
  } catch {
    return say(words.page.failed);
  } finally {
    wait(false);
  }
  say(shown.text === null ? words.page.gone : "");
  draw();
  text.scrollTop = 0;
  window.getSelection().removeAllRanges();
  progress();
}

function progress() {
  const done = state.done.filter(Boolean).length, total = state.done.length;
  at("progress").textContent = fill(words.page.progress, { number: shown.number + 1, total, done });
  at("bar").value = done / total;
  at("previous").disabled = shown.number === 0;
  at("next").disabled = shown.number === total - 1;
  at("save").disabled = at("nothing").disabled = shown.text === null;
}

async function save(next) {
  const number = shown.number;
  wait(true);
  try {
    await ask(`document/${number}`, next);
  } catch {
    return say(words.page.failed);
  } finally {
    wait(false);
  }
  state.done[number] = true;
  dirty = false;
  const later = state.done.findIndex((done, place) => !done && place > number);
  const following = later < 0 ? state.done.indexOf(false) : later;
  await open(following < 0 ? number : following);
  if (following < 0) say(words.page.finished);
}

function speak(chosen) {
  language = chosen;
  words = state.words[language];
  document.documentElement.lang = language;
  document.title = words.page.title;
  for (const one of document.querySelectorAll("[data-word]")) one.textContent = words.page[one.dataset.word];
  text.setAttribute("aria-label", words.page.text);
  at("labels").replaceChildren(...Object.entries(words.labels).map(([label, [key, name]]) => {
    const button = element("button", [element("kbd", key.toUpperCase()), name], { type: "button", "data-name": label });
    button.addEventListener("mousedown", (event) => event.preventDefault());  // keeps the selection
    button.addEventListener("click", () => miss(label));
    return button;
  }));
}

text.addEventListener("beforeinput", (event) => event.preventDefault());
for (const name of ["drop", "paste", "cut"]) text.addEventListener(name, (event) => event.preventDefault());
text.addEventListener("click", (event) => {
  const span = event.target.closest(".tag");
  if (span && window.getSelection().isCollapsed) toggle(shown.tags.find((tag) => tag.start === Number(span.dataset.start)));
});
document.addEventListener("keydown", (event) => {
  if (busy || event.ctrlKey || event.metaKey) return;
  if (event.altKey) {
    if (event.key === "ArrowLeft" && shown.number > 0) { event.preventDefault(); open(shown.number - 1); }
    if (event.key === "ArrowRight" && shown.number < state.done.length - 1) { event.preventDefault(); open(shown.number + 1); }
    return;
  }
  if (event.target.closest("button, summary")) return;
  const key = event.key.toLowerCase();
  const label = Object.entries(words.labels).find(([, [letter]]) => letter === key);
  if (key === "enter") { event.preventDefault(); if (!at("save").disabled) save(marks); }
  else if (label) { event.preventDefault(); miss(label[0]); }
  else if (key === "o") { event.preventDefault(); const tag = tagAtCaret(); if (tag) toggle(tag); }
});
at("save").addEventListener("click", () => { if (!busy) save(marks); });
at("nothing").addEventListener("click", () => { if (!busy && (!marks.length || window.confirm(words.page.unfinished))) save([]); });
at("previous").addEventListener("click", () => busy || open(shown.number - 1));
at("next").addEventListener("click", () => busy || open(shown.number + 1));
at("language").addEventListener("click", () => { if (busy) return; speak(language === "fr" ? "en" : "fr"); draw(); progress(); });
window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });

(async () => {
  state = await ask("state");
  speak(navigator.language.startsWith("fr") ? "fr" : "en");
  await open(state.first);
  text.focus();
})();
