// Works offline after the first visit, and isolates the page on hosts that cannot send headers, so that
// WebAssembly may use threads. The build puts a version and the page's files in place of the two names below.
const VERSION = "__VERSION__";
const FILES = __FILES__;
const CACHE = `esrgan-demo-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES))
      // a full store: then it isolates the page, and works with the network alone
      .catch(() => undefined)
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(
          names
            .filter((name) => name.startsWith("esrgan-demo-") && name !== CACHE)
            .map((name) => caches.delete(name)),
        ),
      )
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  // weights are kept by the library, under the hash of their content
  if (url.pathname.endsWith(".bin")) return;
  event.respondWith(answer(event.request).then(isolated));
});

async function answer(request) {
  const cache = await caches.open(CACHE).catch(() => undefined);
  // names of built files change with their content; the others are asked for anew where there is a network
  const kept = await cache?.match(request, { ignoreSearch: true });
  if (kept && /\/assets\//.test(request.url)) return kept;
  try {
    const fresh = await fetch(request);
    // what a full store does not keep is answered all the same
    if (fresh.ok && fresh.status === 200) await cache?.put(request, fresh.clone()).catch(() => undefined);
    return fresh;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

function isolated(response) {
  if (response.type === "opaque" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
