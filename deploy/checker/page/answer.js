// The answer laid out. Every word of it goes in as text: what a file holds cannot become part of the page.

const AT_ONCE = 50;
const FORMS = [
  ["html", "Report to print or pass on", "text/html", "report.html"],
  ["csv", "List for a spreadsheet", "text/csv", "report.csv"],
  ["json", "Report for programs", "application/json", "report.json"],
];
const MARKED = [
  "xlsx",
  "Your records with the faults marked",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "marked.xlsx",
];
const number = new Intl.NumberFormat("en-GB");

/** Return the elements of a report; `made` gives it as a file of a form. */
export function reported(report, made) {
  const parts = [verdict(report.verdict, report.title, report.outcome)];
  parts.push(make("p", { className: "facts" }, `Checked against ${report.standard}. Nothing was sent.`));
  if (report.files.length) parts.push(table(report.files));
  parts.push(...downloads(report, made));
  for (const section of report.sections) parts.push(...titled(section));
  if (report.remarks) parts.push(make("p", {}, report.remarks));
  return parts;
}

/** Return the elements that say why there is no report. */
export function refused({ code, message, mend }) {
  const box = verdict("rejected", "Not checked", message);
  box.append(make("p", {}, mend));
  return code ? [box, make("p", { className: "code" }, `Code: ${code}`)] : [box];
}

function verdict(kind, title, sentence) {
  const head = make("h2", { id: "verdict", tabIndex: -1 }, title);
  return make("div", { className: `verdict ${kind}` }, head, make("p", {}, sentence));
}

function table(files) {
  const heads = ["File", "Rows", "Accepted", "Returned", "Warnings"];
  const top = heads.map((text, at) => make("th", { scope: "col", className: at ? "number" : "" }, text));
  const rows = files.map(([name, ...counts]) =>
    make("tr", {}, make("th", { scope: "row" }, name), ...counts.map((count) => cell(count))),
  );
  const all = make("table", {}, make("caption", {}, "What became of the rows"));
  all.append(make("thead", {}, make("tr", {}, ...top)), make("tbody", {}, ...rows));
  return make("div", { className: "wide", tabIndex: 0, role: "region", ariaLabel: "Rows by file" }, all);
}

function cell(count) {
  return make("td", { className: "number" }, number.format(count));
}

function titled({ title, groups }) {
  const list = make("ol", { className: "found" });
  const rest = groups.slice();
  const more = make("button", { type: "button", className: "second" });
  const show = () => {
    const items = rest.splice(0, AT_ONCE).map(item);
    list.append(...items);
    more.textContent = `Show more (${number.format(rest.length)} left)`;
    more.hidden = rest.length === 0;
    return items[0];
  };
  show();
  more.addEventListener("click", () => {
    const first = show();
    first.tabIndex = -1;
    first.focus();
  });
  return [make("h2", {}, title), list, more];
}

function item(group) {
  const times = group.times > 1 ? ` (${number.format(group.times)} times)` : "";
  const parts = [make("h3", {}, group.place + times), make("p", {}, group.message)];
  if (group.values) parts.push(make("p", {}, `Found: ${group.values}.`));
  parts.push(make("p", { className: "mend" }, group.mend), rule(group));
  return make("li", {}, ...parts);
}

function rule(group) {
  const link = make("a", { href: group.link, target: "_blank", rel: "noopener noreferrer" });
  link.textContent = `${group.rule} in the standard (opens in a new tab)`;
  const text = make("p", {}, `${group.test} `, link);
  return make("details", { className: "rule" }, make("summary", {}, `The rule, ${group.rule}`), text);
}

function downloads(report, made) {
  const forms = report.comes_back && report.sections.length ? [MARKED, ...FORMS] : FORMS;
  const buttons = forms.map((form) => download(form, made));
  const warning = "Reports repeat what they find in your files: keep them where the records may be.";
  return [
    make("h2", {}, "Take it with you"),
    make("p", { className: "hint" }, warning),
    make("div", { className: "files" }, ...buttons),
  ];
}

function download([form, label, type, name], made) {
  const button = make("button", { type: "button", className: "second" }, label);
  button.dataset.form = form;
  button.addEventListener("click", async () => {
    const file = await made(form);
    if (file) hand(new Blob([file], { type }), name);
  });
  return button;
}

function hand(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  // The browser needs the address until it has begun to save.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}
