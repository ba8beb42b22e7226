/* Small helps on top of pages that work without any of this. Each looks for its own data attribute. */

const SOON = 700; // ms without typing before a text is saved
const SLOWEST = 30000; // ms between two tries when saving does not work
const PATIENCE = 10000; // ms before a try without an answer counts as failed

/* ---- autosave ------------------------------------------------------------------------------------------------
   <form data-autosave="/address" data-saving="…" data-saved-text="…" data-not-saved="…" data-ended="…">
   posts the whole form to the address after each change; the answer is JSON. It may hold {"fields": {name: value}}:
   hidden fields to set (a version, for example), and {"stop": "text"}: what to say instead of trying again.
   "Saved" is shown after a 2xx of the newest text and never before. */
class Autosave {
  constructor(form) {
    this.form = form;
    this.line = form.querySelector("[data-saved]");
    this.typed = 0; // number of the newest change
    this.kept = 0; // number of the newest change that the server has
    this.busy = false;
    this.wait = 1000;
    this.timer = 0;
    form.addEventListener("input", (event) => this.changed(event));
    form.addEventListener("change", (event) => this.changed(event));
    form.addEventListener("submit", (event) => this.submitted(event));
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.save(true); });
    window.addEventListener("online", () => this.save());
    window.addEventListener("pageshow", (event) => { if (event.persisted) this.returned(); });
    window.addEventListener("beforeunload", (event) => {
      if (!this.leaving && this.kept < this.typed) { this.save(true); event.preventDefault(); }
    });
  }

  changed(event) {
    if (event.target.type === "hidden") return;
    this.typed += 1;
    this.later(event.type === "change" ? 0 : SOON);
  }

  // A save under way finishes first: otherwise the form would meet its own text as that of another tab.
  submitted(event) {
    this.leaving = true;
    clearTimeout(this.timer);
    if (!this.busy || this.button !== undefined) return;
    event.preventDefault();
    this.button = event.submitter ?? null;
  }

  // Back by the browser's button, the page is as it was left: about to be sent. From here on it is typed in again.
  returned() {
    this.leaving = false;
    this.button = undefined;
    this.save();
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
    if (this.busy || this.stopped || this.kept >= this.typed || this.button !== undefined) return;
    const { saving, savedText, notSaved, ended } = this.form.dataset;
    const number = this.typed;
    this.busy = true;
    if (this.line?.dataset.state !== "waiting") this.say(saving, "saving");
    let answer = null;
    let body = {};
    try {
      answer = await fetch(this.form.dataset.autosave, {
        method: "POST",
        body: new URLSearchParams(new FormData(this.form)),
        headers: { Accept: "application/json" },
        credentials: "same-origin",
        redirect: "error",
        keepalive: leaving,
        signal: AbortSignal.timeout(PATIENCE),
      });
      body = await answer.json();
    } catch {
      /* no network, or an answer that is not ours: try again below */
    }
    this.busy = false;
    if (answer?.ok && body.saved) {
      this.kept = number;
      this.wait = 1000;
      for (const [name, value] of Object.entries(body.fields ?? {})) {
        const field = this.form.elements.namedItem(name);
        if (field instanceof HTMLInputElement && field.type === "hidden") field.value = value;
      }
      if (this.kept >= this.typed) this.say(savedText, "saved");
      else this.later(SOON);
    } else if (body.stop || (answer && [400, 401, 403, 404, 409, 412, 422].includes(answer.status))) {
      this.stopped = true; // trying again would not help; the text stays on the page
      this.say(body.stop ?? ended, "waiting");
    } else {
      this.say(notSaved, "waiting");
      this.later(this.wait);
      this.wait = Math.min(this.wait * 2, SLOWEST);
    }
    if (this.button !== undefined) this.form.requestSubmit(this.button);
  }
}

for (const form of document.querySelectorAll("form[data-autosave]")) new Autosave(form);

/* ---- buttons that only make sense with JavaScript are hidden until it is there --------------------------------- */
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

/* ---- what went wrong is read out and seen first ---------------------------------------------------------------- */
document.getElementById("errors")?.focus();
