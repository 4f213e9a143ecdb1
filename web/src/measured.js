// Deployments that somebody measured, beside what is predicted for each: published cases, served
// points and pipelines of afford-calibrate.

import {ask} from "./engine.js";

const published = () => JSON.parse(document.getElementById("measured").textContent);
const tpotOf = (requests, tokens) => 1000 * requests / tokens;

/** What `kind`s are, and the questions their tables answer. */
export const KINDS = {
  published: {name: "published", question: {verb: "validate", values: {}}, of: fromCases},
  served: {name: "served (InferenceX)", question: {verb: "validate", values: {served: "shipped"}}, of: fromServed},
  pipeline: {name: "pipeline of one server", question: {verb: "validate", values: {afd: "shipped"}}, of: fromPipelines},
};

function fromCases(rows) {
  const byName = new Map(rows.map(row => [row.case, row]));
  return published().filter(({name}) => byName.has(name)).map(each => {
    const {predicted} = byName.get(each.name), {tokens, requests_per_gpu: requests} = each;
    return {...each, tpot: tpotOf(requests, tokens), predicted: {tpot: tpotOf(requests, predicted), tokens: predicted}};
  });
}

function fromServed(rows) {
  return rows.filter(row => row.library_model).map(row => {
    const {measured_tpot_ms: tpot, tokens_per_gpu_s: tokens, predicted_tpot_ms: predicted} = row;
    return {
      name: `${row.model} under ${row.engine} ${row.engine_version ?? ""}`, model: row.library_model, chips: [row.chip], context: row.context_tokens,
      tpot, tokens, predicted: {tpot: predicted, tokens: tokens * tpot / predicted, low: row.low_ms, high: row.high_ms},
      about: `${row.requests} requests on ${row.gpus} ${row.gpus === 1 ? "GPU" : "GPUs"}, ${row.mode === "mixed" ? "which work on prompts, too" : "which decode alone"}`,
      source: `${row.source} (${row.date})`};
  });
}

function fromPipelines(rows) {
  return rows.filter(row => row.tokens_per_gpu_s !== null).map(row => ({
    name: `${row.layout}, ${row.micro_batches} micro-batches of ${row.requests} requests`, model: row.model, chips: [row.chip], context: row.context,
    tpot: row.tpot_ms, tokens: row.tokens_per_gpu_s, predicted: {tpot: row.predicted_tpot_ms, tokens: row.predicted_tokens_per_gpu_s},
    about: `a layer over ${row.gpus} GPUs of one server, times the model's layers; no LM head`, source: `afford-calibrate afd (${row.date})`}));
}

const compared = new Map();

async function comparison(kind) {
  if (!compared.has(kind)) {
    const {question, of} = KINDS[kind], {rows} = await ask(question);
    compared.set(kind, of(rows).map(each => ({...each, kind, deviation: 100 * (each.predicted.tokens / each.tokens - 1)})));
  }
  return compared.get(kind);
}

/**
 * Those of the frontier's models on its chips, at half to twice one of its contexts; null once a
 * newer question waits.
 */
export async function measuredBeside(rows, chips, stale) {
  const found = [];
  for (const kind of Object.keys(KINDS)) {
    if (stale()) return null;
    found.push(...await comparison(kind));
  }
  const near = ({model, context}) => rows.some(row => row.model === model && context >= row.context_tokens / 2 && context <= row.context_tokens * 2);
  return found.filter(each => near(each) && each.chips.every(chip => chips.includes(chip)));
}
