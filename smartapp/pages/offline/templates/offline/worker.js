/* Answers for the copies that the owner of this browser keeps in it, and for nothing else: only pages, only below its own
   folder, and only what was put there by their owner. It fetches nothing by itself, and puts nothing away. */

const scope = new URL(self.registration.scope);
const kept = { cacheName: `verstel ${scope.pathname}` };

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("fetch", (event) => {
  const { url, method, mode } = event.request;
  const address = new URL(url);
  const here = address.origin === scope.origin && address.pathname.startsWith(scope.pathname);
  if (here && method === "GET" && mode === "navigate") event.respondWith(answer(address.pathname, event.request));
});

async function answer(path, request) {
  return (await caches.match(path, kept)) ?? (path === scope.pathname ? await first() : undefined) ?? fetch(request);
}

// Each copy leads to the others, so any of them is a beginning.
async function first() {
  if (!(await caches.has(kept.cacheName))) return undefined;
  const cache = await caches.open(kept.cacheName);
  const [address] = await cache.keys();
  return address && cache.match(address);
}
