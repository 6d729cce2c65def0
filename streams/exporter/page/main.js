// The live page: what the exporter sends is shown, and lists are asked for beside it.
import { showCurve } from "./chart.js";
import { at, fill, make, say } from "./dom.js";
import { clock, count, day, duration, rate } from "./format.js";
import { showEvents, showPosts, showTags } from "./lists.js";
import { get, listen } from "./live.js";
import { showPace } from "./pace.js";
import { showShares } from "./shares.js";

const LISTS_MS = 3000;
const EVENTS = 200;
const EACH = 20;
const RARE_MS = 30_000; // a new one is among the newest; those under a thousand others are asked for now and then
const POSTS = 10;
const TAGS = 12;
const TOKEN = "streams-token";
const BAD_SHARE = 0.01; // dead letters of the records read

const chosen = read();
let close = null;
let asked = 0; // when the lists were
let events = [];
let rare = { asked: 0, events: [] }; // of each kind the newest
let shown = null;

/** Campaign and window are in the address, so that a view can be passed on. */
function read() {
  const query = new URLSearchParams(location.search);
  const window = query.get("window") === "24h" ? "24h" : "1h";
  return { campaign: query.get("campaign"), window };
}

function remember() {
  const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value != null));
  history.replaceState(null, "", `?${query}`);
}

function state(name, text) {
  if (at("link").dataset.state !== name) at("link").dataset.state = name;
  say("link", text);
}

function start() {
  close?.();
  asked = 0;
  events = [];
  rare = { asked: 0, events: [] };
  const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value != null));
  close = listen(query, {
    view: (document) => {
      state("live", "Live");
      show(document);
    },
    problem: (text) => state("problem", text),
    lost: () => state("lost", "Reconnecting"),
  });
}

function campaigns(view) {
  const nav = at("campaigns");
  nav.hidden = view.campaigns.length < 2;
  if (nav.hidden) return;
  const current = view.campaign?.campaign;
  const names = view.campaigns.map(({ campaign, title }) => ({ campaign, title }));
  fill(nav, names, (all) =>
    all.map(({ campaign, title }) => {
      const button = make("button", [make("bdi", title, { dir: "auto" }), " ", make("span", "", { class: "soft" })], { type: "button" });
      button.dataset.campaign = campaign;
      button.addEventListener("click", () => {
        chosen.campaign = campaign;
        remember();
        start();
      });
      return button;
    }),
  );
  for (const button of nav.children) {
    const found = view.campaigns.find(({ campaign }) => campaign === button.dataset.campaign);
    button.setAttribute("aria-current", String(found.campaign === current));
    button.lastChild.textContent = `${rate(found.velocity)}/s`;
  }
}

function health(view) {
  const { records } = view;
  const age = view.watermark == null ? null : (view.read_at - view.watermark) / 1000;
  const parts = [
    `lag ${count(view.lag)}`,
    view.clock === "replay" || age == null ? "a replayed day" : `${duration(Math.max(0, age))} old`,
    `${count(records.posts)} read`,
    `${count(records.duplicates)} duplicates not counted`,
    `${count(records.dead)} dead letters`,
  ];
  const paused = view.paused.length;
  if (paused) parts.push(`${paused} partition${paused > 1 ? "s" : ""} paused`);
  at("health").dataset.state = paused ? "bad" : records.dead > BAD_SHARE * records.posts ? "note" : "good";
  say("health", `Pipeline: ${parts.join(" · ")}`);
}

function show(view) {
  shown = view;
  campaigns(view);
  health(view);
  if (view.campaign == null) {
    say("subtitle", "No campaign yet: name one in the configuration.");
    return;
  }
  const { campaign } = view;
  say("title", view.title);
  const now = view.watermark;
  say("subtitle", now == null ? "No posts yet." : `${day(now)}, counted to ${clock(now, true)} UTC`);
  document.title = `${rate(campaign.windows["1m"]?.velocity ?? 0)}/s ${view.title}`;
  showPace(view);
  showShares(view.window.by);
  showCurve(view, events);
  if (performance.now() - asked > LISTS_MS || !asked) lists(view);
}

/** For this tab only: a token that was typed in. */
const token = () => sessionStorage.getItem(TOKEN);

at("token").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, at("token-value").value);
  at("token-value").value = "";
  if (shown?.campaign) lists(shown);
});

async function lists({ campaign, closed, window, watermark, read_at }) {
  asked = performance.now();
  const open = !closed || token() != null;
  const name = encodeURIComponent(campaign.campaign);
  const often = !rare.asked || asked - rare.asked > RARE_MS;
  const [tags, told, posts, each] = await Promise.all([
    get(`hashtags?window=${window.name}&top=${TAGS}`),
    open ? get(`events?campaign=${name}&limit=${EVENTS}`, token()) : null,
    open ? get(`posts?campaign=${name}&limit=${POSTS}`, token()) : null,
    open && often ? get(`events?campaign=${name}&limit=1000&each=${EACH}`, token()) : null,
  ]);
  if (shown.campaign?.campaign !== campaign.campaign) return;
  const now = watermark ?? read_at;
  if (tags) showTags(tags);
  if (told?.refused) sessionStorage.removeItem(TOKEN);
  at("token").hidden = !closed || token() != null;
  if (told?.events) {
    if (each?.events) rare = { asked, events: each.events };
    const all = new Map([...rare.events, ...told.events].map((event) => [event.cursor, event]));
    events = [...all.values()].sort((one, other) => other.at - one.at);
    showEvents(events, now);
    showCurve(shown, events);
  }
  if (posts?.posts) showPosts(posts, now);
}

for (const input of document.querySelectorAll("input[name=window]")) {
  input.checked = input.value === chosen.window;
  input.addEventListener("change", () => {
    chosen.window = input.value;
    remember();
    start();
  });
}
start();
