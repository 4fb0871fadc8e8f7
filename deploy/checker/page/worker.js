// Python, and nothing else: opens the files that were chosen, with the gateway's own code.
//
// The browser allows this worker no connection (its Content-Security-Policy has connect-src 'none').
// What Python would fetch to start is handed in by the page; anything else that is asked for is not
// there. What Python prints is dropped: it must not reach a console.

import { loadPyodide } from "./pyodide.mjs";

const SITE = "/lib/ctds";
const MOST_MEMORY = 3 * 2 ** 29; // as the command gives what reads a workbook: 1.5 GiB
const TYPES = { wasm: "application/wasm", json: "application/json" };

let python = null;
let desk = null;

// A file that costs more than a return can need must not take the whole computer's memory first.
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 2 ** 16 > MOST_MEMORY) throw new RangeError("too much memory");
  return grow.call(this, pages);
};

const ANSWERS = { begin, check, made };

self.onmessage = async ({ data }) => {
  try {
    const [answer, moved] = await ANSWERS[data.ask](data);
    postMessage({ answer }, moved);
  } catch {
    // Foreseen faults are answers. This is Python itself, out of memory or out of stack: it is over.
    postMessage({ died: true });
  }
};

async function begin({ gateway, files, packages }) {
  self.fetch = async (address) => {
    const name = new URL(address.url ?? address, import.meta.url).pathname.split("/").pop();
    if (!Object.hasOwn(files, name)) throw new TypeError(`${name} was not handed in`);
    const type = TYPES[name.split(".").pop()] ?? "application/octet-stream";
    return new Response(files[name], { headers: { "Content-Type": type } });
  };
  const drop = () => {};
  const indexURL = new URL("./", import.meta.url).href;
  python = await loadPyodide({ indexURL, stdout: drop, stderr: drop });
  for (const name of packages) python.unpackArchive(files[name], "zip", { extractDir: SITE });
  python.runPython(`import sys; sys.path.append(${JSON.stringify(SITE)})`);
  desk = python.pyimport("validators.browser").Desk(gateway);
  return [{}, []];
}

async function check({ files, asked }) {
  const names = [];
  const contents = [];
  for (const file of files) {
    try {
      contents.push(new Uint8Array(await file.arrayBuffer()));
    } catch {
      return [unreadable(file), []];
    }
    names.push(file.name);
  }
  const tell = (rows) => postMessage({ rows });
  return [JSON.parse(desk.check(names, contents, JSON.stringify(asked), tell)), []];
}

async function made({ form }) {
  const pair = desk.made(form);
  const [said, octets] = pair.toJs();
  pair.destroy();
  const file = octets.slice();
  return [{ ...JSON.parse(said), file }, [file.buffer]];
}

function unreadable(file) {
  return {
    refused: {
      code: "file-unreadable",
      message: `${file.name} cannot be read: it was moved or changed since it was chosen, or is too large.`,
      mend: "Close it in other programs, then choose it again.",
    },
  };
}
