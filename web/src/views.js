// The views: a verb each, with what its answer is drawn as.

import {ask} from "./engine.js";
import * as charts from "./charts.js";
import {roofOf, roofsAndTimes, underRoofs} from "./roofs.js";
import {FRONTIER_KEYS, FrontierChart} from "./frontier.js";
import {measuredBeside} from "./measured.js";
import {rounded} from "./sliders.js";
import {having} from "./words.js";

/** In the order of the tabs. `start` is the question a newcomer sees. */
export const VIEWS = [
  {verb: "pareto", name: "Frontier", start: "pareto -m step-3,deepseek-v3,qwen3-moe --on h800,h20 -c 4k --max-gpus 32"},
  {verb: "simulate", name: "Deployment", start: "simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 3072 -c 4k"},
  {verb: "cost", name: "Cost", start: "cost -m step-3,deepseek-v3,qwen3-moe -c 4k..128k*2"},
  {verb: "compare", name: "Pairs", start: "compare -m step-3,deepseek-v3,qwen3-moe -c 8k,32k"},
  {verb: "roofline", name: "Roofline", start: "roofline -m step-3,deepseek-v3,qwen3-moe,qwen3-32b -c 8k"},
  {verb: "fit", name: "Memory", start: "fit -m step-3 --on h800,h20 -c 8k,32k"},
  {verb: "prefill", name: "Prompts", start: "prefill -m deepseek-v3 --colocated h800:1x8 -c 4k,16k"},
  {verb: "plan", name: "Capacity", start: "plan workload.yaml --max-gpus 32"},
  {verb: "show", name: "Library", start: "show step-3"},
];

/** Inputs of a deployment that the tornado moves: path, what `show` calls it, name. */
const INPUTS = [
  ["memory.bandwidth", /^memory bandwidth$/, "memory bandwidth"],
  ["server.nic_bandwidth", /^NIC, one direction$/, "NIC bandwidth"],
  ["scale_up.bandwidth", /^(?!NIC).*one direction$/, "scale-up bandwidth"],
  ["peak.fp8", /^fp8 peak/, "FP8 peak"],
  ["peak.bf16", /^bf16 peak/, "BF16 peak"],
  ["price", /^price$/, "price"],
];

function chipsOf({values}) {
  const pools = [values.attention, values.ffn, values.colocated].filter(Boolean);
  return [...new Set(pools.map(pool => pool.replace(/:[^:]*$/, "")))];
}

/** "3.35 TB/s" a fifth lower or higher. */
function scaled(value, by) {
  const found = value.match(/^([\d.]+) (\S+)/);
  return found && `${Number((Number(found[1]) * by).toPrecision(6))} ${found[2]}`;
}

const factsOf = async chip => (await ask({verb: "show", values: {name: chip}})).rows;

/** What a chip's file says, as questions that have each of it `by` so much more. */
async function inputsOf(chip, question) {
  const facts = await factsOf(chip);
  return INPUTS.flatMap(([path, what, name]) => {
    const fact = facts.find(each => what.test(each.what));
    const known = fact && /^[\d.]+ \S+/.test(fact.value);
    return known ? [{name: `${chip} ${name}`, asked: by => having(question, {set: [...(question.values.set ?? []), `${chip}.${path}=${scaled(fact.value, by)}`]})}] : [];
  });
}

/** The same of what is served: tokens of context, requests in flight. */
function loadOf(question, row) {
  const {values} = question, put = (name, value) => having(question, {[name]: String(value)});
  const inputs = [{name: "context", asked: by => put("context", Math.round(row.context_tokens * by))}];
  for (const name of ["batch", "batch-per-gpu"])
    if (name in values) inputs.push({name, asked: by => put(name, rounded(name, Math.round(Number(values[name]) * by), values))});
  return inputs;
}

/** The tornado's bars for USD (TPOT where nothing has a price); null once a newer question waits. */
async function sensitivity(question, row, stale) {
  const key = row.usd_per_mtok === null ? "tpot_ms" : "usd_per_mtok", effects = [], inputs = loadOf(question, row);
  for (const chip of chipsOf(question)) inputs.push(...await inputsOf(chip, question));
  for (const {name, asked} of inputs) {
    const ends = [];
    for (const by of [0.8, 1.2]) {
      if (stale()) return null;
      const answer = await ask(asked(by));
      ends.push(answer.rows[0]?.[key] ?? null);
    }
    const span = Math.max(...ends.map(end => end === null ? 0 : Math.abs(end - row[key])));
    if (span > 1e-3 * row[key]) effects.push({name, low: ends[0], high: ends[1], span});
  }
  return {effects, base: row[key], label: key === "tpot_ms" ? "TPOT, ms" : "USD per 1M tokens"};
}

/** One deployment: pipeline, operations, memory, and what moves its cost. */
async function deployment(rows, {question, width, stale, show}) {
  if (rows.length !== 1) return;
  const pools = "attention" in question.values;
  const told = await ask(having(question, {explain: true, timeline: false}));
  const events = pools && (await ask(having(question, {explain: false, timeline: true}))).details?.events;
  if (stale()) return;
  if (events?.length) show.chart(charts.timeline(events, width));
  const operations = told.details?.operations ?? [];
  if (operations.length > 0) show.chart(charts.operations(operations, width));
  if (told.text) show.text(told.text);
  const parts = await ask(memoryOf(question));
  if (parts.answered && !stale()) show.chart(charts.memory(parts.rows, width));
  const found = await sensitivity(question, rows[0], stale);
  if (found?.effects.length) show.chart(charts.tornado(found.effects, found.base, found.label, width));
  if (stale()) return;
  const roofs = await roofsOf(question), under = underRoofs(operations, rows[0]);
  if (roofs.length > 0 && under.length > 0 && !stale()) show.chart(roofsAndTimes(roofs, under, width));
}

/** The roofs of the deployment's chips. */
async function roofsOf(question) {
  const roofs = [];
  for (const chip of chipsOf(question)) roofs.push(roofOf(chip, await factsOf(chip)));
  return roofs.filter(Boolean);
}

/** The question of `fit` about the same deployment. */
function memoryOf({values}) {
  const names = ["model", "context", "attention", "ffn", "colocated", "parallelism", "ffn-parallelism", "attention-parallelism", "kv-dtype", "weight-dtype", "memory-fraction", "engine"];
  return {verb: "fit", values: Object.fromEntries(names.filter(name => name in values).map(name => [name, values[name]]))};
}

/** Flags of AFD pools, which a question about co-located ones alone does without. */
const OF_POOLS = ["instance-sizes", "micro-batches", "stages", "attention-parallelism", "ffn-parallelism", "split", "place"];

/**
 * The frontiers of AFD and of co-located pools by themselves, each where something of the other is
 * on that of both; null once a newer question waits.
 */
async function aloneOf(rows, {question, stale}) {
  const alone = {};
  if ("ways" in question.values || rows.length === 0) return alone;
  const afd = rows.filter(row => row.way === "afd").length;
  for (const [part, ways, wanted] of [["colocated", "ep,tp", afd > 0], ["afd", "afd", afd < rows.length]]) {
    if (!wanted) continue;
    if (stale()) return null;
    const without = part === "colocated" ? Object.fromEntries(OF_POOLS.map(name => [name, ""])) : {};
    const answer = await ask(having(question, {...without, ways}), FRONTIER_KEYS);
    if (answer.rows.length > 0) alone[part] = answer.rows;
  }
  return alone;
}

/** Draws while a slider moves, in the few milliseconds of a frame; what it takes of the rows. */
export class FrontierView {
  constructor() {
    this.charts = new Map();
    this.keys = FRONTIER_KEYS;
    this.beside = {measured: [], alone: {}};
  }

  draw(rows, context) {
    this.beside = {...this.beside, alone: {}};
    this.paint(rows, context);
  }

  paint(rows, {question, width, show, open}) {
    const objective = question.values.objective ?? "tokens";
    const wanted = objective === "both" ? ["tokens", "usd"] : [objective];
    for (const [name, chart] of this.charts) {
      if (wanted.includes(name) && rows.length > 0 && chart.figure.isConnected) continue;
      chart.figure.remove();
      this.charts.delete(name);
    }
    if (rows.length === 0) return;
    for (const name of wanted) {
      if (!this.charts.has(name)) {
        this.charts.set(name, new FrontierChart(name, row => open(row.simulate)));
        show.chart(this.charts.get(name).figure);
      }
      this.charts.get(name).draw(rows, {...this.beside, both: wanted.length > 1}, width);
    }
  }

  /** What takes longer, once nothing moves. */
  async settle(rows, context) {
    const chips = (context.question.values.on ?? context.initial("on")).split(",");
    const alone = await aloneOf(rows, context);
    if (!alone || context.stale()) return;
    this.beside = {...this.beside, alone};
    this.paint(rows, context);
    const measured = await measuredBeside(rows, chips, context.stale);
    if (!measured || context.stale()) return;
    this.beside = {measured, alone};
    this.paint(rows, context);
  }
}

/**
 * Draws the answer of any other verb: `show.chart` and `show.text` take what comes, `stale` says
 * that a newer question waits.
 */
export async function draw(rows, context) {
  const {question: {verb}, width, show} = context;
  if (rows.length === 0) return;
  if (verb === "simulate") await deployment(rows, context);
  if (verb === "cost" || verb === "compare") charts.costFigures(rows, width).forEach(show.chart);
  const bill = verb === "plan" && charts.bills(rows, width);
  if (bill) show.chart(bill);
  if (verb === "roofline") [charts.roofline, charts.idealTimes].forEach(chart => show.chart(chart(rows, width)));
  if (verb === "fit") show.chart(charts.memory(rows, width));
  if (verb === "prefill") show.chart(charts.prompts(rows, width));
}
