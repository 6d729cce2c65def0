// Ranked bars: what the window's posts are made of.
import { at, isolated, make } from "./dom.js";
import { VIAS, compact, countryName, languageName, platformName, share, viaName } from "./format.js";

const ROWS = 7;
const CARDS = [
  { dimension: "via", title: "How it spreads", name: viaName, all: VIAS },
  { dimension: "stance", title: "What is said", name: capital },
  { dimension: "platform", title: "Platforms", name: platformName },
  { dimension: "lang", title: "Languages", name: languageName },
  { dimension: "country", title: "Countries", name: countryName, note: "where known" },
];

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const cards = new Map();

function card({ dimension, title, note }) {
  const id = `share-${dimension}`;
  const body = make("tbody");
  const heading = make("h2", title, { id });
  if (note) heading.append(" ", make("small", note));
  const table = make("table", body, { "aria-labelledby": id });
  const section = make("section", [heading, table], { class: "card share" });
  section.setAttribute("aria-labelledby", id);
  at("shares").append(section);
  return { body, rows: new Map() };
}

function row(label) {
  const fillBar = make("span", [], { class: "fill" });
  const cells = {
    number: make("td", "", { class: "number" }),
    part: make("td", "", { class: "part" }),
    fillBar,
  };
  const head = make("th", [isolated(label), make("span", fillBar, { class: "bar", "aria-hidden": "true" })], { scope: "row" });
  return { element: make("tr", [head, cells.number, cells.part]), ...cells };
}

function ranked({ all = [], name }, values) {
  const full = { ...Object.fromEntries(all.map((value) => [value, 0])), ...values };
  const sorted = Object.entries(full).sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
  const shown = sorted.length > ROWS + 1 ? sorted.slice(0, ROWS) : sorted;
  const rest = sorted.slice(shown.length);
  const found = shown.map(([value, n]) => ({ key: value, label: name(value), n }));
  if (rest.length) {
    found.push({ key: "", label: `${rest.length} others`, n: rest.reduce((sum, [, n]) => sum + n, 0), rest: true });
  }
  return found;
}

export function showShares(by) {
  for (const kind of CARDS) {
    if (!cards.has(kind.dimension)) cards.set(kind.dimension, card(kind));
    const { body, rows } = cards.get(kind.dimension);
    const found = ranked(kind, by[kind.dimension] ?? {});
    const all = found.reduce((sum, each) => sum + each.n, 0);
    const most = Math.max(1, ...found.filter((each) => !each.rest).map((each) => each.n));
    for (const { key, label, n, rest } of found) {
      const id = `${key} ${label}`;
      if (!rows.has(id)) rows.set(id, row(label));
      const { element, number, part, fillBar } = rows.get(id);
      number.textContent = compact(n);
      number.title = n.toLocaleString("en");
      part.textContent = share(n, all);
      fillBar.style.width = rest ? "0" : `${(100 * n) / most}%`;
      element.dataset.value = key;
      body.append(element);
    }
    const kept = new Set(found.map(({ key, label }) => `${key} ${label}`));
    for (const [id, { element }] of rows) {
      if (!kept.has(id)) {
        element.remove();
        rows.delete(id);
      }
    }
    if (!found.length) body.replaceChildren(make("tr", make("td", "none yet", { class: "soft" })));
    else body.querySelector("td.soft")?.closest("tr").remove();
  }
}
