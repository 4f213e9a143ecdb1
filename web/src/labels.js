// Texts in a chart that keep off its marks, its lines and each other.

import {svg} from "./drawing.js";

/** Where a label does not lie on a mark or another label; null where there is no such place. */
function placed(text, [x, y], taken) {
  const w = 6.8 * text.length, h = 13;
  const places = [[x + 9, y - 6], [x - w - 9, y - 6], [x - w / 2, y - 22], [x - w / 2, y + 9], [x + 7, y - 20], [x + 7, y + 7], [x - w - 7, y - 20], [x - w - 7, y + 7],
    [x - w / 2, y + 24], [x + 7, y + 22], [x + 16, y + 40], [x - w / 2, y + 56], [x - w - 7, y - 36]];
  const free = ([left, top]) => taken.every(box => left > box[2] || left + w < box[0] || top > box[3] || top + h < box[1]);
  const found = places.find(free);
  if (found) taken.push([found[0], found[1], found[0] + w, found[1] + h]);
  return found ?? null;
}

/**
 * Writes the points' texts beside them as far as there is room, the slowest (`us`) first; tips have all.
 * `lines` are the corners of what they keep off, `ends` names above the ends of lines.
 */
export function label(chart, points, {ends = [], lines}) {
  const drawing = [...chart.querySelectorAll("svg")].at(-1), x = chart.scale("x"), y = chart.scale("y");
  const [left, right] = x.range, [bottom, top] = y.range, around = ([px, py]) => [px - 7, py - 7, px + 7, py + 7];
  const at = each => [x.apply(each.x), y.apply(each.y)];
  const taken = [[-Infinity, -Infinity, left, Infinity], [right, -Infinity, Infinity, Infinity], [-Infinity, bottom, Infinity, Infinity],
    [-Infinity, -Infinity, Infinity, top - 12], ...points.map(each => around(at(each)))];
  for (const [i, to] of lines.entries()) {
    if (lines[i - 1]?.of !== to.of) continue;
    const [a, b] = [at(lines[i - 1]), at(to)], steps = Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / 6);
    for (let step = 0; step <= steps; ++step) {
      const [px, py] = [0, 1].map(axis => a[axis] + (b[axis] - a[axis]) * step / steps);
      taken.push([px - 1, py - 1, px + 1, py + 1]);
    }
  }
  const write = (text, [px, py], anchor) => {
    const made = svg("text", {x: px, y: py + 10.5, fill: "currentColor", "font-size": 12, "text-anchor": anchor, style: "paint-order: stroke; stroke: var(--paper); stroke-width: 3px"});
    made.textContent = text;
    drawing.append(made);
  };
  for (const end of ends) {
    const py = y.apply(end.y) - 18;
    write(end.text, [right - 4, py], "end");
    taken.push([right - 4 - 6.8 * end.text.length, py, right, py + 20]);
  }
  for (const {text, ...each} of [...points].sort((a, b) => b.us - a.us)) {
    const place = placed(text, at(each), taken);
    if (place) write(text, place, "start");
  }
}
