// Puts the page together: node build.mjs ENGINE_FOLDER OUTPUT.html. The engine's folder holds
// engine.js and engine.wasm; data comes from the tree.

import {readFile, readdir, writeFile} from "node:fs/promises";
import {createRequire} from "node:module";
import {dirname, join, relative, resolve} from "node:path";
import {fileURLToPath} from "node:url";
import {gzipSync} from "node:zlib";
import {build} from "esbuild";
import yaml from "js-yaml";

const here = dirname(fileURLToPath(import.meta.url)), root = dirname(here);
const [engine, output] = process.argv.slice(2);

/** The files that the program is installed with. */
async function data() {
  const files = {};
  for (const folder of ["models", "hardware", "engines", "validation"]) {
    for (const name of (await readdir(join(root, folder))).sort())
      if (/\.yaml$|\.csv$/.test(name)) files[`${folder}/${name}`] = await readFile(join(root, folder, name), "utf8");
  }
  return files;
}

/** What the form is made of, which needs no engine in the page: the verbs, and the names in the files. */
async function tables(files) {
  const {ccall} = await createRequire(import.meta.url)(resolve(engine, "engine.js"))({wasmBinary: await readFile(join(engine, "engine.wasm"))});
  const named = folder => Object.keys(files).map(path => path.match(`^${folder}/([^/]+)\\.yaml$`)?.[1]).filter(name => name && !name.endsWith(".calibration"));
  return {verbs: JSON.parse(ccall("afford_verbs", "string", [], [])), names: {models: named("models"), chips: named("hardware"), engines: named("engines")}};
}

async function bundled(entry) {
  const {outputFiles, metafile} = await build({
    entryPoints: [join(here, "src", entry)], bundle: true, minify: true, format: "iife", target: "es2022",
    write: false, metafile: true, absWorkingDir: here, charset: "ascii",
  });
  return {text: outputFiles[0].text, inputs: Object.keys(metafile.inputs)};
}

const gpusOf = pool => pool.match(/:(\d+)x(\d+)$/).slice(1).reduce((a, b) => a * b);
const chipOf = pool => pool.replace(/:[^:]*$/, "");

/** Published tokens a second, and the requests in flight on a GPU that they come from. */
async function measured() {
  const {cases, systems, sources} = yaml.load(await readFile(join(root, "validation/cases.yaml"), "utf8"));
  const byDeployment = new Map();
  for (const each of cases) {
    const pools = [each.pool, each.attention, each.ffn].filter(Boolean), chips = [...new Set(pools.map(chipOf))];
    // Of a card with two dies, whose figures are a die's, the requests of a GPU are not said.
    if (each.quantity !== "tokens_per_gpu_s" || chips.includes("910c")) continue;
    const gpus = pools.map(gpusOf).reduce((a, b) => a + b), requests = each.kind === "afd" ? each.batch / gpus : each.batch;
    const {what, date} = sources[each.source], {name, model, context, published: tokens} = each;
    // Of two predictions of one measurement the later is the calibrated one.
    byDeployment.set([model, pools, requests, context].join(), {
      name, model, chips, context, tokens, requests_per_gpu: requests, about: systems[each.system].about, source: `${what} (${date})`});
  }
  return [...byDeployment.values()];
}

/** The licence of every package that the bundle took something from, and of the engine's libraries. */
async function licences(inputs) {
  const packages = new Set(inputs.map(input => input.match(/^node_modules\/((@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean));
  const parts = [["afford", join(root, "LICENSE")], ["libyaml", join(engine, "libyaml/License")], ["GLPK", join(engine, "glpk/COPYING")], ["GNU C Library (cbrt, erf)", "/usr/share/doc/libc6/copyright"],
    ...["fmt", "nlohmann-json3", "cli11", "eigen3"].map(name => [name, `/usr/share/doc/lib${name}-dev/copyright`])];
  for (const name of [...packages].sort()) {
    const file = (await readdir(join(here, "node_modules", name))).find(each => /^licen[cs]e/i.test(each));
    if (!file) throw new Error(`${name} comes without its licence`);
    parts.push([name, join(here, "node_modules", name, file)]);
  }
  const texts = await Promise.all(parts.map(async ([name, path]) =>
    `== ${name}\n\n${await readFile(path.replace("libnlohmann-json3", "nlohmann-json3"), "utf8")}`));
  return texts.join("\n\n");
}

const packed = bytes => gzipSync(bytes, {level: 9}).toString("base64");
const inScript = text => text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
const inText = text => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

const [main, worker, boot, files] = await Promise.all([...["main.js", "worker.js", "boot.js"].map(bundled), data()]);
const parts = {
  STYLE: await readFile(join(here, "src/page.css"), "utf8"),
  BOOT: inScript(boot.text),
  LICENCES: inText(await licences(main.inputs)),
  MEASURED: inScript(JSON.stringify(await measured())),
  EXAMPLE: await readFile(join(root, "reports/chat-50.yaml"), "utf8"),
  WORKER: inScript(`${await readFile(join(engine, "engine.js"), "utf8")}\n${worker.text}`),
  WASM: packed(await readFile(join(engine, "engine.wasm"))),
  DATA: packed(JSON.stringify(files)),
  TABLES: inScript(JSON.stringify(await tables(files))),
  MAIN: inScript(main.text),
};
const page = (await readFile(join(here, "src/page.html"), "utf8"))
  .replace(/\/\*(STYLE|BOOT|LICENCES|MEASURED|TABLES|EXAMPLE|WORKER|WASM|DATA|MAIN)\*\//g, (_, part) => parts[part]);
await writeFile(output, page);
console.log(`${relative(process.cwd(), output)}: ${(page.length / 1e6).toFixed(2)} MB`);
