// The page in headless Chromium, opened from disk, beside the program (.ci/page):
// `AFFORD_BINARY=.. AFFORD_PAGE=.. npm test`. AFFORD_STATES says how many random questions are compared
// with the command line (60), AFFORD_SHOTS into which folder the views are photographed. Frames and opening wait for what else runs; `chrt -r 1` in front
// gives Chromium the processors first, as an idle machine would.

import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {after, before, test} from "node:test";
import {gzipSync} from "node:zlib";
import {createRequire} from "node:module";
import {chromium} from "playwright-core";
import {having, lineOf, questionOf, wordsFrom, wordsOf} from "../src/words.js";

const {AFFORD_BINARY: binary, AFFORD_PAGE: file, AFFORD_STATES: states = "60", AFFORD_SHOTS: shots} = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = ["Frontier", "Deployment", "Cost", "Pairs", "Roofline", "Memory", "Prompts", "Capacity", "Library"];

// As the page has its data: messages name the folder.
const folder = mkdtempSync(join(tmpdir(), "afford-page-"));
symlinkSync(new URL("../..", import.meta.url).pathname, join(folder, "afford"));

let browser, page;
const requests = [], faults = [];

async function open(fragment = "", options = {}) {
  const opened = await browser.newPage({viewport: {width: 1280, height: 900}, bypassCSP: true, ...options});
  opened.on("request", request => requests.push(request.url()));
  opened.on("pageerror", error => faults.push(String(error)));
  opened.on("console", message => message.type() === "error" && faults.push(message.text()));
  await opened.goto(`file://${file}${fragment}`);
  await settled(opened);
  return opened;
}

const settled = opened => opened.waitForFunction(() => document.body.getAttribute("aria-busy") === "false", null, {timeout: 120000});

async function view(name) {
  await page.getByRole("tab", {name}).click();
  await settled(page);
}

function commandLine(words) {
  try {
    return execFileSync(binary, [...words, "--format", "csv"], {
      cwd: folder, env: {...process.env, AFFORD_DATA: "afford"}, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"]});
  } catch (error) {
    return error.status === 1 ? error.stdout : {error: error.stderr.trim()};
  }
}

/** A generator with a seed, so that a failure comes again. */
function random(seed) {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

function randomQuestion(next) {
  const one = list => list[Math.floor(next() * list.length)];
  const chip = one(["h800", "h20", "h200", "a800", "b200"]);
  const words = ["-m", one(["step-3", "deepseek-v3", "qwen3-moe", "qwen3-32b", "kimi-k2"]), "-c", one(["1000", "4k", "8k", "20000", "64k"])];
  if (next() < 0.3) words.push("--kv-dtype", one(["bf16", "fp8", "int8"]));
  if (next() < 0.3) words.push("--price", `${chip}=${(0.5 + 8 * next()).toFixed(2)}`);
  const verb = one(["cost", "compare", "simulate", "simulate", "fit"]);
  if (verb === "fit") return ["fit", ...words.filter((word, i) => word !== "--price" && words[i - 1] !== "--price"), "--colocated", `${chip}:1x8`];
  if (verb !== "simulate") return [verb, ...words, "--on", chip];
  const batch = 24 * Math.ceil(next() * 100);
  if (next() < 0.5) return [verb, ...words, "--colocated", `${chip}:${one([1, 2, 4])}x8`, "--batch", String(batch)];
  return [verb, ...words, "--attention", `${chip}:${one([1, 2])}x8`, "--ffn", `${one([chip, "h800"])}:1x8`, "--batch", String(2 * batch)];
}

before(async () => {
  browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"]});
  page = await open();
});
after(() => browser?.close());

test("is small, asks the network for nothing and has no fault", async () => {
  assert.ok(statSync(file).size < 5e6);
  for (const name of VIEWS) await view(name);
  const foreign = requests.filter(url => !url.startsWith("file:") && !url.startsWith("blob:") && !url.startsWith("data:"));
  assert.deepEqual(foreign, []);
  assert.deepEqual(faults, []);
});

/**
 * What the page may have otherwise than the command line: a last digit where glibc rounds a power or
 * an exponential with the processor's fused multiply-add, which WebAssembly has not (one in a
 * thousand), and what follows from it.
 */
const CLOSE = 1e-13;

function sameText(told, answered) {
  const alike = (a, b) => a === b || Math.abs(Number(a) - Number(b)) <= CLOSE * Math.abs(Number(a));
  const split = text => text.split(/[,\n]/), left = split(told), right = split(answered);
  return left.length === right.length && left.every((cell, i) => alike(cell, right[i]));
}

test("numbers are the command line's to the last digit", async () => {
  const next = random(20);
  let answered = 0, same = 0;
  for (let i = 0; i < Number(states); ++i) {
    const words = randomQuestion(next);
    const told = commandLine(words), answer = await page.evaluate(asked => window.afford.ask(asked), words);
    if (told.error !== undefined) {
      assert.equal(answer.said.trim(), told.error, words.join(" "));
      continue;
    }
    ++answered;
    if (answer.csv === told) ++same;
    else assert.ok(sameText(told, answer.csv), `${words.join(" ")}\n${told}${answer.csv}`);
  }
  console.log(`${answered} tables of ${states} questions, ${same} alike to the last of 17 digits`);
  assert.ok(answered > Number(states) / 2);
  assert.ok(same >= 0.9 * answered);
});

test("a frontier, too", async () => {
  const words = wordsOf("pareto -m step-3 --on h800,h20 --max-gpus 16");
  const answer = await page.evaluate(asked => window.afford.ask(asked), words), told = commandLine(words);
  assert.ok(sameText(told.replace(/simulate -m.*/g, ""), answer.csv.replace(/simulate -m.*/g, "")));
});

test("what is drawn at random is drawn alike: requests of a plan and a replay, the times of stages", async () => {
  const workload = new URL("../../reports/chat-50.yaml", import.meta.url).pathname;
  for (const line of ["plan WORKLOAD --max-gpus 32", "replay WORKLOAD --colocated h800:4x8 --rate 3 --requests 3000",
    "simulate -m step-3 --attention h800:2x8 --ffn h800:2x8 --batch 3072 -c 4k --jitter 0.1 --seed 5"]) {
    const told = commandLine(wordsOf(line.replace("WORKLOAD", workload)));
    const answer = await page.evaluate(asked => window.afford.ask(asked), wordsOf(line.replace("WORKLOAD", "workload.yaml")));
    assert.ok(sameText(told, answer.csv), `${line}\n${told}\n${answer.csv}`);
  }
});

test("a model's page has what it states and from where above its modules", async () => {
  await view("Library");
  const shown = await page.locator("#table").innerText();
  for (const text of ["active parameters", "sum of the shapes", "lm_head"]) assert.ok(shown.includes(text), text);
});

test("the address of another's page holds its question, and the field its command", async () => {
  await view("Cost");
  await page.getByLabel("Command line").fill("afford cost -m kimi-k2 --on b200 -c 16k");
  await page.getByRole("button", {name: "Ask"}).click();
  await page.waitForFunction(() => location.hash.includes("kimi-k2"));
  const other = await open(new URL(page.url()).hash);
  assert.equal(await other.getByLabel("Command line").inputValue(), "afford cost -m kimi-k2 --on b200 -c 16k");
  assert.equal(await other.locator("tbody tr").count(), 1);
  await other.close();
});

test("words and lines are one another's", () => {
  for (const words of [["a b", "it's", "", "x=1,2"], ["--set", "h800.memory.bandwidth=4 TB/s"]]) assert.deepEqual(wordsOf(lineOf(words)), words);
});

test("a line and its question are one another's, and what is none stays words", async () => {
  const parameter = (names, takes) => ({names, takes});
  const verbs = [{name: "plan", parameters: [parameter("workload", "text"), parameter("-m,--model", "list"), parameter("--set", "repeated"), parameter("--explain", "nothing"), parameter("--tpot", "text")]}];
  const question = questionOf(wordsOf("plan --set a.b=1 -mx --model=y w.yaml --explain --set 'c.d=2 TB/s'"), verbs);
  assert.deepEqual(question, {verb: "plan", values: {set: ["a.b=1", "c.d=2 TB/s"], model: "x,y", workload: "w.yaml", explain: true}});
  assert.equal(lineOf(wordsFrom(question, verbs)), "plan w.yaml --set a.b=1 --set 'c.d=2 TB/s' -m x,y --explain");
  assert.deepEqual(having(question, {set: [], explain: false, model: "", tpot: "5ms"}).values, {workload: "w.yaml", tpot: "5ms"});
  for (const line of ["", "paln w.yaml", "plan w.yaml v.yaml", "plan --tpot 5ms --tpot 6ms", "plan --tpot --explain", "plan --explain=x", "plan --tpot ''", "plan --tpt 5ms"]) {
    const wrong = questionOf(wordsOf(line), verbs);
    assert.deepEqual(wordsFrom(wrong, verbs), wordsOf(line));
    assert.deepEqual(wrong.words, wordsOf(line), line);
  }
});

test("what is wrong is said in the command line's words", async () => {
  await page.getByLabel("Command line").fill("afford cost -m step-33");
  await page.getByRole("button", {name: "Ask"}).click();
  await page.waitForFunction(() => document.getElementById("said").textContent.includes("step-33"));
  assert.equal(await page.locator("#said").textContent(), commandLine(["cost", "-m", "step-33"]).error);
});

test("a point of the frontier opens its deployment; the keyboard moves between views", async () => {
  await view("Frontier");
  await page.getByRole("button", {name: /^Open/}).first().click();
  await page.waitForFunction(() => document.getElementById("line").value.startsWith("afford simulate"));
  await settled(page);
  assert.ok(await page.locator("#charts figure").count() >= 3);
  await page.getByRole("tab", {name: "Deployment"}).focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => document.getElementById("line").value.startsWith("afford cost"));
});

/** A page at a question, and what is in it once all is drawn. */
async function opened(words, look, options) {
  const other = await open(`#${encodeURIComponent(lineOf(wordsOf(words)))}`, options);
  try {
    return await look(other);
  } finally {
    await other.close();
  }
}

test("measured servers and pipelines lie on the frontier of their models and chips, each with its prediction", async () => {
  const legend = other => other.locator("figure.frontier .legend").innerText();
  const served = await opened("pareto -m qwen3-32b --on h100 -c 2k --max-gpus 8", async other => {
    assert.ok(await other.locator("figure.frontier path.measured[d*=M]").count() > 0);
    assert.ok(await other.locator("figure.frontier path.spread[d*=M]").count() > 0);
    return legend(other);
  });
  assert.match(served, /measured: served/);
  assert.doesNotMatch(served, /measured: pipeline/);
  const pipelines = await opened("pareto -m step-3 --on h100 -c 8k --max-gpus 16 --tpot 150ms", legend);
  assert.match(pipelines, /measured: pipeline/);
  assert.doesNotMatch(await opened("pareto -m step-3 --on a800 -c 8k --max-gpus 16 --tpot 150ms", legend), /measured/);
});

test("the frontiers of AFD and of co-located pools alone lie beside that of both, unless one is asked for", async () => {
  const corners = other => other.$$eval("figure.frontier .plot path.alone", paths => paths.map(path => path.getAttribute("d").split("L").length));
  const asked = "pareto -m qwen3-moe --on h800,h20 -c 4k --max-gpus 16 --objective usd --micro-batches 2,3";
  await opened(asked, async other => {
    const counts = [];
    for (const words of [`${asked} --ways afd`, `${asked.replace(" --micro-batches 2,3", "")} --ways ep,tp`])
      counts.push((await other.evaluate(line => window.afford.ask(line), wordsOf(words))).rows.length);
    assert.ok(counts.every(count => count > 1), "both ways have something to show");
    assert.deepEqual(await corners(other), counts);
    assert.match(await other.locator("figure.frontier .legend").innerText(), /AFD alone[^]*co-located alone|co-located alone[^]*AFD alone/);
  });
  assert.deepEqual(await opened(`${asked} --ways afd,ep`, corners), [1, 1]);
});

test("of a frontier of both goals each chart draws its own, which improves from point to point", async () => {
  await opened("pareto -m step-3,qwen3-moe --on h800,h20 -c 4k --max-gpus 16 --objective both", async other => {
    const heights = await other.$$eval("figure.frontier", figures => figures.map(figure => [...figure.querySelectorAll("path.line:not(.alone)")]
      .flatMap(path => (path.getAttribute("d") ?? "").split("M").filter(Boolean).map(part => part.split("L").map(point => Number(point.split(",")[1]))))));
    assert.equal(heights.length, 2);
    const [tokens, usd] = heights;
    assert.ok(tokens.length > 4 && tokens.every(([from, to]) => to <= from), "throughput rises");
    assert.ok(usd.length > 4 && usd.every(([from, to]) => to >= from), "cost falls");
  });
});

test("each value of a sweep has a frontier of its own, such as each of several engines", async () => {
  await opened("pareto -m step-3 --on h800 -c 4k --max-gpus 16 --sweep engine=vllm,sglang --ways ep,tp", async other => {
    const legend = await other.locator("figure.frontier .legend").innerText();
    for (const engine of ["vllm", "sglang"]) assert.ok(legend.includes(`step-3 at 4K, engine ${engine}`), legend);
    const lines = await other.$$eval("figure.frontier .plot g", groups => groups.flatMap(group => [...group.querySelectorAll(":scope > path.dashed:not(.alone)")].map(path => path.getAttribute("d"))));
    assert.equal(lines.length, 2);
    for (const d of lines) assert.ok(d.split("M").filter(Boolean).every(part => {
      const [from, to] = part.split("L").map(point => Number(point.split(",")[1]));
      return to <= from;
    }), d);
  });
});

test("a roofline says what a token takes there", async () => {
  await opened("roofline -m step-3 --on h800,h20 -c 8k", async other => {
    const {rows} = await other.evaluate(asked => window.afford.ask(asked), wordsOf("roofline -m step-3 --on h800,h20 -c 8k"));
    const shown = await other.locator("#charts").textContent();
    for (const {core_us_per_token: core, linear_us_per_token: linear, ffn_us_per_token: ffn} of rows)
      for (const us of [core, core + linear + ffn]) assert.ok(shown.includes(`${us.toLocaleString("en-US", {maximumSignificantDigits: 4})} µs`));
  });
});

test("a deployment has its operations under the roofs of its chips, at the rates that follow from their times", async () => {
  await opened("simulate -m step-3 --attention h800:2x8 --ffn h20:2x8 --batch 3072 -c 4k", async other => {
    const roofs = other.getByRole("group", {name: "Operations under the roofs of their chips, and their times"});
    const {text} = await other.evaluate(asked => window.afford.ask(asked), wordsOf("simulate -m step-3 --attention h800:2x8 --ffn h20:2x8 --batch 3072 -c 4k --explain"));
    const counted = text.split("\n").filter(line => /^ {4}\S/.test(line) && !/ 0 FLOP/.test(line) && !/ 0 B weights +0 B cache/.test(line));
    assert.ok(counted.length > 4);
    assert.equal(await roofs.locator("g[aria-label=dot] path").count(), counted.length);
    const shown = await roofs.textContent();
    for (const name of ["core attention", "h20 fp8", "h800 bf16"]) assert.ok(shown.includes(name), name);
  });
});

test("a picture is offered where there is one", async () => {
  await view("Prompts");
  assert.ok(await page.locator("#export-svg").isVisible());
  await view("Library");
  assert.ok(!await page.locator("#export-svg").isVisible());
  assert.ok(await page.locator("#export-csv").isVisible());
});

test("own files are found by their names", async () => {
  await page.locator("#file").setInputFiles({name: "mine.yaml", mimeType: "text/yaml", buffer: readFileSync(new URL("../../hardware/h800.yaml", import.meta.url))});
  await page.waitForFunction(() => document.getElementById("texts").textContent.includes("mine.yaml"));
});

/** What the page's thread has worked, in ms of a core: frames themselves wait for a busy machine, too. */
async function worked(session) {
  const {metrics} = await session.send("Performance.getMetrics");
  return 1000 * metrics.find(({name}) => name === "TaskDuration").value;
}

test("a browser that does not run the engine is told so", async () => {
  const broken = join(folder, "broken.html");
  writeFileSync(broken, readFileSync(file, "utf8").replace(/(id="wasm">)[^<]*/, `$1${gzipSync("none").toString("base64")}`));
  const other = await browser.newPage();
  await other.goto(`file://${broken}`);
  await other.waitForFunction(() => document.getElementById("said").textContent.startsWith("This browser does not run the engine: "));
  await other.close();
});

test("opens at once", async () => {
  const other = await browser.newPage();
  await other.addInitScript(() => new MutationObserver((_, observer) => {
    if (!document.querySelector("figure.frontier path.line[d*=L]")) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.drawn = performance.now(); }));
  }).observe(document, {subtree: true, childList: true, attributes: true}));
  await other.goto(`file://${file}`);
  await other.waitForFunction(() => window.drawn !== undefined);
  console.log(`${(await other.evaluate(() => window.drawn)).toFixed(0)} ms until the first frontier is drawn, on this machine as it is now`);
  await other.close();
});

test("sliders leave most of a frame free on a frontier of three models", async () => {
  const three = await open("#pareto+-m+step-3,deepseek-v3,qwen3-moe+--on+h800,h20+-c+4k+--max-gpus+32");
  const session = await three.context().newCDPSession(three);
  await session.send("Performance.enable", {timeDomain: "threadTicks"});
  const idle = await three.evaluate(async () => {
    const times = [];
    let last = await new Promise(requestAnimationFrame);
    while (times.length < 200) {
      const now = await new Promise(requestAnimationFrame);
      times.push(now - last);
      last = now;
    }
    return times.sort((a, b) => a - b);
  });
  const before = await worked(session);
  const frames = await three.evaluate(async () => {
    const sliders = [...document.querySelectorAll("#fields > .field .slider:not(:disabled)")], times = [];
    let last = null, running = true;
    const tick = now => {
      if (last !== null) times.push(now - last);
      last = now;
      if (running) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    for (const slider of sliders) {
      const before = slider.value;
      for (let step = 0; step <= 120; ++step) {
        slider.value = Number(slider.min) + (Number(slider.max) - Number(slider.min)) * Math.abs(60 - step) / 60;
        slider.dispatchEvent(new Event("input", {bubbles: true}));
        await new Promise(requestAnimationFrame);
      }
      slider.value = before;
      slider.dispatchEvent(new Event("input", {bubbles: true}));
    }
    running = false;
    return times.sort((a, b) => a - b);
  });
  const each = (await worked(session) - before) / frames.length;
  await settled(three);
  await three.close();
  // A browser tells a frame's time in tenths of a millisecond: one of 16.67 ms is 16.6 to 16.8.
  const at = (times, share) => times[Math.floor(times.length * share)].toFixed(1), late = frames.filter(ms => ms > 25).length;
  console.log(`${frames.length} frames, ${each.toFixed(1)} ms of work each, ${late} late by a frame or more: median ${at(frames, 0.5)}, 95th percentile ${at(frames, 0.95)} (${at(idle, 0.95)} where nothing moves), longest ${at(frames, 0.9999)} ms`);
  assert.ok(each < 8, "half of a sixtieth of a second");
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious, ${colorScheme}`, async () => {
    const shown = await open("", {colorScheme});
    await shown.evaluate(axe);
    for (const name of VIEWS) {
      await shown.getByRole("tab", {name}).click();
      await settled(shown);
      if (shots) await shown.screenshot({path: `${shots}/${name}-${colorScheme}.png`, fullPage: true});
      const {violations} = await shown.evaluate(() => window.axe.run());
      const serious = violations.filter(each => ["serious", "critical"].includes(each.impact));
      assert.deepEqual(serious.map(each => `${name}: ${each.id}: ${each.nodes[0].html}`), []);
    }
    await shown.close();
  });
}

test("a phone shows it without scrolling sideways", async () => {
  const phone = await open("", {viewport: {width: 390, height: 800}});
  for (const name of VIEWS) {
    await phone.getByRole("tab", {name}).click();
    await settled(phone);
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name);
    if (shots) await phone.screenshot({path: `${shots}/${name}-phone.png`, fullPage: true});
  }
  await phone.close();
});
