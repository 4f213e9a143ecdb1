// The operations of a deployment, drawn under the roofs of their chips.

import * as Plot from "@observablehq/plot";
import {figure} from "./charts.js";
import {PALETTE, short} from "./drawing.js";
import {label} from "./labels.js";

const POWERS = {G: 1e9, T: 1e12, P: 1e15};

/** "3.35 TB/s" as a number. */
function quantity(text) {
  const found = text?.match(/^([\d.]+) ([GTP])(B|FLOP)\/s/);
  return found ? Number(found[1]) * POWERS[found[2]] : null;
}

/** A chip's roofs as its data sheet has them, from what `show` says of it; null where one is missing. */
export function roofOf(chip, facts) {
  const value = what => quantity(facts.find(each => each.what === what)?.value);
  const memory = value("memory bandwidth");
  const formats = new Map();  // that share a peak
  for (const format of ["fp4", "fp8", "int8", "bf16"]) {
    const rate = value(`${format} peak, dense`);
    if (rate) formats.set(rate, [...(formats.get(rate) ?? []), format]);
  }
  const peaks = [...formats].map(([rate, names]) => ({format: names.join(", "), rate}));
  return memory && peaks.length > 0 ? {chip, memory, peaks} : null;
}

/** Those that compute with what they read from memory: intensity, rate, and on which chip. */
export function underRoofs(operations, row) {
  const ffn = row.ffn_hardware ?? row.attention_hardware;
  return operations.map(each => ({...each, bytes: each.weight_bytes + each.cache_bytes})).filter(({flop, bytes}) => flop > 0 && bytes > 0).map(each => ({
    ...each, chip: each.stage === "attention" ? row.attention_hardware : ffn,
    intensity: each.flop / each.bytes, rate: each.flop / each.time_us / 1e6}));
}

/** A roof of a chip from `least` to `most` FLOP/byte: along its memory, then along its peak; in TFLOP/s. */
const roofLines = ({chip, memory, peaks}, least, most) => peaks.flatMap(({format, rate}) => {
  const of = `${chip} ${format}`, ridge = rate / memory;
  return [{of, chip, x: least, y: least * memory / 1e12}, {of, chip, x: ridge, y: rate / 1e12}, {of, chip, x: Math.max(most, ridge), y: rate / 1e12}];
});

/** Operations under the roofs of their chips, each with its time. */
export function roofsAndTimes(roofs, operations, width) {
  const points = operations.map(each => ({...each, x: each.intensity, y: each.rate, text: `${each.operation} ${short(each.time_us)} µs`}));
  const ridges = roofs.flatMap(({memory, peaks}) => peaks.map(({rate}) => rate / memory));
  const least = Math.min(...points.map(({x}) => x), ...ridges) / 2, most = 2 * Math.max(...points.map(({x}) => x), ...ridges);
  const lines = roofs.flatMap(roof => roofLines(roof, least, most)), chips = roofs.map(({chip}) => chip);
  const chart = figure("Operations under the roofs of their chips, and their times", {
    height: 420,
    x: {type: "log", label: "FLOP a byte of weights and cache", domain: [least, most], tickFormat: "~g"},
    y: {type: "log", label: "TFLOP/s", tickFormat: "~g", domain: [Math.min(...points.map(({y}) => y)) / 1.5, 1.8 * Math.max(...lines.map(({y}) => y))]},
    color: {legend: true, domain: chips, range: PALETTE}, symbol: {legend: true},
    marks: [
      Plot.line(lines, {x: "x", y: "y", z: "of", stroke: "chip", strokeWidth: 1.5}),
      Plot.dot(points, {x: "x", y: "y", stroke: "chip", symbol: "stage", r: 5, strokeWidth: 2, fill: "var(--paper)"}),
      Plot.tip(points, Plot.pointer({x: "x", y: "y", title: each => `${each.stage}: ${each.operation} on ${each.chip}\n${short(each.time_us)} µs, ${each.bound} binds\n${short(each.x)} FLOP a byte, ${short(each.y)} TFLOP/s`})),
    ],
    caption: "Lines: memory bandwidth and peaks of the data sheet. Below them lie what a kernel reaches of its roof, its start, and waves of tiles that do not fill the chip.",
  }, width);
  const ends = roofs.flatMap(({chip, peaks}) => peaks.map(({format, rate}) => ({y: rate / 1e12, text: chips.length > 1 ? `${chip} ${format}` : format})));
  label(chart, points, {ends, lines});
  return chart;
}
