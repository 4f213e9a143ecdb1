// What all drawings share: colours, numbers, elements.

/** Okabe and Ito's palette, which people with any colour vision tell apart; lighter in the dark. */
export const PALETTE = [1, 2, 3, 4, 5, 6, 7].map(n => `var(--c${n})`);

/** Four digits, as the tables show numbers. */
export const short = value =>
  typeof value === "number" ? value.toLocaleString("en-US", {maximumSignificantDigits: 4}) : String(value ?? "");

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  const {style, ...others} = properties;
  Object.assign(made, others);
  if (style) made.setAttribute("style", style);
  made.append(...children);
  return made;
}

export function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
