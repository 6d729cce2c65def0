// Hashtags, events and posts.
import { at, fill, isolated, make, outside } from "./dom.js";
import { compact, count, countryName, duration, languageName, moment, platformName, rate } from "./format.js";
import { linkOf, safe } from "./links.js";

const EVENTS = 10;
const KNOWN = 8;

const none = (text) => [make("li", text, { class: "soft" })];

export function showTags(found) {
  fill(at("tags"), found.hashtags, (tags) =>
    tags.map((tag) => {
      const name = [isolated(`#${tag.hashtag}`)];
      if (tag.burst) name.push(" ", make("span", "burst", { class: "burst", title: `burst score ${tag.burst_score.toFixed(1)}` }));
      return make("tr", [
        make("th", name, { scope: "row" }),
        make("td", compact(tag.posts), { title: count(tag.posts) }),
        make("td", `${rate(tag.velocity)}/s`, { class: "soft" }),
      ]);
    }),
  );
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
  return seconds > 0 ? `, ${duration(seconds)} after the start` : ", where it began";
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
  const told = events.filter((event) => TELL[event.kind]).slice(0, EVENTS);
  fill(at("events"), told, (all) =>
    all.length ? all.map((event) => line(event, now, TELL[event.kind](event))) : none("Nothing yet."),
  );
  const known = events.filter((event) => event.kind === "amplifier").slice(0, KNOWN);
  fill(at("known"), known, (all) =>
    all.length ? all.map((event) => line(event, now, knownPost(event))) : none("No posts of known accounts yet."),
  );
}

function knownPost({ name, detail }) {
  const label = `${platformName(name.split(":")[0])} ${detail.kind ?? "post"}`;
  const link = linkOf(name);
  return [link ? outside(link, label) : label, ` · ${compact(detail.followers)} followers`];
}

export function showPosts(found, now) {
  at("newest-card").hidden = found == null;
  if (found == null) return;
  fill(at("newest"), found.posts, (posts) =>
    posts.length
      ? posts.map((post) => {
          const link = safe(post.link) ?? linkOf(post.uid);
          const label = `${platformName(post.uid.split(":")[0])} post`;
          const content = [link ? outside(link, label) : label, ` · ${languageName(post.lang)} · ${post.via}`];
          if (post.text) content.push(make("q", post.text, { dir: "auto" }));
          return line({ at: post.created_at ?? post.time }, now, content);
        })
      : none("None are kept."),
  );
}
