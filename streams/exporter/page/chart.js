// The curve: posts per second by step, thresholds, forecast and events.
import uPlot from "./vendor/uplot/uPlot.esm.js";
import { at, make, say } from "./dom.js";
import { clock, count, rate } from "./format.js";
import { tell } from "./lists.js";

const HEIGHT = { wide: 280, narrow: 220 };
const NARROW = 640;
// Languages and countries come by the dozen: they stand in the list only.
const MARKED = new Set(["threshold", "milestone", "platform", "amplifier"]);
const FEET = 0.4; // how much of the mark of a known account's post shows: they are many
// A forecast that knows little is wide: it does not flatten the curve.
const WIDEST = 1.6;
const APART = 15; // px between lines, less than which their labels would overlap
const AHEAD = { "1h": ["15m", 900], "24h": ["1h", 3600] };

let plot = null;
let latest = null; // the view that is shown
let drawn = null; // what the hooks draw: thresholds, marks
let rows = [];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function thresholds(u) {
  const { ctx } = u;
  const { left, top, width } = u.bbox;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  let above = { y: -Infinity, x: left + width }; // the label before, which begins at x
  for (const [severity, value] of Object.entries(drawn.thresholds).sort((one, other) => other[1] - one[1])) {
    if (value > u.scales.y.max) continue;
    const y = Math.round(u.valToPos(value, "y", true));
    ctx.strokeStyle = colour("--threshold");
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    if (y - top <= 16 * devicePixelRatio) continue;
    // Lines that are close together have their labels side by side.
    const text = `${severity} ${value}/s`;
    const beside = y - above.y < APART * devicePixelRatio;
    const [right, base] = beside ? [above.x - 8 * devicePixelRatio, above.y] : [left + width, y];
    label(ctx, text, right, base);
    above = { y: base, x: right - ctx.measureText(text).width };
  }
  ctx.restore();
}

/** Text with a halo, so that it can be read on bars. */
function label(ctx, text, x, y) {
  const at = [text, x - 4 * devicePixelRatio, y - 5 * devicePixelRatio];
  ctx.save();
  ctx.setLineDash([]);
  ctx.lineJoin = "round";
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeStyle = colour("--card");
  ctx.strokeText(...at);
  ctx.fillStyle = colour("--soft");
  ctx.fillText(...at);
  ctx.restore();
}

function marks(u) {
  const { ctx } = u;
  const { top, height, left, width } = u.bbox;
  const size = 4 * devicePixelRatio;
  ctx.save();
  for (const event of drawn.marks) {
    const x = u.valToPos(event.at / 1000, "x", true);
    if (x < left || x > left + width) continue;
    ctx.strokeStyle = ctx.fillStyle = colour("--event");
    if (event.kind === "amplifier") {
      ctx.globalAlpha = FEET;
      ctx.beginPath();
      ctx.arc(x, top - 4 * devicePixelRatio, 2 * devicePixelRatio, 0, 7);
      ctx.fill();
      continue;
    }
    ctx.globalAlpha = 0.5;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(x - size, top - 0.4 * size);
    ctx.lineTo(x + size, top - 0.4 * size);
    ctx.lineTo(x, top + 1.4 * size);
    ctx.fill();
  }
  ctx.restore();
}

function reading(u) {
  const index = u.cursor.idx;
  const target = at("reading");
  if (index == null || rows[index] == null) {
    target.textContent = "";
    return;
  }
  const [start, posts, velocity] = rows[index];
  const near = drawn.marks.filter((event) => event.at >= start && event.at < start + drawn.step * 1000);
  const said = posts == null ? `forecast ${rate(velocity)}/s` : `${rate(velocity)}/s, ${count(posts)} posts`;
  target.textContent = [`${clock(start)}  ${said}`, ...near.sort((one, other) => (one.kind === "amplifier") - (other.kind === "amplifier")).slice(0, 1).map(tell)].join(" · ");
}

function options(width) {
  const grid = { stroke: () => colour("--line"), width: 1 };
  const axis = {
    stroke: () => colour("--soft"),
    font: "12px system-ui, sans-serif",
    ticks: { show: false },
  };
  return {
    width,
    height: width < NARROW ? HEIGHT.narrow : HEIGHT.wide,
    padding: [14, 18, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false }, points: { show: false } },
    scales: {
      x: { range: () => drawn.range },
      y: { range: (u) => [0, ceiling(u.data)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 30, values: (_, splits) => splits.map((s) => clock(s * 1000)) },
      { ...axis, grid, size: 52, space: 50, values: (_, splits) => splits.map((value) => Number(value.toPrecision(3)).toLocaleString("en")) },
    ],
    series: [
      {},
      {
        fill: () => colour("--data"),
        stroke: () => colour("--data"),
        width: 0,
        paths: uPlot.paths.bars({ size: [0.78, 40], radius: 0.15 }),
        points: { show: false },
      },
      { stroke: () => colour("--data"), dash: [4, 4], width: 1.5, points: { show: false } },
      { stroke: "transparent", points: { show: false } },
      { stroke: "transparent", points: { show: false } },
    ],
    bands: [{ series: [4, 3], fill: () => colour("--band") }],
    hooks: { draw: [thresholds, marks], setCursor: [reading] },
  };
}

function ceiling([, counted, middle, , high]) {
  const seen = Math.max(0, ...counted.filter(Number.isFinite), ...middle);
  const most = Math.max(seen, Math.min(WIDEST * seen, ...high.filter(Number.isFinite)));
  const lowest = Math.min(...Object.values(drawn.thresholds), Infinity);
  const wanted = lowest < most * 4 ? Math.max(most, lowest) : most;
  return wanted > 0 ? wanted * 1.12 : 1;
}

/** x (s, middle of the step), velocity, and the forecast's middle, low and high. */
function columns({ series, campaign, window }) {
  const { step, start, posts } = series;
  const data = [[], [], [], [], []];
  rows = posts.map((n, index) => [start + index * step * 1000, n, n / step]);
  for (const [from, , velocity] of rows) {
    data[0].push(from / 1000 + step / 2);
    data[1].push(velocity);
    for (const column of data.slice(2)) column.push(null);
  }
  const [horizon, seconds] = AHEAD[window.name];
  const found = campaign.insight?.forecast[horizon];
  if (found && rows.length) {
    const until = series.until / 1000;
    for (const x of [until, until + seconds]) {
      data[0].push(x);
      data[1].push(undefined); // no bar's place: bars are as wide as their places are apart
      for (const [column, bound] of [[2, "mid"], [3, "low"], [4, "high"]]) data[column].push(found[bound] / seconds);
      rows.push([x * 1000, null, found.mid / seconds]);
    }
  }
  return { data, range: [start / 1000, series.until / 1000 + seconds] };
}

function table({ posts, start, step }) {
  const newest = posts.map((n, index) => [start + index * step * 1000, n]).reverse();
  at("numbers").replaceChildren(
    ...newest.map(([from, n]) => make("tr", [make("th", clock(from), { scope: "row" }), make("td", count(n))])),
  );
}

function describe({ series, window }, events) {
  const most = Math.max(0, ...series.posts);
  const peak = series.start + series.posts.indexOf(most) * series.step * 1000;
  const name = window.name === "1h" ? "Last hour" : "Last 24 hours";
  if (!most) return `${name}: no posts.`;
  const told = [...events.filter((event) => event.kind !== "amplifier"), ...events.filter((event) => event.kind === "amplifier")];
  const marked = told.length ? ` Marked: ${told.map(tell).slice(0, 5).join("; ")}.` : "";
  return `${name}: most at ${clock(peak)} UTC with ${rate(most / series.step)} posts per second.${marked}`;
}

export function showCurve(view, events) {
  const { series } = view;
  const chart = at("chart");
  const { data, range } = columns(view);
  const inside = events.filter(
    (event) => MARKED.has(event.kind) && event.at >= series.start && event.at <= series.until + series.step * 1000,
  );
  drawn = { thresholds: view.campaign.thresholds, marks: inside, range, step: series.step };
  chart.setAttribute("aria-label", describe(view, inside));
  say("curve-about", view.window.name === "1h" ? "by minute, UTC" : "by 5 minutes, UTC");
  if (document.querySelector(".curve details").open) table(series);
  if (plot == null) {
    plot = new uPlot(options(chart.clientWidth), data, chart);
    new ResizeObserver(() => resize(chart)).observe(chart);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw());
    document.querySelector(".curve details").addEventListener("toggle", () => latest && table(latest.series));
  } else plot.setData(data);
  latest = view;
}

function resize(chart) {
  const width = chart.clientWidth;
  if (width && width !== plot.width) plot.setSize({ width, height: width < NARROW ? HEIGHT.narrow : HEIGHT.wide });
}
