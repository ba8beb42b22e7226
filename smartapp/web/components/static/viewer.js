/* Opens a SMART Health Link of ours in this browser: the link, which no server gets, holds the key.

   <div data-viewer data-manifests="https://…/shl/" data-nobody="…"> also has the sentences; within it, [data-head] gets
   what a template has for a state ([data-head-when]), and [data-when] is shown in one. What was shared is drawn node by
   node from what is allowed below: nothing in it can become a script, a form, or an address but a telephone number. */

const SCHEME = "#shlink:/";
const ALLOWED = new Set(["p", "br", "ul", "ol", "li", "em", "strong", "b", "i", "div", "span", "blockquote", "table", "thead", "tbody", "tr", "td", "th"]);
const HEADING = /^h([1-6])$/;

class Refused extends Error {
  constructor(state, said = "") {
    super(state);
    Object.assign(this, { state, said });
  }
}

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
const json = (data) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(data));

class Viewer {
  constructor(place) {
    this.place = place;
    this.words = place.dataset;
    this.head = place.querySelector("[data-head]");
    this.form = place.querySelector("form");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.open();
    });
    window.addEventListener("hashchange", () => this.start());
    document.querySelector("[data-needs-script]").remove();
    this.start();
  }

  start() {
    try {
      this.link = this.read(location.hash);
    } catch (error) {
      this.show(error.state ?? "broken");
      return;
    }
    for (const other of document.querySelectorAll(".languages a")) other.hash = location.hash;
    this.place.querySelector("[data-passcode]").hidden = !this.asksPasscode();
    this.say("");
    this.show("ask", null, [this.link.label ?? ""]);
  }

  read(hash) {
    if (!hash.startsWith(SCHEME)) throw new Refused("none");
    const link = json(bytes(hash.slice(SCHEME.length)));
    if (typeof link.url !== "string" || typeof link.key !== "string" || bytes(link.key).length !== 32) throw new Refused("broken");
    // A newer version may mean something else; and what is kept elsewhere is opened by whoever keeps it.
    if ((link.v ?? 1) !== 1 || !link.url.startsWith(this.place.dataset.manifests)) throw new Refused("foreign");
    return link;
  }

  asksPasscode() {
    return String(this.link.flag ?? "").includes("P");
  }

  async open() {
    const passcode = this.form.elements.passcode;
    if (this.asksPasscode() && !passcode.value.trim()) {
      this.say(this.words.empty);
      passcode.focus();
      return;
    }
    const button = this.form.querySelector("button");
    button.disabled = true;
    try {
      const file = (await this.manifest()).files.find((one) => one.contentType === "application/fhir+json");
      this.draw(await this.decrypted(file.embedded ?? (await this.fetched(file.location))));
      passcode.value = "";
      // Neither the history of this browser nor who uses it next keeps the key.
      history.replaceState(null, "", location.pathname + location.search);
    } catch (error) {
      if (error.said) this.say(error.said);
      else this.show(error.state ?? "broken");
      if (error.state === "wrong") passcode.select();
    } finally {
      button.disabled = false;
    }
  }

  async manifest() {
    const recipient = this.form.elements.recipient.value.trim() || this.place.dataset.nobody;
    const passcode = this.asksPasscode() ? { passcode: this.form.elements.passcode.value } : {};
    const answer = await this.asked(this.link.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ recipient, ...passcode }),
    });
    if (answer.status === 401) {
      const left = (await answer.json()).remainingAttempts;
      if (!left) throw new Refused("over");
      throw new Refused("wrong", left === 1 ? this.words.wrongOnce : this.words.wrong.replace("{left}", left));
    }
    return answer.json();
  }

  async fetched(address) {
    return (await this.asked(address, {})).text();
  }

  async asked(address, how) {
    let answer;
    try {
      answer = await fetch(address, { credentials: "omit", redirect: "error", cache: "no-store", ...how });
    } catch {
      throw new Refused("away", this.words.away);
    }
    if (answer.status === 404) throw new Refused("over");
    if (answer.status === 429 || answer.status >= 500) throw new Refused("later", answer.status === 429 ? this.words.later : this.words.away);
    if (!answer.ok && answer.status !== 401) throw new Refused("broken");
    return answer;
  }

  // JWE in its compact form: what stands first is authenticated too, and there is no key in it as it is in the link.
  async decrypted(jwe) {
    const [header, key, iv, content, tag] = jwe.trim().split(".");
    const { alg, enc, zip } = json(bytes(header));
    if (alg !== "dir" || enc !== "A256GCM" || zip || key) throw new Refused("broken");
    const opener = await crypto.subtle.importKey("raw", bytes(this.link.key), "AES-GCM", false, ["decrypt"]);
    const sealed = new Uint8Array([...bytes(content), ...bytes(tag)]);
    const how = { name: "AES-GCM", iv: bytes(iv), additionalData: new TextEncoder().encode(header) };
    return json(await crypto.subtle.decrypt(how, opener, sealed));
  }

  draw(bundle) {
    const [composition] = bundle.entry.map((one) => one.resource);
    if (bundle.type !== "document" || composition.resourceType !== "Composition") throw new Refused("broken");
    const sections = composition.section.map((one) => {
      const section = document.createElement("section");
      section.className = "stack stack--tight";
      // What is one section has its title on top of the page already; its headings stand one step higher then.
      const alone = one.title === composition.title;
      if (!alone) section.append(element("h2", one.title));
      section.append(...nodes(one.text?.div, { highest: alone ? 2 : 3 }));
      return section;
    });
    const drawn = this.place.querySelector("[data-document]");
    drawn.lang = composition.language ?? "";
    drawn.replaceChildren(...sections);
    const about = nodes(composition.text?.div, { wanted: (node) => node.localName === "p" });
    this.show("open", composition.title, about.flatMap((one) => [...one.childNodes]));
    document.title = composition.title;
  }

  say(text) {
    this.form.querySelector("[data-said]").textContent = text;
  }

  // `title` and `lead` are those of this link, where the template has none.
  show(state, title, lead) {
    this.head.replaceChildren(this.place.querySelector(`[data-head-when="${state}"]`).content.cloneNode(true));
    if (title) this.head.querySelector("h1").textContent = title;
    if (lead) this.head.querySelector(".lead").replaceChildren(...lead);
    for (const part of this.place.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
    if (state !== "ask") this.head.focus();
  }
}

function element(name, text) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  return made;
}

// Returns the nodes of a narrative, all of them made here. Its headings begin with h3, and here with `highest`.
function nodes(div, { wanted = () => true, highest = 3 } = {}) {
  if (!div) return [];
  const read = new DOMParser().parseFromString(div, "application/xhtml+xml").documentElement;
  if (read.localName !== "div") throw new Refused("broken"); // not well-formed
  return [...read.childNodes].filter(wanted).flatMap((node) => drawn(node, highest));
}

function drawn(node, highest) {
  if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.data)];
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  const inside = [...node.childNodes].flatMap((one) => drawn(one, highest));
  const number = node.localName === "a" && /^tel:\+?\d+$/.exec(node.getAttribute("href"));
  const name = number ? "a" : allowed(node.localName, highest);
  if (!name) return ["script", "style"].includes(node.localName) ? [] : inside;
  const made = document.createElement(name);
  if (number) made.href = number[0];
  made.append(...inside);
  return [made];
}

function allowed(name, highest) {
  const level = HEADING.exec(name)?.[1];
  if (level) return `h${Math.min(6, highest + Math.max(0, level - 3))}`;
  return ALLOWED.has(name) ? name : "";
}

for (const place of document.querySelectorAll("[data-viewer]")) new Viewer(place);
