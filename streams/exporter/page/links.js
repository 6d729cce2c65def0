// Where a post stands on the web, by its uid (`platform:id`).
const ID = /^[0-9]{1,20}$/;
const HOSTED = /^([a-z0-9.-]+(?::[0-9]+)?)\/([0-9]+)$/i;
const RECORD = /^(did:[a-z]+:[a-zA-Z0-9._:%-]+)\/([a-zA-Z0-9._~:-]+)$/;

/** An https address, or null where the uid does not lead to one. */
export function linkOf(uid) {
  const at = uid.indexOf(":");
  const [platform, id] = [uid.slice(0, at), uid.slice(at + 1)];
  if (platform === "x" && ID.test(id)) return `https://x.com/i/status/${id}`;
  if (platform === "facebook" && /^[0-9_]+$/.test(id)) return `https://www.facebook.com/${id}`;
  const hosted = platform === "mastodon" && HOSTED.exec(id);
  if (hosted) return `https://${hosted[1]}/statuses/${hosted[2]}`;
  const record = platform === "bluesky" && RECORD.exec(id);
  if (record) return `https://bsky.app/profile/${record[1]}/post/${record[2]}`;
  return null;
}

/** The same for a link that a server sent: only https gets through. */
export const safe = (link) => (typeof link === "string" && link.startsWith("https://") ? link : null);
