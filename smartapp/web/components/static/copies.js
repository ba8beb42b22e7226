/* Copies that are kept in this browser, to be read without a network. Every page works without this: then a copy is a
   file to download.

   <div data-copies="/offline/"> is shown by what is there: within it, `data-when` names the states in which a part is
   shown. "none", "mine" (of the person of this page), "other" (of somebody else), or "some" where a page is about nobody.
   The page of a form says more: data-worker, data-from (where its copy is made), data-to (where it is kept), data-whose
   (the marks of this person) and, where there is something to offer, the button [data-keep]. */

const WHOSE = "X-Verstel-Whose";
const TITLE = "X-Verstel-Title"; // of the copy, percent-encoded
// All that the copy was sent with and that a browser heeds; the rest is of that one answer.
const HEEDED = [
  "Content-Type",
  "Content-Security-Policy",
  "Referrer-Policy",
  "X-Content-Type-Options",
  "Permissions-Policy",
  "Cross-Origin-Opener-Policy",
  "Cross-Origin-Resource-Policy",
  TITLE,
];

class Copies {
  constructor(scope) {
    this.scope = scope;
    this.name = `verstel ${scope}`;
  }

  // In a frame a browser keeps things apart, and nobody would find them again. Elsewhere than on https it keeps nothing.
  static areKept() {
    return "serviceWorker" in navigator && "caches" in window && window.top === window.self;
  }

  // Returns each copy with its address; none where nothing was ever kept, which leaves no trace.
  async all() {
    if (!(await caches.has(this.name))) return [];
    const cache = await caches.open(this.name);
    const addresses = (await cache.keys()).map((request) => new URL(request.url).pathname);
    return Promise.all(addresses.map(async (address) => ({ address, answer: await cache.match(address) })));
  }

  async put(address, answer, whose) {
    const heeded = HEEDED.filter((name) => answer.headers.has(name)).map((name) => [name, answer.headers.get(name)]);
    const copy = new Response(await answer.text(), { headers: [...heeded, [WHOSE, whose]] });
    await (await caches.open(this.name)).put(address, copy);
  }

  // Removes one copy, or all of them; after the last nothing is left that anybody kept or that answers here.
  async remove(address) {
    if (address) await (await caches.open(this.name)).delete(address);
    if (address && (await this.all()).length) return;
    await caches.delete(this.name);
    const worker = await navigator.serviceWorker.getRegistration(this.scope);
    if (worker && new URL(worker.scope).pathname === this.scope) await worker.unregister();
    document.cookie = "verstel-copy=; Max-Age=0; Path=/";
  }
}

class Place {
  constructor(place) {
    this.place = place;
    this.copies = new Copies(place.dataset.copies);
    for (const button of place.querySelectorAll("[data-remove]")) this.pressed(button, () => this.remove());
    for (const button of place.querySelectorAll("[data-keep]")) this.pressed(button, () => this.keep());
  }

  // What went wrong is said, and the button can be pressed again.
  pressed(button, act) {
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await act();
      } catch {
        this.say(this.place.dataset.failed ?? "");
      } finally {
        button.disabled = false;
      }
    });
  }

  say(text) {
    this.place.querySelector("[data-said]").textContent = text;
  }

  marks() {
    return (this.place.dataset.whose ?? "").split(" ").filter(Boolean);
  }

  async look() {
    const all = await this.copies.all();
    this.show(this.state(all));
    this.list(all);
    const own = all.some((one) => one.address === this.place.dataset.to);
    if (own && this.state(all) === "mine") await (this.renewing = this.renew());
  }

  state(all) {
    if (!all.length) return "none";
    if (!this.marks().length) return "some";
    if (all.some((one) => !this.marks().includes(one.answer.headers.get(WHOSE)))) return "other";
    return all.some((one) => one.address === this.place.dataset.to) ? "mine" : "none";
  }

  show(state) {
    for (const part of this.place.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(state);
  }

  list(all) {
    const entries = all.map(({ address, answer }) => {
      const [entry, link] = [document.createElement("li"), document.createElement("a")];
      link.href = address;
      link.textContent = decodeURIComponent(answer.headers.get(TITLE));
      entry.append(link);
      return entry;
    });
    this.place.querySelector("[data-list]")?.replaceChildren(...entries);
  }

  async made() {
    const answer = await fetch(this.place.dataset.from, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  }

  async keep() {
    const { copies, worker, to, kept } = this.place.dataset;
    const answer = await this.made();
    const there = await this.copies.all();
    if (this.state(there) === "other") await caches.delete(this.copies.name);
    await this.copies.put(to, answer, this.marks()[0]);
    await working(await navigator.serviceWorker.register(worker, { scope: copies }));
    navigator.storage?.persist?.().catch(() => {}); // a wish: some browsers tidy up what is rarely opened
    await this.look();
    this.say(kept);
  }

  // Opened in the browser that keeps a copy of it, a form brings that up to date; without a network it stays as it is.
  async renew() {
    try {
      const answer = await this.made();
      await alone(this.copies.name, () => this.renewed(answer));
    } catch {
      this.say(this.place.dataset.old ?? "");
    }
  }

  // What was removed meanwhile, in this tab or another, does not come back; nor does the cookie of the answer.
  async renewed(answer) {
    const all = await this.copies.all();
    if (all.some((one) => one.address === this.place.dataset.to)) {
      await this.copies.put(this.place.dataset.to, answer, this.marks()[0]);
    } else if (!all.length) await this.copies.remove();
  }

  async remove() {
    await this.renewing;
    await alone(this.copies.name, () => this.copies.remove(this.place.dataset.to));
    this.show("none");
    this.say(this.place.dataset.gone);
  }
}

// One tab at a time, where the browser can see to that.
function alone(name, act) {
  return navigator.locks ? navigator.locks.request(name, act) : act();
}

// Only a worker that works answers without a network.
function working(registration) {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  if (worker.state === "activated") return undefined;
  return new Promise((works, fails) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") works();
      if (worker.state === "redundant") fails(new Error(worker.state));
    });
  });
}

if (Copies.areKept()) for (const place of document.querySelectorAll("[data-copies]")) new Place(place).look().catch(() => {});
