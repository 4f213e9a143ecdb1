// The engine's thread: questions in, answers out, one after another.
/* global afford_engine */

let engine;
let last = {};  // the newest question and its answer, of which the page takes parts

/** The bytes of a packed text, as a stream. */
function unpacked(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; ++at) bytes[at] = text.charCodeAt(at);
  return new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
}

/** Compiles while it unpacks; `failed` hears of what it cannot compile, which Emscripten would wait for. */
function instantiate(wasm, failed) {
  return (imports, done) => {
    const response = new Response(unpacked(wasm), {headers: {"Content-Type": "application/wasm"}});
    WebAssembly.instantiateStreaming(response, imports).then(({instance}) => done(instance)).catch(failed);
    return {};
  };
}

function write(path, text) {
  engine.FS.writeFile(path, text);
  engine.ccall("afford_forget");
  last = {};
}

async function start({wasm, data}) {
  const files = new Response(unpacked(data)).json();
  engine = await new Promise((resolve, reject) => {
    afford_engine({instantiateWasm: instantiate(wasm, reject), printErr: console.error}).then(resolve, reject);
  });
  const contents = Object.entries(await files);
  for (const folder of new Set(contents.map(([path]) => path.slice(0, path.lastIndexOf("/"))))) engine.FS.mkdirTree(`/page/afford/${folder}`);
  engine.FS.chdir("/page");
  for (const [path, text] of contents) write(`afford/${path}`, text);
}

function answerOf(question) {
  const asked = JSON.stringify(question);
  if (asked !== last.asked) last = {asked, answer: JSON.parse(engine.ccall("afford_ask", "string", ["string"], [asked]))};
  return last.answer;
}

/** Rows as objects by the keys of their columns, all of them or those of `keys` and of a sweep. */
function rowsOf({columns, rows}, keys) {
  const taken = columns.map(({key}, at) => ({key, at})).filter(({key}) => !keys || keys.includes(key) || key.startsWith("sweep_"));
  return rows.map(({cells}) => Object.fromEntries(taken.map(({key, at}) => [key, cells[at]])));
}

/** As the command line prints it: columns, shown cells, and of a frontier each row's command. */
function shownOf({title, columns, rows}) {
  const taken = columns.map((column, at) => ({...column, at})).filter(column => !column.detail);
  const line = columns.findIndex(({key}) => key === "simulate");
  return {
    title,
    columns: taken.map(({heading, text}) => ({heading, text})),
    rows: rows.map(({cells, shown}) => ({shown: taken.map(({at}) => shown[at]), line: line < 0 ? null : cells[line]})),
  };
}

const detailsOf = (details = {}) => Object.fromEntries(Object.entries(details).map(([name, {keys, rows}]) =>
  [name, rows.map(cells => Object.fromEntries(keys.map((key, at) => [key, cells[at]])))]));

/** With `keys` only what a chart takes, which is quickly handed over. */
function ask({question, keys}) {
  const {status, text, said, table, details} = answerOf(question);
  const answer = {status, text, said, answered: table !== null, rows: table ? rowsOf(table, keys) : []};
  if (!table || keys) return answer;
  return {...answer, details: detailsOf(details), notes: table.notes, table: shownOf(table), csv: table.csv};
}

const work = {start, ask, file: ({name, text}) => write(name, text)};

async function reply({id, kind, value}) {
  try {
    postMessage({id, result: await work[kind](value)});
  } catch (error) {
    postMessage({id, error: String(error)});
  }
}

let replied = Promise.resolve();
onmessage = ({data}) => { replied = replied.then(() => reply(data)); };
