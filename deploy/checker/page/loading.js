// Fetches everything the checker needs, before any file is chosen, and holds it against its digests.
// A page that was exchanged half-way, or cut short by a proxy, is noticed here.

export class NotLoaded extends Error {}

/** Return the files of the checker by name, and which of them hold Python packages. */
export async function load(base, onProgress) {
  if (!globalThis.isSecureContext) {
    throw new NotLoaded("This page was not opened over https. Ask for it at an address that begins with https.");
  }
  const { files, packages } = await (await fetched(new URL("assets.json", base))).json();
  const names = Object.keys(files);
  const total = names.reduce((sum, name) => sum + files[name].bytes, 0);
  let done = 0;
  const count = (octets) => onProgress((done += octets), total);
  const loaded = await Promise.all(names.map((name) => one(new URL(name, base), files[name], count)));
  return { files: Object.fromEntries(names.map((name, at) => [name, loaded[at]])), packages };
}

async function one(address, { sha256, bytes }, count) {
  const data = new Uint8Array(bytes);
  let filled = 0;
  const reader = (await fetched(address)).body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > bytes) throw changed();
    data.set(value, filled);
    filled += value.length;
    count(value.length);
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const found = Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) throw changed();
  return data;
}

async function fetched(address) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "omit", redirect: "error" });
  } catch {
    throw new NotLoaded("The checker could not be loaded. Look after your network, then load this page again.");
  }
  if (!answer.ok) throw changed();
  return answer;
}

function changed() {
  return new NotLoaded("The checker was renewed while it loaded, or arrived damaged. Load this page again.");
}

/** From now on the page itself may not connect either: all it needs is here. */
export function lock() {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "connect-src 'none'";
  document.head.append(policy);
}
