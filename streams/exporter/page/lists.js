// Hashtags, events and posts.
import { at, fill, isolated, make, outside } from "./dom.js";
import { compact, count, countryName, duration, languageName, moment, platformName, rate, viaName } from "./format.js";

const EVENTS = 10;
const KNOWN = 10;
// First posts in a language or country come by the dozen: they do not push these out.
const RARE = new Set(["threshold", "milestone", "platform"]);
const KINDS = { original: "post", repost: "repost", reply: "reply", quote: "quote" };

const none = (text) => [make("li", text, { class: "soft" })];

export function showTags(found) {
  const most = Math.max(1, ...found.hashtags.map((tag) => tag.posts));
  fill(at("tags"), found.hashtags, (tags) => (tags.length ? tags.map((tag) => tagRow(tag, most)) : [emptyRow()]));
}

const emptyRow = () => make("tr", make("td", "None yet.", { class: "soft" }));

function tagRow(tag, most) {
  const name = [isolated(`#${tag.hashtag}`)];
  if (tag.burst) {
    name.push(" ", make("span", "burst", { class: "burst", title: `burst score ${tag.burst_score.toFixed(1)}` }));
  }
  const part = make("span", [], { class: "fill" });
  part.style.width = `${(100 * tag.posts) / most}%`;
  name.push(make("span", part, { class: "bar", "aria-hidden": "true" }));
  return make("tr", [
    make("th", name, { scope: "row" }),
    make("td", compact(tag.posts), { title: count(tag.posts) }),
  ]);
}

const TELL = {
  threshold: ({ name, detail }) => [make("b", `Threshold “${name}”`), ` crossed at ${rate(detail.velocity)} posts/s`],
  milestone: ({ name }) => [make("b", `${count(Number(name))} posts`), " reached"],
  platform: ({ name, detail }) => [make("b", platformName(name)), `: first post${after(detail)}`],
  language: ({ name, detail }) => [make("b", languageName(name)), `: first post${after(detail)}`],
  country: ({ name, detail }) => [make("b", countryName(name)), `: first post${after(detail)}`],
};

function after(detail) {
  const seconds = detail.seconds_after_start;
  return seconds > 0 ? ` after ${duration(seconds)}` : "";
}

/** In one line, for the curve's marks. */
export function tell(event) {
  if (event.kind === "amplifier") return `${platformName(event.name.split(":")[0])}: a known account's post`;
  return (TELL[event.kind]?.(event) ?? [event.kind]).map((part) => part.textContent ?? part).join("");
}

function line(event, now, content) {
  const time = make("time", moment(event.at, now), { datetime: new Date(event.at).toISOString() });
  return make("li", [time, make("span", content)], { "data-kind": event.kind ?? "post" });
}

export function showEvents(events, now) {
  const rare = events.filter((event) => RARE.has(event.kind)).slice(0, EVENTS / 2);
  const other = events.filter((event) => TELL[event.kind] && !RARE.has(event.kind));
  const told = [...rare, ...other.slice(0, EVENTS - rare.length)].sort((one, two) => two.at - one.at);
  fill(at("events"), told, (all) =>
    all.length ? all.map((event) => line(event, now, TELL[event.kind](event))) : none("Nothing yet."),
  );
  const known = events.filter((event) => event.kind === "amplifier").slice(0, KNOWN);
  fill(at("known"), known, (all) =>
    all.length ? all.map((event) => line(event, now, knownPost(event))) : none("No posts of known accounts yet."),
  );
}

function knownPost({ name, link, detail, replies }) {
  const label = `${platformName(name.split(":")[0])} ${KINDS[detail.kind] ?? "post"}`;
  const about = [`${compact(detail.followers)} followers`];
  if (replies) about.push(`a call, answered by ${count(replies)}`);
  return [link ? outside(link, label) : label, ` · ${about.join(" · ")}`];
}

export function showPosts(found, now) {
  at("newest-card").hidden = false;
  fill(at("newest"), found.posts, (posts) =>
    posts.length
      ? posts.map((post) => {
          const label = `${platformName(post.platform)} ${KINDS[post.kind]}`;
          const about = ` · ${languageName(post.lang)} · ${viaName(post.via).toLowerCase()}`;
          const content = [post.link ? outside(post.link, label) : label, about];
          if (post.text) content.push(make("q", post.text, { dir: "auto" }));
          return line({ at: post.time }, now, content);
        })
      : none("None are kept."),
  );
}
