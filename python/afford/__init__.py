"""What a decoded token of a large language model costs, on which hardware, split how.

Every verb of the command line is a function, every flag a keyword argument (--kv-dtype is kv_dtype;
lists, dicts and numbers where the command line has commas), with the same numbers and the same
messages:

    import afford
    frame = afford.cost(model=["step-3", "deepseek-v3"], on="h800", context="8k").to_pandas()
"""

from . import _engine
from ._answers import Answer, Error, Fault, ask, function_of

__version__ = _engine.version

_verbs = {call.__name__: call for call in map(function_of, _engine.verbs())}
globals().update(_verbs)

__all__ = ["Answer", "Error", "Fault", "ask", *_verbs]
