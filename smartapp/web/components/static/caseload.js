/* The list of a professional's own clients. Everything works without this.

   form[data-find]: narrows the list while a name is typed; without a script it is sent.
   [data-fresh="/address"][data-every="seconds"]: asks at a calm pace, and only while somebody can see it, whether the
   list says something else now. An answer 204 says no. Lines that are new then say so. */

const form = document.querySelector("form[data-find]");
const field = form?.querySelector("input[name=find]");
const opened = new Set(marks(document));
let wait = 0;
let asked = Date.now();

function list() {
  return document.querySelector("[data-fresh]");
}

function marks(page) {
  return [...page.querySelectorAll("[data-line]")].map((line) => line.dataset.line);
}

// As the server does it: without accents, in small letters.
function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

function narrow() {
  const sought = plain(field?.value ?? "");
  for (const line of document.querySelectorAll("[data-line]")) line.hidden = !line.dataset.sought.includes(sought);
  // How many there are would not be true of those that are left.
  for (const [name, hidden] of [["all", sought !== ""], ["some", sought === ""]]) {
    const said = document.querySelector(`#clients-title [data-${name}]`);
    if (said) said.hidden = hidden;
  }
}

function later() {
  clearTimeout(wait);
  const here = list();
  if (here && !document.hidden) wait = setTimeout(look, Math.max(0, asked + here.dataset.every * 1000 - Date.now()));
}

async function look() {
  asked = Date.now();
  try {
    const answer = await fetch(list().dataset.fresh, { credentials: "same-origin", redirect: "error" });
    if (answer.status === 200) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    if (answer.status === 404 || answer.status === 403) return; // signed out: the page stays as it is
  } catch { /* no network: asked again */ }
  later();
}

function put(page) {
  const next = page.querySelector("[data-fresh]");
  if (!next || list().contains(document.activeElement)) return; // nothing moves under somebody's hands
  list().replaceWith(document.adoptNode(next));
  let any = false;
  for (const line of document.querySelectorAll("[data-line]")) {
    const isNew = !opened.has(line.dataset.line);
    line.querySelector("[data-new]").hidden = !isNew;
    any ||= isNew;
  }
  document.querySelector("[data-news]").hidden = !any;
  narrow();
}

field?.addEventListener("input", narrow);
form?.addEventListener("submit", (event) => { event.preventDefault(); narrow(); });
document.addEventListener("visibilitychange", later);
narrow();
later();
