// Deployments whose tokens a second others published, beside what is predicted for them.

import {ask} from "./engine.js";

const published = () => JSON.parse(document.getElementById("measured").textContent);

let compared = null;

async function comparison() {
  const {rows} = await ask(["validate"]);
  const byName = new Map(rows.map(row => [row.case, row]));
  return published().filter(({name}) => byName.has(name)).map(each => {
    const {predicted, deviation_pct} = byName.get(each.name);
    return {...each, predicted, deviation: deviation_pct};
  });
}

/** Those of the frontier's models on its chips, at half to twice one of its contexts. */
export async function measuredBeside(rows, chips) {
  compared ??= await comparison();
  const near = ({model, context}) => rows.some(row => row.model === model && context >= row.context_tokens / 2 && context <= row.context_tokens * 2);
  return compared.filter(each => near(each) && each.chips.every(chip => chips.includes(chip)));
}
