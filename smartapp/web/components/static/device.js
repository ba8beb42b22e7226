/* A device that was handed to somebody for one questionnaire.

   <form data-knock>: the page that opens it. The secret stands behind the # of the address, where no server gets it.
   <form data-untouched="540" data-last="60">: the form that ends it. Where nobody touches the device for so many seconds,
   [data-still-there] asks whether somebody is there; after so many more the form is sent and the device is wiped. */

const knock = document.querySelector("form[data-knock]");

function takeSecret() {
  const secret = location.hash.slice(1);
  if (!knock || !secret) return;
  knock.elements.link.value = secret;
  knock.querySelector("[data-code]").hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
}
takeSecret();
addEventListener("hashchange", takeSecret); // scanned while the page stood open

class Untouched {
  constructor(form) {
    this.form = form;
    this.question = document.querySelector("[data-still-there]");
    this.heard = Date.now(); // when the server last heard of somebody, as far as this page knows
    for (const event of ["pointerdown", "keydown", "scroll", "input"]) addEventListener(event, () => this.touched(), { passive: true, capture: true });
    this.question.querySelector("button").addEventListener("click", () => this.touched(true));
    this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    this.question.hidden = true;
    this.timer = setTimeout(() => this.ask(), this.form.dataset.untouched * 1000);
  }

  ask() {
    this.question.hidden = false;
    this.question.querySelector("button").focus();
    this.timer = setTimeout(() => this.end(), this.form.dataset.last * 1000);
  }

  // A device that slept wakes with its timers late: what was to end meanwhile ends now.
  touched(answered = false) {
    const late = Date.now() - this.heard > (Number(this.form.dataset.untouched) + Number(this.form.dataset.last)) * 1000;
    if (late) return this.end();
    if (!this.question.hidden && !answered) return;
    this.wait();
    if (answered || Date.now() - this.heard > 60000) {
      this.heard = Date.now();
      fetch(location.href, { method: "HEAD", credentials: "same-origin" }).catch(() => {});
    }
  }

  end() {
    clearTimeout(this.timer);
    this.form.querySelector("button").click();
  }
}

const leave = document.querySelector("form[data-untouched]");
if (leave) new Untouched(leave);

// A page that the browser kept whole is asked for anew: it may be over.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
