// How fast, against what, and where to.
import { at, fill, make, say } from "./dom.js";
import { clock, compact, count, duration, moment, rate } from "./format.js";

const ABOVE = 3; // the scale goes so far beyond the highest threshold, and below the lowest
const MINUTE = 60;
const CHANCE = 2; // standard deviations of the difference of two counts: the root of their sum
const HORIZONS = { "15m": "Next 15 min", "1h": "Next hour" };

/** A place on a logarithmic scale, 0-100. */
function place(value, low, high) {
  if (value <= low) return 0;
  return Math.min(100, (100 * Math.log(value / low)) / Math.log(high / low));
}

function scale(thresholds, velocity) {
  const rates = Object.entries(thresholds).sort((one, other) => one[1] - other[1]);
  at("scale").hidden = !rates.length;
  if (!rates.length) return;
  const low = rates[0][1] / 10;
  const high = Math.max(rates.at(-1)[1] * ABOVE, velocity);
  const reached = rates.filter(([, threshold]) => velocity >= threshold);
  const ticks = rates.map(([severity, threshold]) => {
    const tick = make("span", [make("b", severity), ` ${threshold}`], { class: "tick" });
    tick.style.insetInlineStart = `${place(threshold, low, high)}%`;
    return tick;
  });
  const bar = make("span", [], { class: "fill" });
  bar.style.width = `${place(velocity, low, high)}%`;
  const track = make("span", bar, { class: "track" });
  at("scale").replaceChildren(track, ...ticks);
  at("scale").dataset.level = String(reached.length);
  at("scale").setAttribute(
    "aria-label",
    `${rate(velocity)} posts per second. Thresholds: ${rates.map(([name, n]) => `${name} ${n}`).join(", ")}.`,
  );
}

/** What the newest minute is to the one before it; a change that chance alone explains is none. */
function trend(now) {
  if (now?.acceleration == null || now.velocity === 0) return "over the last minute";
  const count = now.velocity * MINUTE;
  const change = now.acceleration * MINUTE * MINUTE;
  if (Math.abs(change) < CHANCE * Math.sqrt(2 * count - change)) return "steady";
  if (change < 0) return "slowing down";
  return now.doubling_seconds == null ? "rising" : `rising: doubles in ${duration(now.doubling_seconds)}`;
}

function crossing(insight, now) {
  if (insight == null) return "";
  const next = insight.next_threshold;
  if (next == null) return "No further threshold within reach.";
  const ahead = (next.at - now) / 1000;
  const when = ahead > 0 ? `in about ${duration(ahead)}, at ${moment(next.at, now)}` : "at any moment";
  return `Threshold “${next.severity}” expected ${when}.`;
}

function forecasts(insight) {
  return Object.entries(HORIZONS).map(([horizon, name]) => {
    const found = insight?.forecast[horizon];
    const note = found ? `${compact(Math.round(found.low))} to ${compact(Math.round(found.high))}` : "too early to say";
    return { name, value: found ? compact(Math.round(found.mid)) : "–", note };
  });
}

function milestone(campaign, now) {
  const next = campaign.next_milestone;
  if (next == null) return { name: "Next milestone", value: "–", note: "all are reached" };
  const when = campaign.insight?.next_milestone_at;
  return {
    name: "Next milestone",
    value: compact(next),
    note: when == null ? `${count(next - campaign.total)} to go` : `about ${moment(when, now)}`,
  };
}

function authors(campaign, window) {
  const known = campaign.windows[window]?.unique_authors;
  const fresh = campaign.new_author_ratio;
  return {
    name: "People",
    value: known == null ? "–" : compact(known),
    note: fresh == null ? "estimated" : `${Math.round(100 * fresh)} % new in the last hour`,
  };
}

export function showPace(view) {
  const { campaign, window } = view;
  const now = view.watermark ?? view.read_at;
  const newest = campaign.windows["1m"];
  const velocity = newest?.velocity ?? 0;
  say("velocity", rate(velocity));
  say("trend", trend(newest));
  scale(campaign.thresholds, velocity);
  say("crossing", crossing(campaign.insight, now));
  const until = window.until == null ? "" : `to ${clock(window.until)}`;
  const figures = [
    { name: window.name === "1h" ? "Last hour" : "Last 24 hours", value: compact(window.posts), note: until, id: "window" },
    { name: "In all", value: count(campaign.total), note: "each counted once", id: "total" },
    authors(campaign, window.name),
    ...forecasts(campaign.insight),
    milestone(campaign, now),
  ];
  fill(at("figures"), figures, (all) =>
    all.map(({ name, value, note, id }) => {
      const shown = make("dd", value, { class: "value" });
      if (id) shown.id = id;
      return make("div", [make("dt", name), shown, make("dd", note, { class: "note" })]);
    }),
  );
}
