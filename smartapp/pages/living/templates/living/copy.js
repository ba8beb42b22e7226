/* In a copy that a browser keeps: the way to the other copies there, and what removes this one. See copies.js. */
const place = document.querySelector("aside");
const { scope, address, also, gone } = place.dataset;
const name = `verstel ${scope}`;

async function addresses() {
  if (!(await caches.has(name))) return [];
  return (await (await caches.open(name)).keys()).map((request) => new URL(request.url).pathname);
}

async function others() {
  const cache = await caches.open(name);
  const line = place.querySelector("[data-others]");
  for (const other of (await addresses()).filter((one) => one !== address)) {
    const [copy, link] = [await cache.match(other), document.createElement("a")];
    link.href = other;
    link.textContent = decodeURIComponent(copy.headers.get("X-Verstel-Title"));
    line.append(line.hidden ? `${also} ` : " · ", link);
    line.hidden = false;
  }
}

async function remove() {
  await (await caches.open(name)).delete(address);
  if (!(await addresses()).length) {
    await caches.delete(name);
    const worker = await navigator.serviceWorker.getRegistration(scope);
    if (worker && new URL(worker.scope).pathname === scope) await worker.unregister();
    document.cookie = "verstel-copy=; Max-Age=0; Path=/";
  }
  place.querySelector("details").hidden = true;
  place.querySelector("[role=status]").textContent = gone;
}

// One tab at a time, where the browser can see to that: another one may be bringing this copy up to date.
const alone = (act) => (navigator.locks ? navigator.locks.request(name, act) : act());
place.querySelector("button").addEventListener("click", () => alone(remove));
if ((await addresses()).length > 1) await others();
