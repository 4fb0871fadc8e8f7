// The form: what was chosen, what is still missing, and the facts that a check needs.

// As `validators.checking.is_package` has it.
const PACKAGE = /(^[^.]*|.\.zip)$/i;
const WORKBOOKS = /\.(xlsx|ods)$/i;
const QUARTERS = 12;
const MONTHS = ["January to March", "April to June", "July to September", "October to December"];

const byId = (id) => document.getElementById(id);
const [files, agency, period, profile] = ["files", "agency", "period", "profile"].map(byId);

/** Make the form answer to its user. */
export function prepare(today) {
  offerQuarters(today);
  files.addEventListener("change", show);
  profile.addEventListener("change", show);
  takeDropped(byId("drop"));
  show();
}

/** Return what is to be checked, or null where something is missing, which is then said. */
export async function filledIn() {
  const faults = [];
  if (!files.files.length) faults.push([files, "Choose at least one file"]);
  if (factsNeeded() && !profile.files.length && !agency.value) faults.push([agency, "Choose your agency"]);
  say(faults);
  if (faults.length) return null;
  const asked = { now: new Date().toISOString(), submission_id: crypto.randomUUID() };
  if (factsNeeded()) Object.assign(asked, { period: period.value }, await whose());
  return { files: [...files.files], asked };
}

/** Tell whether a file is a workbook, or may hold one. */
export function isWorkbook(file) {
  return WORKBOOKS.test(file.name) || PACKAGE.test(file.name);
}

async function whose() {
  const [chosen] = profile.files;
  return chosen ? { profile: await chosen.text() } : { agency: agency.value };
}

function factsNeeded() {
  const given = [...files.files];
  return given.length !== 1 || !PACKAGE.test(given[0].name);
}

function show() {
  const given = [...files.files];
  byId("chosen").replaceChildren(...given.map(line));
  byId("chosen").hidden = given.length === 0;
  byId("facts").hidden = !factsNeeded();
  byId("packaged").hidden = factsNeeded();
  byId("agency-field").hidden = profile.files.length > 0;
}

function line(file) {
  const item = document.createElement("li");
  const size = document.createElement("span");
  size.textContent = sized(file.size);
  item.append(file.name, size);
  return item;
}

function sized(octets) {
  if (octets < 1024) return `${octets} bytes`;
  return octets < 1024 ** 2 ? `${Math.round(octets / 1024)} KB` : `${(octets / 1024 ** 2).toFixed(1)} MB`;
}

function say(faults) {
  const box = byId("faults");
  for (const field of document.querySelectorAll(".faulty")) field.classList.remove("faulty");
  for (const field of [files, agency]) field.removeAttribute("aria-invalid");
  box.querySelector("ul").replaceChildren(...faults.map(([field, text]) => fault(field, text)));
  box.hidden = faults.length === 0;
  if (faults.length) box.focus();
}

function fault(field, text) {
  field.closest(".field").classList.add("faulty");
  field.setAttribute("aria-invalid", "true");
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `#${field.id}`;
  link.textContent = text;
  link.addEventListener("click", (event) => {
    event.preventDefault();
    field.focus();
  });
  item.append(link);
  return item;
}

function offerQuarters(today) {
  const current = today.getFullYear() * 4 + Math.floor(today.getMonth() / 3);
  for (let back = 0; back < QUARTERS; back += 1) {
    const [year, at] = [Math.floor((current - back) / 4), (current - back) % 4];
    // A return is sent when its quarter is over.
    period.add(new Option(`${MONTHS[at]} ${year} (${year}Q${at + 1})`, `${year}Q${at + 1}`, false, back === 1));
  }
}

function takeDropped(place) {
  // A file that misses the place must not open in the browser and take the page away.
  for (const name of ["dragover", "drop"]) {
    window.addEventListener(name, (event) => event.preventDefault());
  }
  place.addEventListener("dragover", () => place.classList.add("over"));
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    place.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    files.files = event.dataTransfer.files;
    show();
  });
}
