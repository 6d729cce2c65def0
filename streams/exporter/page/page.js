// The live page: asks the exporter's own API once a second, and shows what it says.
const EVERY_MS = 1000;
const ROWS = 8;
const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const time = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 19) + " UTC";

async function get(path) {
  const response = await fetch(`api/v1/${path}`);
  const document = await response.json();
  if (!response.ok) throw new Error(document.detail ?? document.title);
  return document;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function rows(values) {
  const ranked = Object.entries(values).sort((one, other) => other[1] - one[1]);
  return ranked.slice(0, ROWS).map(([name, posts]) => {
    const row = document.createElement("tr");
    const head = element("th", name);
    head.scope = "row";
    head.dir = "auto";
    row.append(head, element("td", number.format(posts)));
    return row;
  });
}

function figures(found, window) {
  const now = found.windows[window] ?? {};
  const shown = {
    "posts": found.total,
    [`posts in ${window}`]: now.posts,
    "posts/s": now.velocity,
    "doubling": now.doubling_seconds == null ? null : `${number.format(now.doubling_seconds)} s`,
    "authors": now.unique_authors,
    "next milestone": found.next_milestone,
  };
  at("figures").replaceChildren(...Object.entries(shown).map(([name, value]) => {
    const box = document.createElement("div");
    const text = value == null ? "–" : typeof value === "number" ? number.format(value) : value;
    box.append(element("dt", name), element("dd", text));
    return box;
  }));
}

function curve(series) {
  const most = Math.max(1, ...series.points.map(([, posts]) => posts));
  const width = 600 / Math.max(1, series.points.length);
  at("series").replaceChildren(...series.points.map(([, posts], index) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = (posts / most) * 155;
    const box = { x: index * width, y: 160 - height, width: Math.max(0.5, width - 0.5), height };
    for (const [name, value] of Object.entries(box)) bar.setAttribute(name, value);
    return bar;
  }));
  const text = series.until == null ? "" : `to ${time(series.until)}, a bar is ${series.step}, the highest ${number.format(most)} posts`;
  at("range").textContent = text;
  at("series").setAttribute("aria-label", text);
}

function tables(by) {
  const names = ["via", "kind", "stance", "platform", "lang", "country"];
  at("tables").replaceChildren(...names.filter((name) => by[name]).map((name) => {
    const section = document.createElement("section");
    const table = document.createElement("table");
    const body = document.createElement("tbody");
    body.append(...rows(by[name]));
    table.append(body);
    section.append(element("h2", name), table);
    return section;
  }));
}

function choices(campaigns) {
  const names = campaigns.map((found) => found.campaign);
  const select = at("campaign");
  if (names.join() !== [...select.options].map((option) => option.value).join()) {
    const chosen = select.value;
    select.replaceChildren(...names.map((name) => element("option", name)));
    if (names.includes(chosen)) select.value = chosen;
  }
  return select.value;
}

async function refresh() {
  const window = at("window").value;
  const all = await get("campaigns");
  const name = choices(all.campaigns);
  const { records } = all;
  at("pipeline").textContent = `${number.format(records.posts)} records read, ${number.format(records.duplicates)} duplicates, `
    + `${number.format(records.dead)} dead letters, lag ${number.format(all.lag)}`
    + (all.watermark == null ? "" : `; counted to ${time(all.watermark)}`)
    + (all.paused.length ? `; paused: ${all.paused.join(", ")}` : "");
  const top = await get(`hashtags?window=${window}&top=15`);
  at("hashtags").replaceChildren(...rows(Object.fromEntries(top.hashtags.map((found) => [`#${found.hashtag}`, found.posts]))));
  if (!name) return;
  at("title").textContent = name;
  const path = `campaigns/${encodeURIComponent(name)}`;
  const [found, series] = await Promise.all([get(path), get(`${path}/series?window=${window}`)]);
  figures(found, window);
  curve(series);
  tables(found.by);
}

async function run() {
  for (;;) {
    try {
      await refresh();
      at("message").hidden = true;
    } catch (error) {
      at("message").textContent = `No answer: ${error.message}`;
      at("message").hidden = false;
    }
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}

run();
