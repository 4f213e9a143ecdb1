// A command line as words, and words as a question, a verb with its values: both ways.

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

const GIVEN = value => value !== undefined && value !== "" && value !== false && value.length !== 0;

/** A question with other values, of which "" is none. */
export const having = (question, more) => ({
  verb: question.verb,
  values: Object.fromEntries(Object.entries({...question.values, ...more}).filter(([, value]) => GIVEN(value))),
});

/**
 * The question that words ask: the verb's name and `values` by the names of its parameters, texts
 * (several where a flag repeats) or true for a flag without a value. Where they are more or other
 * than the `verbs` take, `words` has them, for the engine to say so.
 */
export function questionOf(words, verbs) {
  const verb = verbs.find(each => each.name === words[0]), question = {verb: words[0], values: {}};
  if (!verb) return {...question, words};
  const byFlag = new Map(verb.parameters.filter(isFlag).flatMap(parameter => parameter.names.split(",").map(name => [name, parameter])));
  const places = verb.parameters.filter(parameter => !isFlag(parameter));
  const put = (parameter, value) => {
    const name = nameOf(parameter), before = question.values[name];
    if (parameter.takes === "repeated") question.values[name] = [...(before ?? []), value];
    else if (parameter.takes === "list" && before !== undefined) question.values[name] = `${before},${value}`;
    else if (before === undefined) question.values[name] = value;
    else question.words = words;
    if (value === "") question.words = words;
  };
  for (let at = 1; at < words.length; ++at) {
    const [, flag, attached] = words[at].match(/^(--[^=]+)=(.*)$/s) ?? words[at].match(/^(-[^-])(.+)$/s) ?? [null, words[at]];
    const parameter = byFlag.get(flag), next = words[at + 1];
    if (parameter?.takes === "nothing" && attached === undefined) put(parameter, true);
    else if (parameter && parameter.takes !== "nothing" && attached !== undefined) put(parameter, attached);
    else if (parameter && parameter.takes !== "nothing" && next !== undefined && !byFlag.has(next)) put(parameter, words[++at]);
    else if (!words[at].startsWith("-") && places.length > 0) put(places[0].takes === "repeated" ? places[0] : places.shift(), words[at]);
    else question.words = words;
  }
  return question;
}

/** The words that ask it: arguments, then flags as they were given. */
export function wordsFrom({verb, values, words}, verbs) {
  if (words) return words;
  const {parameters} = verbs.find(each => each.name === verb), asked = [verb];
  const given = Object.entries(values).map(([name, value]) => ({parameter: parameters.find(each => nameOf(each) === name), value}));
  for (const {parameter, value} of [...given].sort((a, b) => isFlag(a.parameter) - isFlag(b.parameter))) {
    for (const each of [value].flat()) {
      if (isFlag(parameter)) asked.push(parameter.names.split(",")[0]);
      if (each !== true) asked.push(each);
    }
  }
  return asked;
}
