"""Questions of the command line as functions, and their answers as values."""

from __future__ import annotations

import dataclasses
import functools
import html
import importlib
import inspect
import keyword
import numbers
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import _engine


class Error(ValueError):
    """What is wrong with a question: the text that the command line prints, file:line:column first
    where a file is at fault."""


class Fault(RuntimeError):
    """A fault of afford, not of what it was given."""


class Answer(Sequence):
    """The rows of an answer, each a dataclass whose fields are the columns of the CSV, units in
    their names. `yes` is False where the command line exits with 1: something does not fit.
    `details` has what belongs to the rows as answers of their own: "operations" with explain=True,
    "events" with timeline=True."""

    def __init__(self, verb: str, answer: dict[str, Any]) -> None:
        table = answer["table"]
        row_type = _row_type(verb, tuple(table["keys"])) if table else None
        self.rows = [row_type(*row) for row in table["rows"]] if table else []
        self.details = {name: Answer(name, answer | {"table": detail, "details": {}, "text": ""})
                        for name, detail in answer["details"].items()}
        self.columns: list[str] = table["keys"] if table else []
        self.title: str = table["title"] if table else ""
        self.notes: list[str] = table["notes"] if table else []
        self.text: str = answer["text"]
        self.said: str = answer["said"]
        self.yes: bool = answer["status"] == 0
        self._shown: str = table["shown"] if table else ""

    def __getitem__(self, at):
        return self.rows[at]

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        return self._shown + self.text

    def __repr__(self) -> str:
        return f"<{self.title or 'afford answer'}: {len(self)} rows>"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def _by_column(self) -> dict[str, list[Any]]:
        return {key: [getattr(row, field) for row in self.rows]
                for key, field in zip(self.columns, map(_identifier, self.columns))}

    def to_pandas(self):
        """The rows as a pandas.DataFrame."""
        pandas = _package("pandas", "to_pandas")
        return pandas.DataFrame(self._by_column(), columns=self.columns)

    def to_polars(self):
        """The rows as a polars.DataFrame."""
        polars = _package("polars", "to_polars")
        return polars.DataFrame(self._by_column(), strict=False)


def _package(name: str, method: str) -> Any:
    """One that afford does without otherwise."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{method}() needs {name}: pip install {name}",
                                  name=name) from error


def _identifier(key: str) -> str:
    name = key.replace("-", "_").replace(".", "_")
    return name + "_" if keyword.iskeyword(name) else name


def keyword_of(parameter: dict[str, Any]) -> str:
    """--kv-dtype is kv_dtype."""
    return _identifier(_name_of(parameter))


def _is_place(parameter: dict[str, Any]) -> bool:
    return not parameter["names"].startswith("-")


def _name_of(parameter: dict[str, Any]) -> str:
    return parameter["names"].split(",")[-1].lstrip("-")


def _value(parameter: dict[str, Any], value: Any) -> bool | int | float | str | list[str]:
    """As the engine takes it: numbers of any package as Python's own, and paths as texts."""
    if parameter["takes"] == "nothing":
        return bool(value)
    if isinstance(value, dict):
        return [f"{key}={each}" for key, each in value.items()]
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Iterable):
        return [str(each) for each in value]
    return str(value)


class _Line:
    """A line of progress where somebody looks: a terminal or a notebook."""

    def __init__(self) -> None:
        self.start = self.last = time.monotonic()
        self.shown = False

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last < 0.2:
            return
        self.last = now
        rate = max(1.0, done / (now - self.start))
        line = (f"{done / 1e6:.1f} of {total / 1e6:.1f} million candidates, "
                f"{rate / 1e6:.1f} million a second, {(total - done) / rate:.0f} s left")
        print("\r" + line.ljust(79), end="", file=sys.stderr, flush=True)
        self.shown = True

    def clear(self) -> None:
        if self.shown:
            print("\r" + " " * 79 + "\r", end="", file=sys.stderr, flush=True)


def _watched() -> bool:
    return "ipykernel" in sys.modules or sys.stderr.isatty()


@functools.cache
def _row_type(verb: str, keys: tuple[str, ...]) -> type:
    name = verb.replace("-", " ").title().replace(" ", "") + "Row"
    row_type = dataclasses.make_dataclass(name, [(_identifier(key), Any) for key in keys],
                                          frozen=True)
    row_type.__module__ = "afford"
    return row_type


def _result(verb: str, answer: dict[str, Any]) -> Answer:
    status, table, said = answer["status"], answer["table"], answer["said"]
    if status == 130:
        raise KeyboardInterrupt
    if status == 70:
        raise Fault(said.rstrip("\n"))
    if status == 2 and table is None:
        raise Error(said.rstrip("\n"))
    if status == 2:  # part of what `all` names could not be read
        warnings.warn(said.rstrip("\n"), stacklevel=4)
    return Answer(verb, answer)


_Progress = Callable[[int, int], None] | bool | None


def _watching(question: Callable[[Any], dict[str, Any]], progress: _Progress) -> dict[str, Any]:
    """The answer to a question, which is given whom to tell how far it is."""
    line = _Line() if progress is True or (progress is None and _watched()) else None
    try:
        return question(line or (progress if callable(progress) else None))
    finally:
        if line:
            line.clear()


def ask(*words: str, progress: _Progress = None) -> Answer:
    """The words after `afford` on a command line, such as ask("cost", "-m", "step-3")."""
    answer = _watching(functools.partial(_engine.ask_words, list(words)), progress)
    return _result(words[0] if words else "", answer)


def _documentation(verb: dict[str, Any]) -> str:
    lines = [verb["help"] + ".", "", "Parameters, each named as the flag of the command line:"]
    for parameter in verb["parameters"]:
        default = f" (default {parameter['initial']})" if parameter["initial"] else ""
        lines.append(f"    {keyword_of(parameter)}: {parameter['help']}{default}")
    lines.append("    progress: a function of candidates tried and in all; True or False; by "
                 "default a line where somebody looks")
    return "\n".join(lines)


def function_of(verb: dict[str, Any]) -> Callable[..., Answer]:
    """The function of a verb: its required arguments by place or name, its flags by name."""
    by_name = {keyword_of(parameter): parameter for parameter in verb["parameters"]}
    kinds = inspect.Parameter
    parameters = [
        kinds(name, kinds.POSITIONAL_OR_KEYWORD if _is_place(parameter)
              else kinds.KEYWORD_ONLY, default=kinds.empty if parameter["required"] else None)
        for name, parameter in by_name.items()]
    parameters.append(kinds("progress", kinds.KEYWORD_ONLY, default=None))
    parameters.sort(key=lambda parameter: parameter.kind)
    signature = inspect.Signature(parameters, return_annotation=Answer)

    def call(*args: Any, **kwargs: Any) -> Answer:
        given = signature.bind(*args, **kwargs).arguments
        progress = given.pop("progress", None)
        values = {_name_of(by_name[name]): _value(by_name[name], value)
                  for name, value in given.items() if value is not None}
        question = functools.partial(_engine.ask, verb["name"], values)
        return _result(verb["name"], _watching(question, progress))

    call.__name__ = call.__qualname__ = _identifier(verb["name"])
    call.__doc__ = _documentation(verb)
    call.__module__ = "afford"
    call.__signature__ = signature
    return call
