// The frontier's chart. It is drawn while a slider moves, so it is a few paths whose outlines change:
// a line, a band and the points of each way a series has, whatever their number.

import {scaleLinear, scaleLog} from "d3-scale";
import {PALETTE, element, short, svg} from "./drawing.js";
import {KINDS} from "./measured.js";

const HEIGHT = 440, MARGIN = {left: 80, right: 18, top: 14, bottom: 46};

/** How the ways differ beside their colour: AFD's points are filled, its parts of the line whole. */
const WAYS = {
  afd: {name: "AFD", r: 4.2, outline: (x, y, r) => `M${x - r},${y}a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`},
  ep: {name: "EP", r: 3.8, outline: (x, y, r) => `M${x - r},${y - r}h${2 * r}v${2 * r}h${-2 * r}z`},
  tp: {name: "TP", r: 4.6, outline: (x, y, r) => `M${x},${y - r}l${r},${1.8 * r}h${-2 * r}z`},
  mixed: {name: "mixed", r: 4.8, outline: (x, y, r) => `M${x},${y - r}l${r},${r}l${-r},${r}l${-r},${-r}z`},
};

/** What the thin lines are. */
const ALONE = {afd: "AFD alone", colocated: "co-located alone"};

const OBJECTIVES = {
  tokens: {title: "Time per output token against throughput", x: "TPOT, ms", y: "tokens/s a GPU", of: row => row.tokens_per_gpu_s},
  usd: {title: "Time per output token against cost", x: "TPOT, ms", y: "USD per 1M tokens", of: row => row.usd_per_mtok, log: true},
  interactivity: {title: "Tokens/s of one user against throughput", x: "tokens/s a user", y: "tokens/s a GPU", of: row => row.tokens_per_gpu_s, user: true},
};

/** "step-3 at 4K, engine vllm": the model, the context, and the values of a sweep. */
function seriesOf(row) {
  const {model, context_tokens: tokens} = row, swept = Object.keys(row).filter(key => key.startsWith("sweep_"));
  return [`${model} at ${tokens % 1024 ? tokens : `${tokens / 1024}K`}`, ...swept.map(key => `${key.slice(6).replaceAll("_", " ")} ${short(row[key])}`)].join(", ");
}

/** Rows as points: where they lie, and from where to where the interval of TPOT reaches. */
function pointsOf(rows, {of, user}) {
  const x = user ? ms => 1000 / ms : ms => ms;
  return rows.filter(row => of(row) !== null).map(row => {
    const known = row.tpot_low_ms !== null && row.tpot_high_ms !== null;
    return {row, series: seriesOf(row), x: x(row.tpot_ms), y: of(row), low: known ? x(row.tpot_low_ms) : null, high: known ? x(row.tpot_high_ms) : null};
  }).sort((a, b) => a.x - b.x);
}

/** Of a frontier of both goals the points that are on that of this chart's, series by series. */
function ownOf(points, {log}) {
  const best = new Map();
  return points.filter(({series, y}) => {
    const before = best.get(series);
    if (before !== undefined && !(log ? y < before : y > before)) return false;
    best.set(series, y);
    return true;
  });
}

/** What was measured, by the kind of its source: an open mark, told from the points of the lines. */
const MEASURED = {
  published: (x, y, r) => `M${x - r},${y - r}l${2 * r},${2 * r}M${x - r},${y + r}l${2 * r},${-2 * r}`,
  served: (x, y, r) => `M${x - 1.2 * r},${y}h${2.4 * r}M${x},${y - 1.2 * r}v${2.4 * r}`,
  pipeline: (x, y, r) => `M${x},${y - 1.2 * r}V${y + 1.2 * r}M${x - r},${y - 0.7 * r}L${x + r},${y + 0.7 * r}M${x - r},${y + 0.7 * r}L${x + r},${y - 0.7 * r}`,
};
const BEYOND = 1.3;  // of the slowest point: what is slower still is counted, not drawn

/**
 * Measured deployments with what is predicted for them, as ends of a whisker, and the interval of
 * that prediction; `most` is the largest TPOT that is drawn.
 */
function whiskersOf(measured, {user, log}, most) {
  if (log) return [];  // nobody publishes what it cost
  const x = ms => user ? 1000 / ms : ms;
  return measured.filter(({tpot, predicted}) => tpot <= most && predicted.tpot <= most).map(each => {
    const {tpot, tokens, low, high} = each.predicted, known = low !== undefined && low !== null;
    return {each, x: x(each.tpot), y: each.tokens, px: x(tpot), py: tokens,
      low: known ? {x: x(low), y: tokens * tpot / low} : null, high: known ? {x: x(high), y: tokens * tpot / high} : null};
  });
}

const line = points => points.length ? `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}` : "";

/** An axis: its grid as one path, its numbers as texts that are used again. */
class Axis {
  constructor(parent, horizontal) {
    this.horizontal = horizontal;
    this.grid = svg("path", {class: "grid"});
    this.texts = svg("g", {"text-anchor": horizontal ? "middle" : "end"});
    parent.append(this.grid, this.texts);
  }

  draw(scale, [from, to]) {
    const ticks = this.ticksOf(scale);
    this.grid.setAttribute("d", ticks.map(({at}) => this.horizontal ? `M${at},${from}V${to}` : `M${from},${at}H${to}`).join(""));
    while (this.texts.childElementCount < ticks.length) this.texts.append(svg("text", {}));
    [...this.texts.children].forEach((text, i) => {
      const tick = ticks[i], shown = tick?.label ?? "";
      if (text.textContent !== shown) text.textContent = shown;
      if (!tick) return;
      text.setAttribute("x", this.horizontal ? tick.at : from - 8);
      text.setAttribute("y", this.horizontal ? from + 18 : tick.at + 4);
    });
  }

  ticksOf(scale) {
    const count = Math.max(3, Math.abs(scale.range()[1] - scale.range()[0]) / (this.horizontal ? 80 : 45));
    const format = scale.tickFormat(count, scale.base ? "~g" : undefined);
    return scale.ticks(count).map(value => ({at: Math.round(scale(value)) + 0.5, label: format(value)}));
  }
}

/** One series: band, line of AFD, line of what is co-located, points of each way; behind them each of both alone. */
class Series {
  constructor(parent, color) {
    this.group = svg("g", {style: `color: ${color}`});
    this.alone = {afd: svg("path", {class: "line alone"}), colocated: svg("path", {class: "line alone dashed"})};
    this.band = svg("path", {class: "band"});
    this.whole = svg("path", {class: "line"});
    this.dashed = svg("path", {class: "line dashed"});
    this.points = Object.fromEntries(Object.keys(WAYS).map(way => [way, svg("path", {class: `point ${way}`})]));
    this.group.append(...Object.values(this.alone), this.band, this.whole, this.dashed, ...Object.values(this.points));
    parent.append(this.group);
  }

  /** `alone`: the points of AFD alone and of co-located pools alone, where these were looked for. */
  drawAlone(alone, x, y) {
    for (const [part, path] of Object.entries(this.alone)) path.setAttribute("d", line((alone[part] ?? []).map(point => [x(point.x), y(point.y)])));
  }

  draw(points, x, y) {
    const placed = points.map(point => ({...point, at: [x(point.x), y(point.y)]}));
    const known = placed.filter(({low}) => low !== null);
    this.band.setAttribute("d", line([...known.map(({low, at}) => [x(low), at[1]]), ...known.reverse().map(({high, at}) => [x(high), at[1]])]));
    const parts = {whole: "", dashed: ""};
    placed.slice(1).forEach((point, i) => {
      const both = [placed[i], point], afd = both.every(({row}) => row.way === "afd");
      parts[afd ? "whole" : "dashed"] += line(both.map(({at}) => at));
    });
    this.whole.setAttribute("d", parts.whole);
    this.dashed.setAttribute("d", parts.dashed);
    for (const [way, {outline, r}] of Object.entries(WAYS))
      this.points[way].setAttribute("d", placed.filter(({row}) => row.way === way).map(({at}) => outline(at[0], at[1], r)).join(""));
  }
}

export class FrontierChart {
  /** `open` takes the row of a point that is clicked. */
  constructor(objective, open) {
    this.objective = OBJECTIVES[objective];
    this.open = open;
    this.series = new Map();
    this.picked = -1;
    this.spots = [];
    this.build();
  }

  build() {
    const {title, x, y} = this.objective;
    this.figure = element("figure", {className: "frontier"});
    this.figure.setAttribute("aria-label", title);
    this.legend = element("p", {className: "legend"});
    this.svg = svg("svg", {height: HEIGHT, role: "img", tabindex: 0, "aria-label": `${title}. Arrow keys go from point to point, Enter opens one. The table below has the same points.`});
    this.axes = {x: new Axis(this.svg, true), y: new Axis(this.svg, false)};
    this.lines = svg("g", {});
    this.whiskers = svg("g", {});
    this.ring = svg("circle", {class: "ring", r: 8, visibility: "hidden"});
    this.labels = {x: svg("text", {"text-anchor": "middle"}), y: svg("text", {"text-anchor": "middle"})};
    this.labels.x.textContent = x;
    this.labels.y.textContent = y;
    this.svg.append(this.lines, this.whiskers, this.ring, this.labels.x, this.labels.y);
    this.tip = element("div", {className: "tip", hidden: true});
    this.tip.setAttribute("role", "status");
    this.figure.append(element("h3", {textContent: title}), this.legend, element("div", {className: "plot"}, this.svg, this.tip), element("figcaption"));
    this.listen();
  }

  listen() {
    this.svg.addEventListener("pointermove", event => this.pick(this.nearest(event)));
    this.svg.addEventListener("pointerleave", () => this.pick(-1));
    this.svg.addEventListener("click", event => this.openPoint(this.nearest(event)));
    this.svg.addEventListener("keydown", event => {
      const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key];
      if (step) this.pick((this.picked + step + this.spots.length) % this.spots.length);
      if (event.key === "Enter") this.openPoint(this.picked);
      if (event.key === "Escape") this.pick(-1);
      if (step) event.preventDefault();
    });
  }

  openPoint(at) {
    const row = this.spots[at]?.row;
    if (row?.simulate) this.open(row);
  }

  /**
   * Draws the rows at a width; beside them `measured`, deployments that others measured, and
   * `alone`, the frontiers of AFD and of co-located pools by themselves. `both`: the rows are of both goals.
   */
  draw(rows, {measured, alone, both}, width) {
    const pointsIn = found => both ? ownOf(pointsOf(found, this.objective), this.objective) : pointsOf(found, this.objective);
    const points = pointsIn(rows);
    const apart = Object.fromEntries(Object.entries(alone).map(([part, found]) => [part, pointsIn(found)]));
    const most = BEYOND * Math.max(...points.map(({row}) => row.tpot_high_ms ?? row.tpot_ms));
    const whiskers = whiskersOf(measured, this.objective, most);
    this.figure.hidden = points.length === 0;  // without a price, say
    if (points.length === 0) return;
    const {x, y} = this.scales([...points, ...Object.values(apart).flat()], whiskers, width);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.axes.x.draw(x, [HEIGHT - MARGIN.bottom, MARGIN.top]);
    this.axes.y.draw(y, [MARGIN.left, width - MARGIN.right]);
    this.place(this.labels.x, (MARGIN.left + width - MARGIN.right) / 2, HEIGHT - 6);
    this.labels.y.setAttribute("transform", `translate(14,${(MARGIN.top + HEIGHT - MARGIN.bottom) / 2}) rotate(-90)`);
    this.drawSeries([...new Set(rows.map(seriesOf))], points, {x, y});
    this.drawAlone(apart, x, y);
    this.drawMeasured(whiskers, x, y);
    this.drawLegend(points, whiskers, Object.keys(apart));
    this.drawCaption({shown: whiskers.length, beyond: this.objective.log ? 0 : measured.length - whiskers.length, alone: Object.keys(apart)});
    const drawn = new Set(points.map(({row}) => row.simulate)), others = Object.values(apart).flat().filter(({row}) => !drawn.has(row.simulate));
    this.spots = [...[...points, ...others].map(point => ({row: point.row, at: [x(point.x), y(point.y)]})), ...whiskers.map(one => ({each: one.each, at: [x(one.x), y(one.y)]}))];
    this.spots.sort((a, b) => a.at[0] - b.at[0]);
    this.pick(-1);
  }

  place(text, x, y) {
    text.setAttribute("x", x);
    text.setAttribute("y", y);
  }

  scales(points, whiskers, width) {
    const spread = whiskers.flatMap(({low, high}) => low ? [low, high] : []);
    const xs = [...points.flatMap(({x, low, high}) => low === null ? [x] : [x, low, high]), ...whiskers.flatMap(({x, px}) => [x, px]), ...spread.map(({x}) => x)];
    const ys = [...points.map(({y}) => y), ...whiskers.flatMap(({y, py}) => [y, py]), ...spread.map(({y}) => y)];
    const across = scaleLinear([Math.min(...xs), Math.max(...xs)], [MARGIN.left, width - MARGIN.right]).nice();
    const up = [HEIGHT - MARGIN.bottom, MARGIN.top];
    const y = this.objective.log ? scaleLog([Math.min(...ys), Math.max(...ys)], up) : scaleLinear([0, Math.max(...ys)], up).nice();
    return {x: across, y};
  }

  drawSeries(names, points, {x, y}) {
    if (names.join() !== [...this.series.keys()].join()) {
      this.lines.replaceChildren();
      this.series = new Map(names.map((name, i) => [name, new Series(this.lines, PALETTE[i % PALETTE.length])]));
    }
    for (const [name, series] of this.series) series.draw(points.filter(point => point.series === name), x, y);
  }

  drawAlone(apart, x, y) {
    for (const [name, series] of this.series) {
      const own = Object.entries(apart).map(([part, points]) => [part, points.filter(point => point.series === name)]);
      series.drawAlone(Object.fromEntries(own), x, y);
    }
  }

  drawLegend(points, whiskers, alone) {
    const ways = Object.keys(WAYS).filter(way => points.some(({row}) => row.way === way));
    const kinds = Object.keys(MEASURED).filter(kind => whiskers.some(({each}) => each.kind === kind));
    const key = [...this.series.keys(), ...ways, ...kinds, ...alone].join();
    if (key === this.legend.dataset.key) return;
    this.legend.dataset.key = key;
    const models = [...this.series].map(([name, {group}]) => element("span", {}, element("i", {className: "swatch", style: group.getAttribute("style")}), name));
    const marks = ways.map(way => {
      const {outline, r, name} = WAYS[way], mark = svg("svg", {width: 14, height: 14, "aria-hidden": true});
      mark.append(svg("path", {class: `point ${way}`, d: outline(7, 7, r)}));
      return element("span", {}, mark, name);
    });
    const measured = kinds.map(kind => {
      const mark = svg("svg", {width: 14, height: 14, "aria-hidden": true});
      mark.append(svg("path", {class: "measured", d: MEASURED[kind](7, 7, 4.5)}));
      return element("span", {}, mark, `measured: ${KINDS[kind].name}`);
    });
    const apart = alone.map(part => {
      const mark = svg("svg", {width: 18, height: 14, "aria-hidden": true});
      mark.append(svg("path", {class: `line alone${part === "afd" ? "" : " dashed"}`, d: "M0,7H17"}));
      return element("span", {}, mark, ALONE[part]);
    });
    this.legend.replaceChildren(...models, ...marks, ...apart, ...measured);
  }

  /** Three paths a colour, however many points there are. */
  drawMeasured(whiskers, x, y) {
    const paths = new Map();
    for (const one of whiskers) {
      const color = this.colorOf(one.each.model), from = [x(one.x), y(one.y)];
      const drawn = paths.get(color) ?? {spread: "", whisker: "", measured: ""};
      if (one.low) drawn.spread += line([[x(one.low.x), y(one.low.y)], [x(one.high.x), y(one.high.y)]]);
      drawn.whisker += line([from, [x(one.px), y(one.py)]]);
      drawn.measured += MEASURED[one.each.kind](...from, 5);
      paths.set(color, drawn);
    }
    this.whiskers.replaceChildren(...[...paths].flatMap(([style, drawn]) => Object.entries(drawn).map(([name, d]) => svg("path", {class: name, style, d}))));
  }

  drawCaption({shown, beyond, alone}) {
    const texts = ["Bands: the 90 % interval of TPOT. Lines: AFD solid, co-located dashed."];
    if (alone.length > 0) texts.push("Thin: the frontier that AFD or co-located pools have by themselves.");
    if (shown > 0) texts.push("Measured marks: dots end at what is predicted for the same deployment, the wide pale line is its 90 % interval where the engine states one.");
    if (beyond > 0) texts.push(`${beyond} more measured at the same models, chips and contexts ${beyond === 1 ? "is" : "are"} slower than drawn here.`);
    this.figure.lastChild.textContent = texts.join(" ");
  }

  /** The colour of the model's first series. */
  colorOf(model) {
    return [...this.series].find(([name]) => name.startsWith(`${model} at `))?.[1].group.getAttribute("style") ?? "";
  }

  nearest({clientX, clientY}) {
    const box = this.svg.getBoundingClientRect(), x = clientX - box.left, y = clientY - box.top;
    let best = -1, least = 30 ** 2;
    this.spots.forEach(({at}, i) => {
      const distance = (at[0] - x) ** 2 + (at[1] - y) ** 2;
      if (distance < least) [best, least] = [i, distance];
    });
    return best;
  }

  pick(at) {
    if (at === this.picked && at < 0) return;
    this.picked = at;
    const spot = this.spots[at];
    this.ring.setAttribute("visibility", spot ? "visible" : "hidden");
    this.tip.hidden = !spot;
    if (!spot) return;
    this.ring.setAttribute("cx", spot.at[0]);
    this.ring.setAttribute("cy", spot.at[1]);
    this.tip.textContent = spot.row ? tipOf(spot.row) : tipOfMeasured(spot.each);
    const left = spot.at[0] < this.svg.clientWidth / 2;
    this.tip.style.cssText = `${left ? "left" : "right"}: ${left ? spot.at[0] + 14 : this.svg.clientWidth - spot.at[0] + 14}px; top: ${Math.min(spot.at[1], HEIGHT - 130)}px`;
  }
}

function tipOf(row) {
  const chips = row.ffn_hardware && row.ffn_hardware !== row.attention_hardware ? `${row.attention_hardware} + ${row.ffn_hardware}` : row.attention_hardware;
  const within = row.tpot_low_ms === null ? "" : ` (${short(row.tpot_low_ms)} to ${short(row.tpot_high_ms)})`;
  const usd = row.usd_per_mtok === null ? "" : `, ${short(row.usd_per_mtok)} USD/Mtok`;
  return `${seriesOf(row)}: ${row.deployment} on ${row.gpus} x ${chips}\nTPOT ${short(row.tpot_ms)} ms${within}\n${short(row.tokens_per_gpu_s)} tokens/s a GPU${usd}\nbatch ${row.batch} in ${row.micro_batches}, ${row.bound} binds`;
}

function tipOfMeasured(each) {
  return `Measured: ${each.name}\nTPOT ${short(each.tpot)} ms, ${short(each.tokens)} tokens/s a GPU; predicted ${short(each.predicted.tokens)} (${each.deviation > 0 ? "+" : ""}${each.deviation.toFixed(1)} %)\n${each.about}\n${each.source}`;
}

/** What draw() takes of each row. */
export const FRONTIER_KEYS = ["model", "context_tokens", "tpot_ms", "tokens_per_gpu_s", "usd_per_mtok", "deployment", "attention_hardware", "ffn_hardware", "gpus", "batch", "micro_batches", "bound", "way", "tpot_low_ms", "tpot_high_ms", "simulate"];
