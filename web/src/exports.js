// What is shown as files: the charts as SVG or PNG, the table as the command line's CSV.

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const COPIED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity", "font-family", "font-size", "font-weight", "visibility"];

/** Styles and colours of the page, written into every element of its copy. */
function styled(original, copy) {
  const computed = getComputedStyle(original);
  copy.setAttribute("style", COPIED.map(name => `${name}: ${computed.getPropertyValue(name)}`).join("; "));
  copy.removeAttribute("class");
  [...original.children].forEach((child, i) => styled(child, copy.children[i]));
}

/** The figure's largest drawing under its title, as it looks here. */
export function svgOf(figure) {
  const drawings = [...figure.querySelectorAll("svg")];
  const original = drawings.reduce((a, b) => b.clientHeight > a.clientHeight ? b : a), svg = original.cloneNode(true);
  styled(original, svg);
  svg.style.background = getComputedStyle(document.body).backgroundColor;
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = figure.getAttribute("aria-label");
  svg.prepend(title);
  return new XMLSerializer().serializeToString(svg);
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
  for (const [i, figure] of [...charts.children].entries()) {
    const text = svgOf(figure), name = `afford-${i + 1}.${kind}`;
    if (kind === "svg") save(new Blob([text], {type: "image/svg+xml"}), name);
    else {
      const [, , width, height] = text.match(/viewBox="([^"]+)"/)[1].split(" ").map(Number);
      save(await pngOf(text, width, height), name);
    }
  }
}
