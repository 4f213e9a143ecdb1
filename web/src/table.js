// An answer as a table, as the command line prints it.

import {element} from "./drawing.js";

const FIRST = 40;  // rows that are shown at once
const LONG = 60;   // characters of a cell that goes over several lines

function headOf(columns, opens) {
  const head = element("tr");
  for (const {heading, text} of columns) {
    const cell = element("th", {textContent: heading, className: text ? "" : "number", scope: "col"});
    head.append(cell);
  }
  if (opens) head.append(element("td"));
  return element("thead", {}, head);
}

function rowOf({shown, line}, columns, open) {
  const row = element("tr");
  shown.forEach((text, i) => {
    const kind = columns[i].text ? "" : "number";
    row.append(element("td", {textContent: text, className: text.length > LONG ? "long" : kind}));
  });
  if (line) {
    const button = element("button", {textContent: "Open", type: "button", onclick: () => open(line)});
    button.setAttribute("aria-label", `Open ${line}`);
    row.append(element("td", {}, button));
  }
  return row;
}

/** `open` takes the command line of a row that has one (of a frontier's point). */
export function tableOf({title, columns, rows}, open) {
  const body = element("tbody", {}, ...rows.slice(0, FIRST).map(row => rowOf(row, columns, open)));
  const table = element("table", {}, element("caption", {textContent: title}), headOf(columns, rows.some(({line}) => line)), body);
  if (rows.length <= FIRST) return [table];
  const more = element("button", {textContent: `Show all ${rows.length} rows`, type: "button", className: "more"});
  more.onclick = () => {
    body.append(...rows.slice(FIRST).map(row => rowOf(row, columns, open)));
    more.remove();
  };
  return [table, more];
}
