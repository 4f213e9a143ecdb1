// The form of a verb, made of what the verb takes.

import {element} from "./drawing.js";
import {isFlag, nameOf} from "./words.js";
import {sliderFor} from "./sliders.js";

// What cuts a search into parts has no place in a page, and what the views show anyway no field.
const LEFT_OUT = new Set(["format", "all", "shard", "threads", "explain", "timeline", "chart"]);
const FIRST = {
  pareto: ["model", "on", "context", "tpot", "max-gpus", "objective", "ways", "engine", "price", "kv-dtype", "nic-bandwidth"],
  simulate: ["model", "context", "attention", "ffn", "colocated", "batch", "micro-batches", "engine", "price", "nic-bandwidth", "scale-up-bandwidth"],
  fit: ["model", "on", "context", "requests", "attention", "ffn", "colocated", "memory-fraction"],
  prefill: ["model", "context", "attention", "ffn", "colocated", "engine", "price"],
  plan: ["workload", "max-gpus", "ways", "price"],
};
const COMMON = ["name", "kind", "model", "on", "context", "price", "tpot", "kv-dtype", "weight-dtype", "convention"];
const LISTS = {model: "models", on: "chips", engine: "engines"};

function field(parameter, value, values) {
  const name = nameOf(parameter), id = `field-${name}`;
  const help = element("small", {id: `${id}-help`, textContent: parameter.help});
  const initial = parameter.initial.replace(/^\[|\]$/g, "");
  const input = element("input", {id, name, autocomplete: "off", spellcheck: false});
  input.setAttribute("aria-describedby", help.id);
  if (parameter.takes === "nothing") {
    Object.assign(input, {type: "checkbox", checked: value === true});
    return element("div", {className: "field check"}, input, element("label", {htmlFor: id, textContent: name}), help);
  }
  input.value = Array.isArray(value) ? value.join("; ") : value ?? "";
  input.placeholder = initial;
  if (LISTS[name]) input.setAttribute("list", LISTS[name]);
  const made = element("div", {className: "field"}, element("label", {htmlFor: id, textContent: name}), input, help);
  const slider = sliderFor(name, input, initial, values);
  if (slider) {
    help.before(slider);
    input.addEventListener("change", slider.place);
  }
  return made;
}

/** Fills `form` with what a verb takes and is given; `changed` hears of a field's other value, by name. */
export function showForm(form, verb, question, changed) {
  const shown = verb.parameters.filter(parameter => !parameter.written && !LEFT_OUT.has(nameOf(parameter)));
  const first = FIRST[verb.name] ?? COMMON, values = {...question.values};
  const made = parameter => field(parameter, values[nameOf(parameter)], () => values);
  const rank = parameter => first.indexOf(nameOf(parameter));
  const main = shown.filter(parameter => rank(parameter) >= 0).sort((a, b) => rank(a) - rank(b));
  const more = shown.filter(parameter => rank(parameter) < 0);
  const details = element("details", {open: more.some(each => nameOf(each) in values)},
    element("summary", {textContent: `All other flags (${more.length})`}), ...more.map(made));
  form.replaceChildren(...main.map(made), ...(more.length ? [details] : []));
  const byName = new Map(shown.map(parameter => [nameOf(parameter), parameter]));
  form.oninput = ({target}) => {
    const parameter = byName.get(target.name);
    if (!parameter) return;
    const text = target.value.trim(), several = parameter.takes === "repeated" && isFlag(parameter);
    values[target.name] = parameter.takes === "nothing" ? target.checked : several ? text.split(/\s*;\s*/).filter(Boolean) : text;
    changed(values);
  };
}
