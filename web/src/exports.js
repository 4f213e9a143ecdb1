// What is shown as files: the charts as SVG or PNG, the table as the command line's CSV.

import {svg} from "./drawing.js";

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const COPIED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "paint-order", "opacity", "fill-opacity", "font-family", "font-size", "font-weight", "visibility"];

/** Styles and colours of the page, written into every element of its copy. */
function styled(original, copy) {
  const computed = getComputedStyle(original);
  copy.setAttribute("style", COPIED.map(name => `${name}: ${computed.getPropertyValue(name)}`).join("; "));
  copy.removeAttribute("class");
  [...original.children].forEach((child, i) => styled(child, copy.children[i]));
}

const HEAD = 52;  // pixels for title and legend

function textAt(x, y, text, weight) {
  const {color, fontFamily} = getComputedStyle(document.body);
  const made = svg("text", {x, y, style: `fill: ${color}; font-family: ${fontFamily}; font-size: 13px; font-weight: ${weight}`});
  made.textContent = text;
  return made;
}

/** An entry of a legend: its mark, or a bar of its colour, beside its text. */
function entryAt(x, entry) {
  const mark = entry.querySelector("svg"), group = svg("g", {transform: `translate(${x},${HEAD - 22})`});
  if (mark) {
    const copy = mark.cloneNode(true);
    styled(mark, copy);
    group.append(copy);
  } else {
    group.append(svg("rect", {y: 5, width: 15, height: 4, fill: getComputedStyle(entry.querySelector("i")).color}));
  }
  group.append(textAt(20, 11, entry.textContent, 400));
  return group;
}

/** Title and legend, which stand outside of the figure's drawing. */
function headOf(figure, drawing) {
  const head = [textAt(8, 18, figure.getAttribute("aria-label"), 600)];
  let x = 8;
  for (const entry of figure.querySelectorAll("span:has(> svg), span:has(> i)")) {
    if (entry.contains(drawing)) continue;
    head.push(entryAt(x, entry));
    x += 40 + 7.5 * entry.textContent.length;
  }
  return head;
}

/** The figure's largest drawing under its title and legend, as it looks here. */
export function svgOf(figure) {
  const drawings = [...figure.querySelectorAll("svg")];
  const original = drawings.reduce((a, b) => b.clientHeight > a.clientHeight ? b : a), copy = original.cloneNode(true);
  styled(original, copy);
  const {clientWidth: width, clientHeight: height} = original;
  const whole = svg("svg", {xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height + HEAD}`, width, height: height + HEAD});
  whole.setAttribute("style", `background: ${getComputedStyle(document.body).backgroundColor}`);
  copy.setAttribute("y", HEAD);
  whole.append(...headOf(figure, original), copy);
  return new XMLSerializer().serializeToString(whole);
}

async function pngOf(text, width, height) {
  const image = new Image(width * 2, height * 2);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {width: width * 2, height: height * 2});
  canvas.getContext("2d").drawImage(image, 0, 0, width * 2, height * 2);
  return new Promise(resolve => canvas.toBlob(resolve, "image/png"));
}

export async function exportAs(kind, charts, csv) {
  if (kind === "csv") return save(new Blob([csv], {type: "text/csv"}), "afford.csv");
  for (const [i, figure] of [...charts.children].filter(each => !each.hidden).entries()) {
    const text = svgOf(figure), name = `afford-${i + 1}.${kind}`;
    if (kind === "svg") save(new Blob([text], {type: "image/svg+xml"}), name);
    else {
      const [, , width, height] = text.match(/viewBox="([^"]+)"/)[1].split(" ").map(Number);
      save(await pngOf(text, width, height), name);
    }
  }
}
