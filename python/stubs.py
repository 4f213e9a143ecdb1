"""Writes the type stubs of an installed package folder: functions from the option tables of the
command line, rows from one answer of each verb."""

import sys
from pathlib import Path

HEAD = '''"""Type stubs, generated from the option tables of the command line."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import pandas
import polars

_Text = str | Path | float
_Texts = _Text | Sequence[_Text] | Mapping[str, _Text]
_Progress = Callable[[int, int], None] | bool | None
_Row = TypeVar("_Row")

__version__: str

class Error(ValueError): ...
class Fault(RuntimeError): ...

class Answer(Sequence[_Row], Generic[_Row]):
    rows: list[_Row]
    details: dict[str, Answer[Any]]
    columns: list[str]
    title: str
    notes: list[str]
    text: str
    said: str
    yes: bool
    @overload
    def __getitem__(self, at: int) -> _Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[_Row]: ...
    def __len__(self) -> int: ...
    def to_pandas(self) -> pandas.DataFrame: ...
    def to_polars(self) -> polars.DataFrame: ...

def ask(*words: str, progress: _Progress = None) -> Answer[Any]: ...
'''

TYPES = {"nothing": "bool", "text": "_Text", "integer": "int | str", "real": "float | str",
         "list": "_Texts", "repeated": "_Texts"}

# One question of each verb whose rows always have the same columns but for those of a sweep.
POOLS = ["--attention=h800:1x8", "--ffn=h800:1x8", "--batch=768"]
QUESTIONS = {
    "cost": ["--model=step-3"],
    "compare": ["--model=step-3"],
    "roofline": ["--model=step-3"],
    "simulate": ["--model=step-3", *POOLS],
    "fit": ["--model=step-3", "--attention=h800:1x8", "--ffn=h800:1x8"],
    "pareto": ["--model=step-3", "--on=h800", "--max-gpus=16"],
}


def row_class(afford, verb):
    """Every field may be empty; a whole number is a float to a type checker, too."""
    answer = afford.ask(verb, *QUESTIONS[verb])
    lines = [f"class {verb.title()}Row:"]
    for key in answer.columns:
        values = [getattr(row, key) for row in answer]
        text = all(isinstance(value, str) or value is None for value in values)
        empty = all(value is None for value in values)
        lines.append(f"    {key}: {'Any' if empty else 'str | None' if text else 'float | None'}")
    return "\n".join(lines)


def stub(afford, verb):
    name = afford._answers._identifier(verb["name"])
    places, flags = [], []
    for parameter in verb["parameters"]:
        entry = f"{afford._answers.keyword_of(parameter)}: {TYPES[parameter['takes']]}"
        entry += "" if parameter["required"] else " | None = None"
        (flags if parameter["names"].startswith("-") else places).append(entry)
    arguments = ",\n    ".join([*places, "*", *flags, "progress: _Progress = None"])
    row = f"{verb['name'].title()}Row" if verb["name"] in QUESTIONS else "Any"
    return f'def {name}(\n    {arguments},\n) -> Answer[{row}]:\n    """{verb["help"]}."""\n'


def main(folder):
    sys.path.insert(0, str(folder.parent))
    import afford

    parts = [HEAD, *(row_class(afford, verb) + "\n" for verb in QUESTIONS),
             *(stub(afford, verb) for verb in afford._engine.verbs())]
    (folder / "__init__.pyi").write_text("\n".join(parts))


main(Path(sys.argv[1]))
