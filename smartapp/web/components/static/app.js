/* Small helps on top of pages that work without any of this. Each looks for its own data attribute. */

const SOON = 700; // ms without typing before a text is saved
const SLOWEST = 30000; // ms between two tries when saving does not work
const PATIENCE = 10000; // ms before a try without an answer counts as failed
const LASTING = 60000; // bytes that a browser still sends for a page that is gone; it refuses more than 65,536

/* ---- autosave ------------------------------------------------------------------------------------------------
   <form data-autosave="/address" data-saving="…" data-saved-text="…" data-not-saved="…" data-away="…" data-ended="…">
   posts the whole form to the address after each change; the answer is JSON. It may hold {"fields": {name: value}}:
   hidden fields to set (a version, for example), {"says": "text"} to say instead of "saved", and {"stop": "text"}: what
   to say instead of trying again. With
   {"stands": {name: text}} it says which text is in the way: that may be ours, of a try whose answer got lost.
   "Saved" is shown after a 2xx of the newest text and never before. */
class Autosave {
  constructor(form, page) {
    this.form = form;
    this.line = form.querySelector("[data-saved]");
    this.typed = 0; // number of the newest change
    this.kept = 0; // number of the newest change that the server has
    this.tries = []; // what was sent since the last answer: the server may have it
    this.busy = false;
    this.wait = 1000;
    this.timer = 0;
    form.addEventListener("input", (event) => this.changed(event));
    form.addEventListener("change", (event) => this.changed(event));
    form.addEventListener("submit", (event) => this.submitted(event));
    const here = { signal: page.signal }; // until another page takes the place of this one
    document.addEventListener("visibilitychange", () => { if (document.hidden && !this.leaving) this.save(true); }, here);
    window.addEventListener("online", () => this.save(), here);
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.returned(); }, here);
    window.addEventListener("beforeunload", (event) => {
      if (!this.leaving && this.kept < this.typed) { this.save(true); event.preventDefault(); }
    }, here);
  }

  changed(event) {
    if (event.target.type === "hidden") return;
    this.typed += 1;
    this.leaving = false; // typed after a press, on a slow network
    this.remember(true);
    this.later(event.type === "change" ? 0 : SOON);
  }

  // A press waits until the server has what was typed. Otherwise the form would meet its own text as that of another
  // tab, and without a network the browser's error page would take the place of this one and its text.
  submitted(event) {
    clearTimeout(this.timer);
    if (this.passing || this.stopped || !event.submitter || (!this.busy && this.kept >= this.typed)) {
      this.leaving = true;
      return;
    }
    event.preventDefault();
    this.button = event.submitter;
    this.save();
  }

  // Back by the browser's button, the page is as it was left: about to be sent. From here on it is typed in again.
  returned() {
    this.leaving = false;
    this.button = null;
    this.save();
  }

  // A browser puts back what was typed in a page that one comes back to. Where that is saved, newer words may have come
  // after it, in a later visit of the page: then what the server has is shown.
  remember(unsaved) {
    this.form.autocomplete = unsaved ? "on" : "off";
  }

  later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), delay);
  }

  say(text, state) {
    if (!this.line || this.line.textContent === text) return;
    this.line.dataset.state = state;
    this.line.textContent = text;
  }

  async save(leaving = false) {
    if (this.busy || this.stopped || this.kept >= this.typed) return;
    const { saving, savedText, notSaved, away, ended } = this.form.dataset;
    const number = this.typed;
    this.busy = true;
    if (this.line?.dataset.state !== "waiting") this.say(saving, "saving");
    const sent = new URLSearchParams(new FormData(this.form));
    this.tries.push(sent);
    const [answer, body] = await this.post(sent, leaving);
    this.busy = false;
    if (answer?.ok && body.saved) {
      this.kept = number;
      this.wait = 1000;
      this.tries = [];
      this.set(body.fields);
      this.remember(this.kept < this.typed);
      if (this.kept >= this.typed) {
        this.say(body.says ?? savedText, body.says ? "waiting" : "saved");
        this.form.dispatchEvent(new CustomEvent("kept", { detail: body }));
      } else this.later(SOON);
    } else if (body.stands && this.tries.some((one) => says(one, body.stands))) {
      this.tries = [sent];
      this.set(body.fields);
      return this.save();
    } else if (body.stop || [400, 401, 403, 404, 409, 412, 422].includes(answer?.status)) {
      this.stopped = true; // trying again would not help; the text stays on the page
      this.say(body.stop ?? ended, "waiting");
    } else {
      this.say(this.button && answer === null ? away : notSaved, "waiting");
      this.later(this.wait);
      this.wait = Math.min(this.wait * 2, SLOWEST);
    }
    this.pass(answer !== null);
  }

  // Returns the answer and its JSON. No answer is null, an answer that took too long undefined; and {} what is no JSON.
  async post(sent, leaving) {
    const abort = new AbortController(); // not AbortSignal.timeout: old phones do not have it
    const timer = setTimeout(() => abort.abort(), PATIENCE);
    let answer = null;
    try {
      answer = await fetch(this.form.dataset.autosave, {
        method: "POST",
        body: sent,
        headers: { Accept: "application/json" },
        credentials: "same-origin",
        redirect: "manual",
        keepalive: leaving && String(sent).length < LASTING,
        signal: abort.signal,
      });
      return [answer, await answer.json()];
    } catch {
      return [answer ?? (abort.signal.aborted ? undefined : null), {}];
    } finally {
      clearTimeout(timer);
    }
  }

  set(fields) {
    for (const [name, value] of Object.entries(fields ?? {})) {
      const field = this.form.elements.namedItem(name);
      if (field instanceof HTMLInputElement && field.type === "hidden") field.value = value;
    }
  }

  // Lets a press that waited go on. Without a network it is dropped, and the page stays.
  pass(reached) {
    const button = this.button;
    this.button = null;
    if (!button || !reached) return;
    this.passing = true;
    button.click();
    this.passing = false;
  }
}

function says(sent, texts) {
  return Object.entries(texts).every(([name, text]) => sent.get(name)?.replaceAll("\r\n", "\n") === text);
}

/* ---- one question after another -------------------------------------------------------------------------------
   <form data-asking>, with the autosave of above, whose answer says where "Next" leads ({"next": address}). That page is
   fetched ahead and takes the place of this one when it is asked for, so that going on waits for nothing. Digits choose
   (data-key), while the focus is on the question. Going on by itself is a choice of one person, kept in this browser; an
   arrow key only looks at an answer, and never goes on. */

class Asking {
  constructor(form) {
    this.form = form;
    this.question = form.querySelector("fieldset");
    this.next = form.querySelector("button[name=next]");
    this.ahead = null;
    form.addEventListener("kept", (event) => this.fetchAhead(event.detail.next));
    form.addEventListener("input", () => { this.ahead = null; });
    form.addEventListener("submit", (event) => this.submitted(event));
    this.question?.addEventListener("pointerdown", () => { this.chosen = true; this.before = this.answer(); });
    this.question?.addEventListener("click", (event) => { if (event.detail && event.target.type === "radio" && event.target === this.before) this.goOn(); });
    this.question?.addEventListener("keydown", (event) => this.pressed(event));
    // Not on a page that is opened for the first time by pointer: a screen reader begins at its top.
    if (this.question && byKeys() && document.activeElement === document.body) this.question.focus({ preventScroll: true });
  }

  answer() {
    return this.question.querySelector("input:checked");
  }

  pressed(event) {
    this.chosen = false;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" && event.target === this.question) this.next.click();
    const radio = this.question.querySelector(`input[type=radio][data-key="${CSS.escape(event.key)}"]`);
    if (!radio) return;
    event.preventDefault();
    radio.focus();
    this.chosen = true;
    if (radio.checked) this.goOn();
    else radio.click();
  }

  async fetchAhead(address) {
    if (!address) return;
    const ahead = { address };
    this.ahead = ahead;
    ahead.page = await fetched(address);
    if (this.ahead !== ahead) return;
    ahead.asked = true;
    if (this.wanted) this.next.click();
    else this.goOn();
  }

  goOn() {
    const last = this.question?.querySelector("input[type=checkbox]"); // of a list to tick, nobody knows which is the last
    if (this.chosen && goesByItself() && !last && !this.form.elements.namedItem("from_review")) this.next.click();
  }

  submitted(event) {
    if (event.defaultPrevented || event.submitter !== this.next || !this.ahead) return;
    if (!this.ahead.asked) { // it comes in a moment
      event.preventDefault();
      this.wanted = true;
    } else if (this.ahead.page?.querySelector("main form")) {
      event.preventDefault();
      show(this.ahead.page, this.ahead.address);
    }
  }
}

// Shows a page that was fetched ahead, as if its address had been opened.
function show(page, address) {
  history.pushState(null, "", address);
  put(page);
  scrollTo(0, 0);
}

function put(page) {
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  document.title = page.title;
  document.body.className = page.body.className;
  document.querySelector(".footer")?.replaceWith(document.adoptNode(page.querySelector(".footer")));
  document.activeElement?.blur();
  begin();
  const place = document.querySelector("form[data-asking] fieldset") ?? document.querySelector("main");
  if (document.activeElement === document.body) place.focus({ preventScroll: true });
}
window.addEventListener("popstate", () => returnTo(location.href));

// Back or forward to a page that another took the place of: fetched anew, for what was typed in it before may be older
// than what was saved since.
async function returnTo(address) {
  if (pathOf(location) === shown) return; // another place on this page
  const page = await fetched(address);
  if (location.href !== address) return; // back once more, meanwhile
  if (page) put(page);
  else location.reload();
}

// Returns a page that can take the place of this one, null where there is none: then it is opened in the ordinary way.
async function fetched(address) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE);
  try {
    const answer = await fetch(address, { credentials: "same-origin", redirect: "error", signal: abort.signal });
    const page = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    return page?.querySelector("main") ? page : null;
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

function pathOf(address) {
  return address.pathname + address.search;
}

/* What a person chose, in this browser; where a browser keeps nothing, a choice is not offered. */
function kept(store, name) {
  try { return store().getItem(name); } catch { return undefined; }
}

function keep(store, name, value) {
  try { store().setItem(name, value); } catch { /* then it holds for this page */ }
}
const forGood = () => localStorage;
const forNow = () => sessionStorage;

function byKeys() {
  return kept(forNow, "verstel-keys") === "yes";
}
for (const [event, used] of [["keydown", "yes"], ["pointerdown", "no"]]) {
  document.addEventListener(event, () => { if ((byKeys() ? "yes" : "no") !== used) keep(forNow, "verstel-keys", used); }, true);
}

const CHOICE = "[data-goes-by-itself]";

function goesByItself() {
  const place = document.querySelector(CHOICE);
  return place !== null && kept(forGood, place.dataset.goesByItself) === "yes";
}

function offerToGoByItself(place) {
  const box = place.querySelector("input"), name = place.dataset.goesByItself;
  if (kept(forGood, name) === undefined) return;
  place.hidden = false;
  box.checked = goesByItself();
  box.addEventListener("change", () => keep(forGood, name, box.checked ? "yes" : "no"));
}

let page = new AbortController();
let shown = "";

function begin() {
  page.abort();
  page = new AbortController();
  shown = pathOf(location);
  for (const form of document.querySelectorAll("form[data-autosave]")) new Autosave(form, page);
  for (const form of document.querySelectorAll("form[data-asking]")) new Asking(form);
  document.querySelectorAll(CHOICE).forEach(offerToGoByItself);
}
begin();

/* ---- choices that nothing keeps before they are saved: the browser asks before it leaves them -------------------
   <form data-choices="unsaved">: they were so already when the page came, as after a switch of the language. */
for (const form of document.querySelectorAll("form[data-choices]")) {
  let unsaved = form.dataset.choices === "unsaved";
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
}

/* ---- what was saved is said once: a page that is loaded again, or kept as a bookmark, does not say it anew -------
   Where it can be taken back, or something is asked about it, that stays as long as the page does. */
const address = new URL(location.href);
const inAddress = (name) => address.searchParams.has(name);
if (["saved", "undone"].some(inAddress) && !["undo", "whose"].some(inAddress)) {
  for (const name of ["saved", "undone"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}

/* ---- buttons that only make sense with JavaScript are hidden until it is there --------------------------------- */
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

/* ---- a form that only leads on to where people sign in is sent at once ------------------------------------------ */
document.querySelector("form[data-onward]")?.submit();

/* ---- back to the chart: SMART Web Messaging ---------------------------------------------------------------------
   <button data-chart="https://ehr.example" data-handle="…" data-unsaved="…" data-silent="…"> in a hidden <li> tells the EHR
   around us, at that origin and no other, that its user is done here (`ui.done`). It closes our frame, or says that it does
   not; where it says nothing, we do. */
const CLOSING = 3000; // ms for the EHR to answer
function backToTheChart(button) {
  const ehr = window.parent === window ? window.opener : window.parent;
  const says = document.querySelector("[data-chart-says]");
  if (!ehr || !says) return;
  let asked = "";
  let timer = 0;
  const say = (text) => {
    says.hidden = !text;
    setTimeout(() => { says.textContent = text; }, 50); // read out what changes in a place that is there
  };
  button.addEventListener("click", () => {
    document.getElementById("menu")?.hidePopover?.(); // what is said next stands behind it
    // A browser asks before a page with unsaved words is left. An EHR that takes our frame away does not ask anybody.
    if (!window.dispatchEvent(new Event("beforeunload", { cancelable: true }))) return say(button.dataset.unsaved);
    say("");
    asked = crypto.randomUUID();
    const message = { messagingHandle: button.dataset.handle, messageId: asked, messageType: "ui.done", payload: {} };
    ehr.postMessage(message, button.dataset.chart);
    clearTimeout(timer);
    timer = setTimeout(() => say(button.dataset.silent), CLOSING);
  });
  window.addEventListener("message", (event) => {
    if (event.source !== ehr || event.origin !== button.dataset.chart || !asked) return;
    if (event.data?.responseToMessageId !== asked) return;
    asked = "";
    clearTimeout(timer);
    if (event.data.payload?.status !== "success") say(button.dataset.silent);
  });
  button.closest("li").hidden = false;
}
document.querySelectorAll("button[data-chart]").forEach(backToTheChart);

/* ---- what went wrong is read out and seen first ---------------------------------------------------------------- */
(document.getElementById("errors") ?? document.querySelector("main [aria-invalid=true]"))?.focus();
