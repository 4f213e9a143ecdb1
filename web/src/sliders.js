// Sliders beside the text fields: each reads the field's text as a number and writes it back.

const tokens = text => /^[\d.]+k$/i.test(text) ? parseFloat(text) * 1024 : /^[\d.]+m$/i.test(text) ? parseFloat(text) * 1048576 : Number(text || NaN);
const plain = {read: text => Number(text || NaN), write: value => String(value)};
const whole = {...plain, step: 1};

const pool = {
  min: 1, max: 32, step: 1,
  read: text => Number(text.match(/^.+:(\d+)x\d+$/)?.[1] ?? NaN),
  write: (value, text) => text.replace(/:\d+x/, `:${value}x`),
  unit: "instances",
};

/** By the name of the parameter. `log` sliders go by the power of two. */
const SLIDERS = {
  context: {min: 10, max: 20, step: 0.25, log: true, read: tokens, write: value => String(Math.round(value / 64) * 64), unit: "tokens"},
  batch: {min: 0, max: 15, step: 0.125, log: true, read: plain.read, write: value => String(Math.round(value)), unit: "requests"},
  requests: {min: 0, max: 15, step: 0.125, log: true, read: plain.read, write: value => String(Math.round(value)), unit: "requests"},
  "batch-per-gpu": {min: 0, max: 11, step: 0.25, log: true, read: plain.read, write: value => String(Math.round(value)), unit: "requests"},
  tpot: {min: 5, max: 200, step: 1, read: text => Number(text.match(/^([\d.]+)ms$/)?.[1] ?? NaN), write: value => `${value}ms`},
  "max-gpus": {min: 8, max: 64, step: 8, ...{read: plain.read, write: plain.write}},
  mtp: {min: 0, max: 5, ...whole},
  acceptance: {min: 0.05, max: 1, step: 0.05, ...{read: plain.read, write: plain.write}},
  "memory-fraction": {min: 0.5, max: 0.98, step: 0.01, ...{read: plain.read, write: plain.write}},
  "redundant-experts": {min: 0, max: 64, ...whole},
  jitter: {min: 0, max: 0.5, step: 0.01, ...{read: plain.read, write: plain.write}},
  pue: {min: 1, max: 2, step: 0.05, ...{read: plain.read, write: plain.write}},
  "nic-bandwidth": {min: 25, max: 1600, step: 25, read: text => Number(text.match(/^([\d.]+) ?Gbit\/s$/)?.[1] ?? NaN), write: value => `${value}Gbit/s`},
  "scale-up-bandwidth": {min: 25, max: 1800, step: 25, read: text => Number(text.match(/^([\d.]+) ?GB\/s$/)?.[1] ?? NaN), write: value => `${value}GB/s`},
  attention: pool,
  ffn: pool,
  colocated: pool,
};

/** One model's batch divides into its micro-batches, as the engine asks for. */
export function rounded(name, value, values) {
  if (name !== "batch" || values.colocated) return value;
  const parts = Number(values["micro-batches"] ?? 0) || 3;
  const instances = Number((values.attention ?? "").match(/:(\d+)x/)?.[1] ?? 1);
  const step = parts * instances;
  return Math.max(step, Math.round(value / step) * step);
}

/** A slider for the parameter's `input`, or null; `values` are the form's, by name. */
export function sliderFor(name, input, initial, values) {
  const spec = SLIDERS[name];
  if (!spec) return null;
  const slider = document.createElement("input");
  Object.assign(slider, {type: "range", min: spec.min, max: spec.max, step: spec.step, className: "slider"});
  slider.setAttribute("aria-label", `${name}, slider`);
  const place = () => {
    const value = spec.read(input.value.trim() || initial);
    slider.value = spec.log ? Math.log2(value) : value;
    slider.disabled = Number.isNaN(value) && (spec === pool || input.value !== "");  // a list, a range
    slider.setAttribute("aria-valuetext", input.value || initial || "left out");
    slider.classList.toggle("out", Number.isNaN(value));
  };
  slider.addEventListener("input", () => {
    const value = spec.log ? 2 ** Number(slider.value) : Number(slider.value);
    slider.classList.remove("out");
    input.value = spec.write(rounded(name, value, values()), input.value);
    slider.setAttribute("aria-valuetext", `${input.value} ${spec.unit ?? ""}`);
    input.dispatchEvent(new Event("input", {bubbles: true}));
  });
  slider.place = place;
  place();
  return slider;
}
