// A command line as words, and a question as the fields of a form: both ways.

/** Words as a shell has them: spaces divide, quotes and backslashes keep. */
export function wordsOf(line) {
  const words = [];
  let word = null, quote = "";
  for (let at = 0; at < line.length; ++at) {
    const c = line[at];
    if (quote) {
      if (c === quote) quote = "";
      else word += c;
    } else if (c === "'" || c === '"') {
      quote = c;
      word ??= "";
    } else if (/\s/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? "") + (c === "\\" && at + 1 < line.length ? line[++at] : c);
    }
  }
  if (word !== null) words.push(word);
  return words[0] === "afford" ? words.slice(1) : words;
}

export function lineOf(words) {
  const quoted = word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return words.map(quoted).join(" ");
}

/** "-c,--context" is context; an argument's name is its own. */
export const nameOf = parameter => parameter.names.split(",").at(-1).replace(/^--/, "");
export const isFlag = parameter => parameter.names.startsWith("-");

/**
 * The fields that words fill: `values` by name, texts (several where a flag repeats), true for a
 * flag without a value; `rest` is what no parameter takes, for the engine to refuse.
 */
export function fieldsOf(words, verb) {
  const byFlag = new Map();
  for (const parameter of verb.parameters)
    if (isFlag(parameter)) for (const name of parameter.names.split(",")) byFlag.set(name, parameter);
  const places = verb.parameters.filter(parameter => !isFlag(parameter));
  const fields = {values: new Map(), rest: []};
  const put = (parameter, value) => {
    const name = nameOf(parameter), before = fields.values.get(name);
    const joined = parameter.takes === "list" && before !== undefined;
    if (parameter.takes === "repeated") fields.values.set(name, [...(before ?? []), value]);
    else fields.values.set(name, joined ? `${before},${value}` : value);
  };
  for (let at = 1; at < words.length; ++at) {
    const equals = words[at].indexOf("=");
    const flag = words[at].startsWith("--") && equals > 0 ? words[at].slice(0, equals) : words[at];
    const parameter = byFlag.get(flag);
    if (parameter?.takes === "nothing") put(parameter, true);
    else if (parameter && flag !== words[at]) put(parameter, words[at].slice(equals + 1));
    else if (parameter && at + 1 < words.length) put(parameter, words[++at]);
    else if (!words[at].startsWith("-") && places.length > 0)
      put(places[0], words[at]), places[0].takes === "repeated" || places.shift();
    else fields.rest.push(words[at]);
  }
  return fields;
}

/** The words that fields make: arguments, then flags in the order of the help. */
export function wordsFrom(verb, fields) {
  const words = [verb.name];
  for (const parameter of [...verb.parameters].sort((a, b) => isFlag(a) - isFlag(b))) {
    const value = fields.values.get(nameOf(parameter));
    if (value === undefined || value === "" || value === false) continue;
    const flag = parameter.names.split(",")[0];
    for (const each of Array.isArray(value) ? value : [value]) {
      if (isFlag(parameter)) words.push(flag);
      if (each !== true) words.push(String(each));
    }
  }
  return [...words, ...fields.rest];
}
