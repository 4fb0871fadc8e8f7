// The page: loads the checker, waits for files, has them checked, shows the answer.

import { refused, reported } from "./answer.js";
import { Checker, Died, Stopped } from "./checker.js";
import { filledIn, isWorkbook, prepare } from "./form.js";
import { load, lock, NotLoaded } from "./loading.js";

const READY = "The checker is ready. It needs no network any more.";
const DIED = {
  message: "The check broke off: your files take more memory, or more depth, than this browser gives a page. Nothing was sent.",
  mend: "Check one record type at a time, or check offline with the command gateway validate.",
};
const NEVER = "The checker cannot run in this browser. Use a current version of Chrome, Edge, Firefox or Safari, or the command gateway validate.";
const number = new Intl.NumberFormat("en-GB");
const byId = (id) => document.getElementById(id);
const [form, stop, status, count, progress, answer] = ["form", "stop", "status", "count", "progress", "answer"].map(byId);

let busy = false;
const checker = begin();

prepare(new Date());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!busy) check();
});
stop.addEventListener("click", async () => (await checker).stop());

async function begin() {
  try {
    say("Loading the checker …");
    const loaded = await load(import.meta.url, (done, total) => advance(done / total));
    lock();
    advance(null);
    say("Starting the checker …");
    const begun = new Checker(loaded);
    await begun.ready;
    if (!busy) rest(READY);
    return begun;
  } catch (error) {
    rest(error instanceof NotLoaded ? error.message : NEVER);
    throw error;
  }
}

async function check() {
  const filled = await filledIn();
  if (filled === null) return;
  busy = true;
  answer.hidden = true;
  byId("check").setAttribute("aria-disabled", "true");
  try {
    const begun = await checker;
    say("Checking …");
    advance(null);
    stop.hidden = false;
    const since = Date.now();
    const onRows = (rows) => (count.textContent = `${number.format(rows)} rows in ${seconds(since)}`);
    const said = await begun.check(filled.files, filled.asked, onRows).catch((error) => {
      // What a workbook's reader dies of is a finding: the next Python is told, and reads none.
      if (!(error instanceof Died) || !filled.files.some(isWorkbook)) throw error;
      return begun.check(filled.files, { ...filled.asked, died: true }, onRows);
    });
    show(said.report ? reported(said.report, made) : refused(said.refused), `Checked in ${seconds(since)}.`);
  } catch (error) {
    failed(error);
  } finally {
    busy = false;
    stop.hidden = true;
    byId("check").removeAttribute("aria-disabled");
  }
}

async function made(form) {
  if (busy) return null;
  busy = true;
  try {
    say("Writing the file …");
    const { refused: why, file } = await (await checker).made(form);
    rest(why ? `${why.message} ${why.mend}` : "The file is with your downloads.");
    return why ? null : file;
  } catch (error) {
    failed(error);
    return null;
  } finally {
    busy = false;
  }
}

function failed(error) {
  if (error instanceof Stopped) rest("Stopped. Nothing was sent.");
  else if (error instanceof Died) show(refused(DIED), "The check broke off.");
  // Where the checker itself never began, the status says so already.
}

function show(parts, sentence) {
  answer.replaceChildren(...parts);
  answer.hidden = false;
  rest(sentence);
  byId("verdict").focus();
}

function seconds(since) {
  const passed = (Date.now() - since) / 1000;
  return `${passed < 10 ? passed.toFixed(1) : Math.round(passed)} seconds`;
}

function say(sentence) {
  status.textContent = sentence;
  count.textContent = "";
}

function rest(sentence) {
  say(sentence);
  progress.hidden = true;
}

function advance(share) {
  progress.hidden = false;
  if (share === null) progress.removeAttribute("value");
  else progress.value = share;
}
