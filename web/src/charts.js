// The charts that are drawn once an answer is there. Answers come as rows, objects by column key.

import * as Plot from "@observablehq/plot";
import {PALETTE, short} from "./drawing.js";
import {label} from "./labels.js";

const style = {background: "none", color: "currentColor", fontFamily: "system-ui, sans-serif", fontSize: "13px", overflow: "visible"};

const ruler = document.createElement("canvas").getContext("2d");

/** Room for the longest of the labels beside a chart. */
function roomFor(labels) {
  ruler.font = `${style.fontSize} ${style.fontFamily}`;
  return 20 + Math.max(...labels.map(label => ruler.measureText(label).width));
}

export function figure(title, {x, y, ...options}, width) {
  const chart = Plot.plot({
    width: Math.max(320, Math.min(width, 1000)), style, figure: true, title, marginLeft: 64, marginRight: 24, marginBottom: 48, grid: true,
    x: {labelAnchor: "center", labelOffset: 40, labelArrow: "none", ...x}, y: {labelAnchor: "center", labelArrow: "none", ...y}, ...options,
  });
  chart.querySelector("h2")?.replaceWith(Object.assign(document.createElement("h3"), {textContent: title}));
  chart.setAttribute("role", "group");
  chart.setAttribute("aria-label", title);
  for (const svg of chart.querySelectorAll("svg")) svg.setAttribute("aria-hidden", "true");  // the table says it
  return chart;
}

const NARROW = 560;  // pixels, below which names stand above their bars

/**
 * Names of rows of bars: at the left where there is room, else above each bar. What it gives goes
 * into the figure (`frame`, `y`), into each bar (`inset`) and text (`dy`), and among the marks.
 */
function namesOf(names, width, row) {
  const domain = [...new Set(names)], above = width < NARROW, lift = above ? 16 : 0, step = row + lift;
  const frame = {height: step * domain.length + 60, marginTop: 12, marginLeft: above ? 18 : roomFor(domain)};
  const y = {label: null, domain, padding: 0.1, ...above ? {axis: null} : {}};
  const text = {y: each => each, text: each => each, frameAnchor: "left", textAnchor: "start", lineAnchor: "middle", dx: 2, dy: lift / 2 - 0.45 * step};
  return {frame, y, inset: {insetTop: lift}, dy: lift / 2, marks: above ? [Plot.text(domain, text)] : []};
}

const kilo = tokens => tokens % 1024 ? short(tokens) : `${tokens / 1024}K`;

const uses = (rows, key) => new Set(rows.map(row => row[key])).size;

/** A model's cheapest chip at each context: the total over the context. */
export function costOverContext(rows, width) {
  const cheapest = new Map();
  for (const row of rows.filter(each => each.total_usd_per_mtok !== null)) {
    const key = `${row.model} ${row.context_tokens}`, before = cheapest.get(key);
    if (!before || row.total_usd_per_mtok < before.total_usd_per_mtok) cheapest.set(key, row);
  }
  const points = [...cheapest.values()].sort((a, b) => a.context_tokens - b.context_tokens), at = {x: "context_tokens", y: "total_usd_per_mtok"};
  const contexts = [...new Set(points.map(row => row.context_tokens))];
  return figure("Ideal cost over the context, on each model's cheapest chip", {
    height: 400,
    x: {type: "log", base: 2, label: "context, tokens", ticks: contexts, tickFormat: kilo},
    y: {type: "log", label: "USD per 1M tokens", nice: true, tickFormat: "~g"},
    color: {legend: true, range: PALETTE, domain: [...new Set(rows.map(row => row.model))]}, symbol: {legend: true},
    marks: [
      Plot.line(points, {...at, stroke: "model"}),
      Plot.dot(points, {...at, stroke: "model", symbol: "hardware", r: 4.5, strokeWidth: 1.6}),
      Plot.tip(points, Plot.pointer({...at, title: row => `${row.model} on ${row.hardware} at ${kilo(row.context_tokens)}\n${short(row.total_usd_per_mtok)} USD/Mtok`})),
    ],
  }, width);
}

/** The figures of ideal costs: over the context where there are more than two, else by module. */
export const costFigures = (rows, width) =>
  uses(rows, "context_tokens") > 2 && rows[0].hardware
    ? [costOverContext(rows, width), costs(rows.filter(row => row.context_tokens === rows[0].context_tokens), width)]
    : [costs(rows, width)];

/** Attention and FFN of each chip or pair, stacked. */
function costs(rows, width) {
  const of = row => row.hardware ?? (row.ffn_hardware && `${row.attention_hardware}+${row.ffn_hardware}`);
  const bars = rows.flatMap(row => ["attention", "FFN"].map(part => (
    {model: row.model, context: row.context_tokens, chip: of(row), part, usd: row[`${part.toLowerCase()}_usd_per_mtok`]})))
    .filter(bar => bar.usd !== null && bar.usd !== undefined);
  const several = new Set(bars.map(bar => bar.context)).size > 1;
  const pairs = !rows[0].hardware, ends = pairs ? rows.filter(row => row.afd_usd_per_mtok !== null) : [];
  const name = bar => pairs ? kilo(bar.context) : several ? `${bar.chip}, ${kilo(bar.context)}` : bar.chip;
  return figure(`Ideal cost of a token${several ? "" : ` at ${kilo(bars[0].context)}`}: attention and FFN`, {
    height: 60 + 22 * new Set(bars.map(bar => `${bar.model} ${name(bar)}`)).size + 30 * new Set(bars.map(bar => bar.model)).size,
    marginLeft: roomFor(bars.map(name)), marginRight: roomFor(bars.map(bar => bar.model)),
    x: {label: "USD per 1M tokens", insetRight: ends.length > 0 ? 80 : 0}, y: {label: null}, fy: {label: null, domain: [...new Set(bars.map(bar => bar.model))]},
    color: {legend: true, domain: ["attention", "FFN"], range: PALETTE},
    marks: [
      Plot.barX(bars, {x: "usd", y: name, fy: "model", fill: "part", sort: {y: null}}),
      Plot.text(ends, {x: "afd_usd_per_mtok", y: row => kilo(row.context_tokens), fy: "model", text: of, textAnchor: "start", dx: 6}),
      Plot.tip(bars, Plot.pointerY({x: "usd", y: name, fy: "model", title: bar => `${bar.model} on ${bar.chip}, ${kilo(bar.context)}\n${bar.part}: ${short(bar.usd)} USD/Mtok`})),
      Plot.ruleX([0]),
    ],
  }, width);
}

/** What each plan costs a month. */
export function bills(rows, width) {
  const plans = rows.filter(row => row.monthly_usd !== null);
  const parts = plans.flatMap(row => [
    {plan: row.plan, part: "decoding", usd: row.monthly_usd - (row.prompt_monthly_usd ?? 0)},
    {plan: row.plan, part: "prompts", usd: row.prompt_monthly_usd ?? 0}]);
  if (plans.length === 0) return null;
  const names = namesOf(plans.map(row => row.plan), width, 30);
  return figure("The bill of a month", {
    ...names.frame,
    x: {label: "USD a month", insetRight: 180}, y: names.y,
    color: {legend: true, domain: ["decoding", "prompts"], range: PALETTE},
    marks: [
      Plot.barX(parts, {x: "usd", y: "plan", fill: "part", ...names.inset}),
      Plot.text(plans, {x: "monthly_usd", y: "plan", text: row => `${Math.round(row.monthly_usd).toLocaleString("en-US")} USD, ${row.gpus} GPUs`, textAnchor: "start", dx: 6, dy: names.dy}),
      ...names.marks,
      Plot.ruleX([0]),
    ],
  }, width);
}

const micros = us => `${short(us)} µs`;

/** Of rows that share a mark, mostly the contexts of a model on a chip, the one of the least context. */
const leastContexts = rows => {
  const least = new Map();
  for (const row of rows) {
    const mark = JSON.stringify([row.model, row.hardware, row.attention_intensity_flop_per_byte, row.ridge_flop_per_byte]);
    if (!least.has(mark) || row.context_tokens < least.get(mark).context_tokens) least.set(mark, row);
  }
  return [...least.values()];
};

/** Where attention's intensity lies beside each chip's ridge, and what core attention of a token takes there. */
export function roofline(rows, width) {
  const points = rows.filter(row => row.attention_intensity_flop_per_byte !== null && row.ridge_flop_per_byte !== null);
  const ends = points.flatMap(row => [row.attention_intensity_flop_per_byte, row.ridge_flop_per_byte]);
  const line = [Math.min(...ends), Math.max(...ends)];
  const chart = figure("Attention's arithmetic intensity beside the chips' ridges", {
    height: 420,
    x: {type: "log", label: "intensity of core attention, FLOP/byte", nice: true},
    y: {type: "log", label: "ridge of the chip, FLOP/byte", nice: true},
    color: {legend: true, range: PALETTE, domain: [...new Set(rows.map(row => row.model))]}, symbol: {legend: true, domain: [...new Set(rows.map(row => row.hardware))]},
    marks: [
      Plot.line(line.map(value => [value, value]), {stroke: "currentColor", strokeDasharray: "4 3"}),
      Plot.dot(points, {x: "attention_intensity_flop_per_byte", y: "ridge_flop_per_byte", stroke: "model", symbol: "hardware", r: 5, strokeWidth: 1.6}),
      Plot.tip(points, Plot.pointer({x: "attention_intensity_flop_per_byte", y: "ridge_flop_per_byte", title: row => `${row.model} on ${row.hardware}, ${kilo(row.context_tokens)}\n${short(row.attention_intensity_flop_per_byte)} FLOP/byte of ${short(row.ridge_flop_per_byte)}\n${micros(row.core_us_per_token)} a token, ${row.bound} binds`})),
    ],
    caption: "Above the dashed line memory binds, below it compute. Beside a mark: what core attention of one token takes at that roof, at the least context.",
  }, width);
  const marked = leastContexts(points).map(row => ({x: row.attention_intensity_flop_per_byte, y: row.ridge_flop_per_byte, us: row.core_us_per_token, text: micros(row.core_us_per_token)}));
  label(chart, marked, {lines: line.map(value => ({of: "ridge", x: value, y: value}))});
  return chart;
}

/** What a token takes of a chip, every part at its roof. */
export function idealTimes(rows, width) {
  const parts = {"core attention": "core_us_per_token", projections: "linear_us_per_token", FFN: "ffn_us_per_token"};
  const several = uses(rows, "context_tokens") > 1, total = row => Object.values(parts).reduce((sum, key) => sum + row[key], 0);
  const name = row => `${row.model} on ${row.hardware}${several ? `, ${kilo(row.context_tokens)}` : ""}`;
  const bars = rows.flatMap(row => Object.entries(parts).map(([part, key]) => ({name: name(row), part, us: row[key]})));
  const names = namesOf(rows.map(name), width, 24);
  return figure(`Time of a token${several ? "" : ` at ${kilo(rows[0].context_tokens)}`}, every part at its roof`, {
    ...names.frame,
    x: {label: "µs of one accelerator", insetRight: 80}, y: names.y,
    color: {legend: true, domain: Object.keys(parts), range: PALETTE},
    marks: [
      Plot.barX(bars, {x: "us", y: "name", fill: "part", ...names.inset}),
      Plot.text(rows, {x: total, y: name, text: row => micros(total(row)), textAnchor: "start", dx: 6, dy: names.dy}),
      Plot.tip(bars, Plot.pointerY({x: "us", y: "name", title: bar => `${bar.name}\n${bar.part}: ${micros(bar.us)}`})),
      ...names.marks,
      Plot.ruleX([0]),
    ],
    caption: "Batches large enough that weights cost nothing, communication hidden (Step-3 report, Section 4).",
  }, width);
}

/** What fills the memory of an accelerator of each pool. */
export function memory(rows, width) {
  const parts = {weights: "weights_gb", cache: "cache_gb", buffers: "buffers_gb", "kept back": "kept_back_gb"};
  const name = row => `${row.model} ${row.pool}${row.part ? ` ${row.part}` : ""}, ${kilo(row.context_tokens)}`;
  const bars = rows.flatMap(row => Object.entries(parts).map(([part, key]) => ({name: name(row), part, gb: row[key]})));
  const names = namesOf(rows.map(name), width, 26);
  return figure("Memory of the fullest accelerator", {
    ...names.frame,
    x: {label: "GB"}, y: names.y,
    color: {legend: true, domain: Object.keys(parts), range: PALETTE},
    marks: [
      Plot.barX(bars, {x: "gb", y: "name", fill: "part", ...names.inset}),
      Plot.tickX(rows, {x: "memory_gb", y: name, stroke: "currentColor", strokeWidth: 2, ...names.inset}),
      Plot.tip(bars, Plot.pointerY({x: "gb", y: "name", title: bar => `${bar.name}\n${bar.part}: ${short(bar.gb)} GB`})),
      ...names.marks,
      Plot.ruleX([0]),
    ],
    caption: "The tick is the accelerator's memory.",
  }, width);
}

/** Where the time of prompts goes. */
export function prompts(rows, width) {
  const parts = {products: "products_ms", attention: "attention_ms", "all-reduce": "all_reduce_ms", passes: "passes_ms", launches: "launches_ms"};
  const name = row => `${row.model} on ${row.pool}, ${kilo(row.prompt_tokens)}${row.cached_tokens > 0 ? ` of it ${kilo(row.cached_tokens)} cached` : ""}`;
  const bars = rows.flatMap(row => Object.entries(parts).map(([part, key]) => ({name: name(row), part, ms: row[key]})));
  const names = namesOf(rows.map(name), width, 30);
  return figure("Time of a prompt, by what it goes into", {
    ...names.frame,
    x: {label: "ms", insetRight: 90}, y: names.y,
    color: {legend: true, domain: Object.keys(parts), range: PALETTE},
    marks: [
      Plot.barX(bars, {x: "ms", y: "name", fill: "part", ...names.inset}),
      Plot.text(rows, {x: "prompt_ms", y: name, text: row => `${short(row.prompt_ms)} ms`, textAnchor: "start", dx: 6, dy: names.dy}),
      Plot.tip(bars, Plot.pointerY({x: "ms", y: "name", title: bar => `${bar.name}\n${bar.part}: ${short(bar.ms)} ms`})),
      ...names.marks,
      Plot.ruleX([0]),
    ],
  }, width);
}

/** The operations of a layer by time, as operationsOf() reads them. */
export function operations(operations, width) {
  const name = each => `${each.stage}: ${each.operation}`;
  const names = namesOf(operations.map(name), width, 20);
  return figure("Operations of one layer by time, and what binds each", {
    ...names.frame,
    x: {label: "µs", insetRight: 80}, y: names.y,
    color: {legend: true, range: PALETTE},
    marks: [
      Plot.barX(operations, {x: "time_us", y: name, fill: "bound", fillOpacity: each => each.hidden === "yes" ? 0.35 : 1, ...names.inset}),
      Plot.text(operations, {x: "time_us", y: name, text: each => `${Number(each.time_us.toFixed(1))}${each.hidden === "yes" ? " hidden" : ""}`, textAnchor: "start", dx: 4, dy: names.dy}),
      ...names.marks,
      Plot.ruleX([0]),
    ],
    caption: "Pale: hidden behind other work.",
  }, width);
}

/** Three layers of the middle of the pipeline's last step, from the events of its trace. */
export function timeline(events, width) {
  const stages = ["attention", "A->F", "FFN", "F->A"], layers = Math.max(...events.map(({layer}) => layer)) + 1;
  const first = Math.max(0, Math.floor(layers / 2) - 1);
  const attention = events.filter(({stage, layer}) => stage === stages[0] && layer >= first && layer < first + 3);
  const begin = Math.min(...attention.map(each => each.start_us)), end = Math.max(...attention.map(each => each.end_us));
  const runs = events.filter(each => each.start_us < end && each.end_us > begin).map(({stage, micro_batch: batch, layer, start_us: from, end_us: to}) => ({
    stage, layer, batch: String(batch + 1), us: to - from, from: Math.max(from, begin) - begin, to: Math.min(to, end) - begin}));
  const wide = run => (run.to - run.from) / (end - begin) * Math.min(width, 1000) > 18;  // enough for a digit
  return figure(`Pipeline while attention works on layers ${first} to ${Math.min(first + 2, layers - 1)}`, {
    height: 80 + 38 * stages.length, marginLeft: roomFor(stages), grid: false,
    x: {label: "µs"}, y: {label: null, domain: stages},
    color: {legend: true, label: "micro-batch", range: PALETTE},
    marks: [
      Plot.barX(runs, {x1: "from", x2: "to", y: "stage", fill: "batch", insetRight: 0.5}),
      Plot.text(runs.filter(wide), {x: run => (run.from + run.to) / 2, y: "stage", text: "batch", fill: "var(--paper)", fontWeight: 600}),
      Plot.tip(runs, Plot.pointerX({x: run => (run.from + run.to) / 2, y: "stage", title: run => `micro-batch ${run.batch}, layer ${run.layer}\n${run.stage} ${short(run.us)} µs`})),
    ],
    caption: "Colours and digits are micro-batches; gaps are idle time.",
  }, width);
}

/** How far the answer moves where each input is a fifth lower and higher. */
export function tornado(effects, base, label, width) {
  const bars = effects.flatMap(({name, low, high}) => [{name, change: "-20 %", value: low}, {name, change: "+20 %", value: high}])
    .filter(bar => bar.value !== null);
  const order = [...effects].sort((a, b) => b.span - a.span).map(effect => effect.name);
  const names = namesOf(order, width, 28);
  return figure(`What moves ${label}: each input a fifth lower and higher`, {
    ...names.frame,
    x: {label, nice: true}, y: names.y,
    color: {legend: true, domain: ["-20 %", "+20 %"], range: PALETTE},
    marks: [
      Plot.barX(bars, {x1: base, x2: "value", y: "name", fill: "change", fillOpacity: 0.85, mixBlendMode: "normal", ...names.inset}),
      Plot.ruleX([base], {strokeDasharray: "4 3"}),
      Plot.tip(bars, Plot.pointerY({x: "value", y: "name", title: bar => `${bar.name} ${bar.change}: ${short(bar.value)} ${label}`})),
      ...names.marks,
    ],
  }, width);
}
