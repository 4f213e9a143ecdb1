// The page: a command line, the form and the views that show it, and the address that holds it.

import {element} from "./drawing.js";
import {addFile, ask, newestOnly, start} from "./engine.js";
import {exportAs} from "./exports.js";
import {showForm} from "./form.js";
import {tableOf} from "./table.js";
import {FrontierView, VIEWS, draw} from "./views.js";
import {having, lineOf, nameOf, questionOf, wordsFrom, wordsOf} from "./words.js";

const QUIET_MS = 250;  // without a move of a slider, before what takes long is shown

const $ = id => document.getElementById(id);
const newest = newestOnly();
const frame = () => new Promise(requestAnimationFrame);

const {verbs, names} = JSON.parse($("tables").textContent);

let question, csv = "", moved = 0;
let understood = null;  // the newest question that has an answer
const questions = new Map();  // the newest of each verb
const frontier = new FrontierView();

const verbOf = asked => verbs.find(verb => verb.name === asked.verb);
const asking = line => questionOf(wordsOf(line), verbs);
const lineFrom = asked => lineOf(wordsFrom(asked, verbs));

/** What both verbs take goes along from one view to the next. */
function carried(to) {
  const own = questions.get(to), target = verbOf(own), from = understood?.verb, given = understood?.values ?? {}, taken = {};
  for (const name of ["model", "on", "context", "price", "kv-dtype", "weight-dtype", "engine", "mtp", "acceptance"]) {
    const parameter = target.parameters.find(each => nameOf(each) === name);
    const fits = parameter && (parameter.takes === "list" || !/,|\.\./.test(given[name]));
    const one = ["simulate", "prefill", "plan"].includes(to) || ["simulate", "plan"].includes(from);
    if (given[name] && fits && !one) taken[name] = given[name];
  }
  return having(own, taken);
}

function showTabs() {
  const tabs = VIEWS.map(view => {
    const tab = element("button", {type: "button", textContent: view.name, onclick: () => go(carried(view.verb))});
    tab.setAttribute("role", "tab");
    tab.dataset.verb = view.verb;
    tab.setAttribute("aria-controls", "answer");
    return tab;
  });
  $("views").replaceChildren(...tabs);
  $("views").onkeydown = ({key}) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  };
}

function markTab() {
  for (const tab of $("views").children) {
    const selected = tab.dataset.verb === question.verb;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
  }
}

/** The question as the address has it. */
function showAddress(replace) {
  const readable = {"%20": "+", "%2C": ",", "%3A": ":", "%3D": "=", "%2F": "/"};
  const address = `#${encodeURIComponent(lineFrom(question)).replaceAll(/%20|%2C|%3A|%3D|%2F/g, code => readable[code])}`;
  if (location.hash !== address) history[replace ? "replaceState" : "pushState"](null, "", address);
}

const askedByAddress = () => asking(decodeURIComponent(location.hash.slice(1).replaceAll("+", " ")));

/** Goes to a question: form, address and answer. */
function go(asked, {replace = false} = {}) {
  const again = question?.verb === asked.verb;
  question = asked;
  moved = 0;
  const verb = verbOf(question);
  if (!again) $("charts").replaceChildren();
  markTab();
  showAddress(replace);
  $("workload").hidden = question.verb !== "plan";
  if (verb) showForm($("fields"), verb, question, change);
  else $("fields").replaceChildren();
  answerSoon();
}

/** The same question with other values, from the form. */
function change(values) {
  question = having({verb: question.verb, values: {}}, values);
  moved = performance.now();
  answerSoon();
}

function answerSoon() {
  $("line").value = `afford ${lineFrom(question)}`;
  if (verbOf(question)) questions.set(question.verb, question);
  const asked = question;
  document.body.setAttribute("aria-busy", "true");
  newest(stale => answerInto(asked, stale));
}

/** Whether nothing newer came until sliders stand still. */
async function quiet(stale) {
  while (!stale()) {
    const left = moved + QUIET_MS - performance.now();
    if (left <= 0) return true;
    await new Promise(done => setTimeout(done, left));
  }
  return false;
}

/** Takes the place of what an answer before had there, so that nothing jumps. */
function shower() {
  let at = 0;
  const texts = [];
  return {
    chart: chart => {
      const before = $("charts").children[at++];
      if (before) before.replaceWith(chart);
      else $("charts").append(chart);
    },
    text: text => {
      const block = element("pre", {textContent: text.trim(), tabIndex: 0});
      block.setAttribute("aria-label", "Explanation");
      texts.push(block);
    },
    finish: () => {
      while ($("charts").childElementCount > at) $("charts").lastChild.remove();
      showExports();
      $("texts").replaceChildren(...texts);
    },
  };
}

/** What is wrong, or said beside the notes; nothing of it is lost. */
function showSaid({status, said}, notes) {
  const more = said.split("\n").filter(text => text && !notes.includes(text)).join("\n");
  $("said").textContent = more;
  $("said").className = status === 2 ? "wrong" : "";
}

function showAnswer(answer, ms) {
  const {table} = answer, notes = answer.notes ?? [];
  csv = answer.csv ?? "";
  showSaid(answer, notes);
  $("title").textContent = table?.title ?? "";
  $("notes").replaceChildren(...notes.map(note => element("p", {textContent: note})));
  $("table").replaceChildren(...table ? tableOf(table, line => go(asking(line))) : []);
  $("exports").hidden = !table;
  const count = table?.rows.length;
  $("status").textContent = table ? `${count} ${count === 1 ? "row" : "rows"} in ${ms.toFixed(0)} ms` : "";
}

/** A picture is offered where there is one. */
function showExports() {
  for (const kind of ["svg", "png"]) $(`export-${kind}`).hidden = $("charts").childElementCount === 0;
}

/** Of a model the program prints what it states and where from above its modules, which are the CSV. */
async function showFacts(asked, stale) {
  const {text, table} = await ask(having(asked, {format: "table"}));
  if (text && !stale()) $("table").prepend(...tableOf(table));
}

function contextOf(asked, stale, show) {
  const verb = verbOf(asked);
  const initial = name => verb.parameters.find(each => nameOf(each) === name).initial.replace(/^\[|\]$/g, "");
  return {question: asked, width: $("charts").clientWidth, stale, show, initial, open: line => go(asking(line))};
}

/** A frontier is drawn as it comes; all else once nothing moves. */
async function answerInto(asked, stale) {
  const began = performance.now(), quick = asked.verb === "pareto" ? frontier.keys : undefined;
  const first = await ask(asked, quick), ms = performance.now() - began;
  const show = shower(), context = contextOf(asked, stale, show);
  if (quick && first.answered) {
    await frame();
    frontier.draw(first.rows, context);
    if (!await quiet(stale)) return;
  }
  const answer = quick ? await ask(asked) : first;
  if (answer.answered) understood = asked;
  if (moved) showAddress(true);
  showAnswer(answer, ms);
  if (answer.text) show.text(answer.text);
  if (asked.verb === "show" && answer.answered) await showFacts(asked, stale);
  if (quick && answer.answered) await frontier.settle(answer.rows, context);
  if (quick && !answer.answered) $("charts").replaceChildren();
  if (!quick && answer.answered) await draw(answer.rows, context);
  if (stale()) return;
  if (quick) showExports();
  if (!quick) show.finish();
  else $("texts").replaceChildren();
  document.body.setAttribute("aria-busy", "false");
}

/** A file of one's own: a config.json becomes a model file, all else is found by its name. */
async function take(file) {
  const text = await file.text();
  await addFile(file.name, text);
  if (file.name.endsWith(".json")) {
    const name = (file.name.replace(/\W*config\.json$/, "") || "own").toLowerCase();
    const answer = await ask({verb: "import", values: {config: [file.name], name}});
    $("said").textContent = answer.said;
    if (answer.status !== 0) return;
    await addFile(`${name}.yaml`, answer.text);
    return go({verb: "show", values: {name: `./${name}.yaml`}});
  }
  const traffic = /^traffic:/m.test(text);
  if (traffic) $("workload-text").value = text;
  go(traffic ? having(questions.get("plan"), {workload: file.name}) : {verb: "check", values: {file: [file.name]}});
}

function listen() {
  $("command").onsubmit = event => {
    event.preventDefault();
    go(asking($("line").value));
  };
  $("copy-line").onclick = () => navigator.clipboard.writeText($("line").value);
  $("copy-link").onclick = () => navigator.clipboard.writeText(location.href);
  for (const kind of ["svg", "png", "csv"]) $(`export-${kind}`).onclick = () => exportAs(kind, $("charts"), csv);
  addEventListener("popstate", () => go(location.hash.length > 1 ? askedByAddress() : asking(VIEWS[0].start), {replace: true}));
  addEventListener("dragover", event => event.preventDefault());
  addEventListener("drop", event => {
    event.preventDefault();
    [...event.dataTransfer.files].forEach(take);
  });
  $("file").onchange = ({target}) => [...target.files].forEach(take);
  $("workload-text").onchange = async ({target}) => {
    await addFile("workload.yaml", target.value);
    answerSoon();
  };
  let width = innerWidth;
  addEventListener("resize", () => {
    if (width !== innerWidth) answerSoon();
    width = innerWidth;
  });
}

function fillLists() {
  for (const [id, values] of Object.entries(names)) $(id).replaceChildren(...values.map(value => element("option", {value})));
}

/** What `afford explore` wrote into the page: a word each <p>, a file each <pre>. */
async function startOfPage() {
  const start = $("start").content;
  for (const file of start.querySelectorAll("pre")) await addFile(file.title, file.textContent);
  const given = [...start.querySelectorAll("p")].map(word => word.textContent);
  return given.length > 0 ? questionOf(given, verbs) : asking(VIEWS[0].start);
}

async function main() {
  start().catch(error => { $("said").textContent = `This browser does not run the engine: ${error.message}`; });
  window.afford = {ask: words => ask(questionOf(words, verbs)), lineOf, wordsOf};
  for (const {verb, start: line} of VIEWS) questions.set(verb, asking(line));
  $("workload-text").value = `${$("example").textContent.trim()}\n`;
  addFile("workload.yaml", $("workload-text").value);
  showTabs();
  listen();
  fillLists();
  const first = await startOfPage();
  go(location.hash.length > 1 ? askedByAddress() : first, {replace: true});
}

main();
