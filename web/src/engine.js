// The engine in its own thread, so that the page never waits for it.

const text = id => document.getElementById(id).textContent.trim();

const worker = window.engineThread;
let next = 0;
const waiting = new Map();

function send(kind, value) {
  return new Promise((resolve, reject) => {
    waiting.set(++next, {resolve, reject});
    worker.postMessage({id: next, kind, value});
  });
}

/** Starts the engine, which answers what it is asked meanwhile once it runs. */
export function start() {
  worker.onmessage = ({data: {id, result, error}}) => {
    const {resolve, reject} = waiting.get(id);
    waiting.delete(id);
    error === undefined ? resolve(result) : reject(new Error(error));
  };
  return send("start", {wasm: text("wasm"), data: text("data")});
}

/**
 * Asks a verb by the values of its parameters, or in words where these make no question. The answer:
 * status as the program's exit code; text and said, as it prints them; whether it is a table
 * (`answered`), and its rows as objects by column key. Without `keys`, which choose columns, also
 * what belongs to the rows (`details`), notes, `table` as it is shown and `csv`.
 */
export const ask = ({verb, values, words}, keys) => send("ask", {question: words ?? {verb, values}, keys});

/** Puts a file where the engine's questions find it by its name. */
export const addFile = (name, content) => send("file", {name, text: content});

/** Runs the newest of the jobs it is given, and at most one at a time: what a slider needs. */
export function newestOnly() {
  let running = false, pending = null;
  return async function run(job) {
    pending = job;
    if (running) return;
    running = true;
    try {
      while (pending) {
        const now = pending;
        pending = null;
        await now(() => pending !== null);
      }
    } finally {
      running = false;
    }
  };
}
