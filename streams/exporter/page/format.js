// Numbers, times and names for people.  All times are UTC.
const language = new Intl.DisplayNames(["en"], { type: "language" });
const region = new Intl.DisplayNames(["en"], { type: "region" });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const VIA = {
  hashtag: "Hashtag",
  phrase: "Bare phrase",
  call: "Copied call",
  reply: "Reply to the call",
  repost: "Repost",
};
/** In the order of their precedence. */
export const VIAS = Object.keys(VIA);
const PLATFORMS = { x: "X", mastodon: "Mastodon", bluesky: "Bluesky", facebook: "Facebook" };

export const count = (n) => whole.format(n);
export const compact = (n) => (n < 10_000 ? whole.format(n) : short.format(n));

/** Posts per second, with as many digits as say something. */
export function rate(n) {
  const digits = n >= 100 || n === 0 ? 0 : n >= 10 ? 1 : n >= 0.1 ? 2 : 3;
  return n.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function share(part, all) {
  if (!all) return "";
  const percent = (100 * part) / all;
  return percent > 0 && percent < 1 ? "<1 %" : `${Math.round(percent)} %`;
}

export const day = (ms) =>
  new Date(ms).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
export const clock = (ms, seconds = false) => new Date(ms).toISOString().slice(11, seconds ? 19 : 16);

/** Time of day, with the day where it is another than that of `now`. */
export function moment(ms, now) {
  const text = clock(ms);
  const other = Math.floor(ms / 864e5) !== Math.floor(now / 864e5);
  return other ? `${new Date(ms).toISOString().slice(5, 10)} ${text}` : text;
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${(seconds / 3600).toFixed(1)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

function named(names, code) {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

export const platformName = (code) => PLATFORMS[code] ?? code;
export const viaName = (code) => VIA[code] ?? code;
export const languageName = (code) => (code === "und" ? "Not known" : named(language, code));
export const countryName = (code) => named(region, code);
