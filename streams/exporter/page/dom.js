// Small helpers to build and keep elements.
export const at = (id) => document.getElementById(id);

/** An element; `content` is text, an element, or a list of both. */
export function make(name, content = [], attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...(Array.isArray(content) ? content : [content]));
  return made;
}

/** Text of whatever direction, kept apart from what stands around it. */
export const isolated = (text) => make("bdi", text, { dir: "auto" });

export function say(id, text) {
  const found = at(id);
  if (found.textContent !== text) found.textContent = text;
}

const shown = new WeakMap();

/** Fill a container from `data`, unless it shows just that: focus and selection stay. */
export function fill(container, data, build) {
  const key = JSON.stringify(data);
  if (shown.get(container) === key) return;
  shown.set(container, key);
  container.replaceChildren(...build(data));
}

/** An outside link that tells the other side nothing. */
export function outside(href, content) {
  return make("a", content, { href, rel: "noopener noreferrer", target: "_blank" });
}
