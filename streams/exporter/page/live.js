// The exporter's stream of views, whatever happens to the exporter.
const AGAIN_MS = 1000;
const SILENT_MS = 45_000; // three pings missed: a connection that only looks open

/**
 * Listen until `close` is called.  `on.view(document)`, `on.problem(text)`, `on.lost()`.
 * A browser comes back by itself after a broken connection, but not after an error status.
 */
export function listen(query, on) {
  let source;
  let timer;
  let watchdog;
  let closed = false;

  function heard() {
    clearTimeout(watchdog);
    watchdog = setTimeout(again, SILENT_MS);
  }

  function again() {
    source?.close();
    clearTimeout(timer);
    if (!closed) timer = setTimeout(open, AGAIN_MS);
  }

  function open() {
    source = new EventSource(`api/v1/live?${query}`);
    heard();
    source.addEventListener("view", (message) => {
      heard();
      on.view(JSON.parse(message.data));
    });
    source.addEventListener("problem", (message) => {
      heard();
      on.problem(JSON.parse(message.data).detail);
    });
    source.addEventListener("error", () => {
      if (closed) return;
      on.lost();
      again();
    });
  }

  open();
  return () => {
    closed = true;
    clearTimeout(timer);
    clearTimeout(watchdog);
    source.close();
  };
}

/** A document of the API; null where there is none to be had, `{ refused }` where the token is wrong. */
export async function get(path, token = null) {
  const headers = { accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  try {
    const response = await fetch(`api/v1/${path}`, { headers });
    if (response.status === 401) return { refused: true };
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
