"""The Python package beside the command line: the same numbers, the same messages.

AFFORD_BINARY names the program to compare with; AFFORD_STATES how many random questions to ask."""

import contextlib
import importlib.util
import inspect
import io
import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
import unittest
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import afford

BINARY = os.environ["AFFORD_BINARY"]
STATES = int(os.environ.get("AFFORD_STATES", "60"))
NOTEBOOK = Path(__file__).parents[2] / "docs" / "example.ipynb"

POOLS = {"attention": "h800:2x8", "ffn": "h800:2x8", "batch": 6144}


def command_line(*words):
    data = str(Path(afford.__file__).parent / "data")  # messages name the folder
    return subprocess.run([BINARY, *words], capture_output=True, text=True, check=False,
                          env=os.environ | {"AFFORD_DATA": data})


def rows_of(answer):
    return [dict(zip(answer.columns, row.__dict__.values())) for row in answer]


def random_question(rng):
    """A verb, its keyword arguments, and the same as words."""
    model = rng.choice(["step-3", "deepseek-v3", "qwen3-moe", "qwen3-32b", "kimi-k2"])
    chip = rng.choice(["h800", "h20", "h200", "h100", "a800", "b200"])
    context = rng.choice([1000, 4096, 8192, 20000, 65536])
    asked = {"model": model, "context": context}
    if rng.random() < 0.3:
        asked["kv_dtype"] = rng.choice(["bf16", "fp8", "int8"])
    if rng.random() < 0.3:
        asked["price"] = {chip: round(rng.uniform(0.5, 9), 2)}
    verb = rng.choice(["cost", "compare", "simulate", "simulate", "simulate"])
    if verb != "simulate":
        return verb, asked | {"on": chip}
    batch = 8 * rng.randint(1, 200)
    if rng.random() < 0.4:
        ffn = rng.choice([chip, "h800", "h20"])
        pools = {"attention": f"{chip}:{rng.randint(1, 4)}x8", "ffn": f"{ffn}:{rng.randint(1, 4)}x8"}
        return verb, asked | pools | {"batch": 3 * batch, "micro_batches": rng.choice([3, 4])}
    return verb, asked | {"colocated": f"{chip}:{rng.choice([1, 2, 4])}x8", "batch": batch}


def as_words(verb, asked):
    words = [verb]
    for name, value in asked.items():
        text = ",".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value
        words += ["--" + name.replace("_", "-"), str(text)]
    return words


class Numbers(unittest.TestCase):
    def test_random_questions_have_the_command_lines_digits(self):
        rng = random.Random(20)
        answered = 0
        for _ in range(STATES):
            verb, asked = random_question(rng)
            words = as_words(verb, asked)
            told = command_line(*words, "--format", "json")
            try:
                answer = getattr(afford, verb)(**asked)
            except afford.Error as error:
                self.assertEqual(told.returncode, 2, words)
                self.assertEqual(str(error), told.stderr.rstrip("\n"))
                continue
            answered += 1
            self.assertEqual(rows_of(answer), json.loads(told.stdout), words)
            self.assertEqual(answer.yes, told.returncode == 0)
        self.assertGreater(answered, STATES // 3)

    def test_a_whole_frontier(self):
        answer = afford.pareto(model="step-3", on="h800,h20", max_gpus=16, progress=False)
        told = command_line("pareto", "-m", "step-3", "--on", "h800,h20", "--max-gpus", "16",
                            "--format", "json")
        self.assertEqual(rows_of(answer), json.loads(told.stdout))

    def test_explanations_are_text(self):
        answer = afford.cost(model="step-3", on="h20", context="32k", explain=True)
        told = command_line("cost", "-m", "step-3", "--on", "h20", "-c", "32k", "--explain")
        self.assertEqual(str(answer), told.stdout)


    def test_operations_and_events_are_rows(self):
        answer = afford.simulate(model="step-3", **POOLS, explain=True, timeline=True)
        operations, events = answer.details["operations"], answer.details["events"]
        attention = [each for each in operations if each.stage == "attention" and each.hidden == "no"]
        self.assertAlmostEqual(sum(each.time_us for each in attention), answer[0].attention_us)
        for each in operations:
            self.assertIn(f"{each.operation} ", answer.text)
        self.assertEqual({each.stage for each in events}, {"attention", "A->F", "FFN", "F->A"})
        self.assertEqual(min(each.start_us for each in events), 0)
        self.assertEqual(afford.simulate(model="step-3", **POOLS).details, {})


class Arguments(unittest.TestCase):
    def test_lists_numbers_and_dicts_are_what_the_command_line_has_commas_for(self):
        self.assertEqual(
            afford.cost(model=["step-3", "kimi-k2"], on=["h800"], context=[8192], price={"h800": 2}).rows,
            afford.cost(model="step-3,kimi-k2", on="h800", context="8k", price="h800=2").rows)

    def test_values_keep_their_types(self):
        asked = {"model": Path("step-3"), "colocated": "h800:1x8", "context": 4096}
        told = afford.simulate(**asked, batch="768", memory_fraction="0.85", explain=True)
        for batch, fraction in ((768, 0.85), (768.0, 0.85), (Decimal(768), Decimal("0.85"))):
            answer = afford.simulate(**asked, batch=batch, memory_fraction=fraction, explain=1)
            self.assertEqual(answer.rows, told.rows)
            self.assertEqual(answer.text, told.text)
        self.assertEqual(afford.simulate(**asked, batch=768, explain=False).text, "")

    def test_a_value_that_a_parameter_does_not_take_is_refused(self):
        for asked, text in (({"mtp": 1.5}, "--mtp: expected a whole number, got '1.5'"),
                            ({"acceptance": math.nan}, "--acceptance: expected a number, got 'nan'"),
                            ({"kv_dtype": ["fp8", "bf16"]}, "--kv-dtype: given more than once; expected one value"),
                            ({"price": True}, "--price: expected a value, got true")):
            with self.assertRaises(afford.Error) as raised:
                afford.cost(model="step-3", **asked)
            self.assertEqual(str(raised.exception), "afford: " + text)

    def test_every_flag_of_every_verb_is_a_keyword(self):
        for verb in afford._engine.verbs():
            function = getattr(afford, verb["name"].replace("-", "_") + ("_" if verb["name"] == "import" else ""))
            names = set(inspect.signature(function).parameters)
            help_text = command_line(verb["name"], "--help").stdout
            for line in help_text.splitlines():
                flag = line.strip().split(" ")[0].split(",")[-1]
                if flag.startswith("--") and flag != "--help":
                    self.assertIn(flag[2:].replace("-", "_"), names)

    def test_an_unknown_keyword_is_refused(self):
        with self.assertRaises(TypeError):
            afford.cost(modle="step-3")


class Errors(unittest.TestCase):
    def test_the_text_is_the_command_lines(self):
        with self.assertRaises(afford.Error) as raised:
            afford.cost(model="step-4")
        self.assertIsInstance(raised.exception, ValueError)
        self.assertEqual(str(raised.exception), command_line("cost", "-m", "step-4").stderr.rstrip("\n"))

    def test_no_is_an_answer(self):
        answer = afford.simulate(model="deepseek-v3", colocated="h800:1x8", batch=100000, context="32k")
        self.assertFalse(answer.yes)
        self.assertEqual(len(answer), 1)


needs_pandas = unittest.skipUnless(importlib.util.find_spec("pandas"), "pandas is not installed")


class Frames(unittest.TestCase):
    @needs_pandas
    def test_pandas(self):
        frame = afford.cost(model="step-3", on="h800,h20", context="8k").to_pandas()
        told = json.loads(command_line("cost", "-m", "step-3", "--on", "h800,h20", "-c", "8k",
                                       "--format", "json").stdout)
        self.assertEqual(list(frame.columns), list(told[0]))
        for row, wanted in zip(frame.to_dict("records"), told):
            for key, value in wanted.items():
                same = row[key] == value or (value is None and (row[key] is None or math.isnan(row[key])))
                self.assertTrue(same, key)

    def test_polars(self):
        try:
            import polars
        except ImportError:
            self.skipTest("polars is not installed")
        frame = afford.cost(model="step-3", on="h800", context="8k").to_polars()
        self.assertIsInstance(frame, polars.DataFrame)
        self.assertEqual(frame.height, 1)

    def test_polars_is_given_every_column_with_what_is_unknown_as_none(self):
        """Without polars, too: what its constructor would get."""
        class Frame:
            def __init__(self, data, strict):
                self.data, self.strict = data, strict
        answer = afford.compare(model=["step-3", "qwen3-32b"], on="h800,h20", context="8k")
        with mock.patch.dict(sys.modules, {"polars": SimpleNamespace(DataFrame=Frame)}):
            frame = answer.to_polars()
        self.assertEqual(list(frame.data), answer.columns)
        self.assertEqual([list(column) for column in zip(*frame.data.values())],
                         [list(row.values()) for row in rows_of(answer)])
        self.assertFalse(frame.strict)  # a column of numbers may begin with whole ones

    def test_what_is_not_installed_is_said(self):
        answer = afford.cost(model="step-3", on="h800", context="8k")
        for name, call in (("pandas", answer.to_pandas), ("polars", answer.to_polars)):
            with mock.patch.dict(sys.modules, {name: None}):
                with self.assertRaises(ModuleNotFoundError) as raised:
                    call()
            self.assertEqual(str(raised.exception), f"to_{name}() needs {name}: pip install {name}")


class Searches(unittest.TestCase):
    LONG = {"model": "deepseek-v3", "on": "h800,h20,h200", "max_gpus": 1024, "context": "8k"}

    def test_the_lock_of_the_interpreter_is_free_and_progress_is_told(self):
        seen, ticks, stop = [], [0], threading.Event()

        def tick():
            while not stop.wait(0.001):
                ticks[0] += 1

        def progress(done, total):
            seen.append((done, total))
            raise StopIteration

        thread = threading.Thread(target=tick)
        thread.start()
        try:
            with self.assertRaises(StopIteration):
                afford.pareto(**self.LONG, progress=progress)
        finally:
            stop.set()
            thread.join()
        self.assertGreater(ticks[0], 20)
        self.assertTrue(all(0 <= done <= total for done, total in seen))

    def test_interrupt_stops_a_search(self):
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        start = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            afford.pareto(**self.LONG, progress=False)
        self.assertLess(time.monotonic() - start, 60)


class Package(unittest.TestCase):
    def test_the_stubs_name_every_function_and_are_python(self):
        stubs = (Path(afford.__file__).parent / "__init__.pyi").read_text()
        compile(stubs, "__init__.pyi", "exec")
        for verb in afford._verbs:
            self.assertIn(f"def {verb}(", stubs)
        self.assertIn("    tpot_ms: float | None", stubs)

    def test_docstrings_are_the_help(self):
        self.assertIn("KV cache in fp32, bf16, fp8, int8, fp4, int4", afford.cost.__doc__)

    @needs_pandas
    def test_the_example_notebook_runs(self):
        cells = json.loads(NOTEBOOK.read_text())["cells"]
        names = {}
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in cells:
                if cell["cell_type"] == "code":
                    exec("".join(cell["source"]), names)
        self.assertGreater(len(names["frontier"]), 3)


if __name__ == "__main__":
    unittest.main()
