"""Where the rows are in a whole JSON or YAML document: a list, an object with one list, ids, columns, or one row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from skillshot.bank.formats import preset_of
from skillshot.common.errors import InputError

Doc = Mapping[str, Any]

# lists of objects that belong to a row: turns of a chat, choices, tools
_OF_A_ROW = frozenset(
    ("messages", "conversations", "conversation", "turns", "dialogue", "dialog", "choices", "options", "tools",
     "functions", "tool_calls")
)  # fmt: skip
_TURN = ({"role"}, {"from", "value"}, {"label", "text"}, {"type", "function"})  # their elements have such keys
_ASKS = frozenset(("question", "problem", "instruction", "utterance", "query"))  # a text so named makes an object a row
_GIVEN = frozenset(("input", "prompt", "text", "sentence", "source", "context", "passage", "title"))
_ANSWERED = frozenset(("output", "answer", "response", "completion", "target", "label", "solution", "logical_form"))
_AROUND = frozenset(("data", "dataset", "result", "results", "payload", "body", "train", "validation", "dev", "test"))
_WRAPPERS = frozenset(("row", "data", "example", "record", "item", "instance"))
_ALONGSIDE = frozenset(("row_idx", "truncated_cells", "idx", "index"))  # what an export writes next to a wrapped row
# of published forms with several lists: the one with the rows, and keys that identify the form
_FORMS = {
    "tests": ("prompts", "providers"),  # promptfoo
    "demos": ("signature", "traces"),  # DSPy
    "examples": ("metrics", "task_prefix", "keywords"),  # BIG-bench
    "rows": ("features",),  # the datasets server
}
_DEEP = 3  # objects in objects in which a list is looked for


@dataclass(frozen=True)
class Contained:
    """The rows of a document, and where they were found."""

    form: str  # "" for a single row
    rows: Iterable[Any]


def contained(doc: Any, place: str, part: str = "") -> Contained:
    """The rows of a document.

    Args:
        place: the file, as messages name it; part: dotted keys that lead to the rows.

    Raises:
        InputError: several lists may be meant, or the part is not there.
    """
    if isinstance(doc, list):
        if part:
            raise InputError(f"{place}: a list has no part {part!r}\npass the file alone")
        return Contained("array", doc)
    if not isinstance(doc, Mapping):
        return Contained("", [doc])
    if part:
        found = _at(doc, part)
        inner = Contained("array", found) if isinstance(found, list) else None
        if isinstance(found, Mapping):
            inner = _inside(found, f"{place}::{part}", 0)
        if inner is None:
            names = ", ".join(_lists(doc))[:200] or "none"
            raise InputError(f"{place}: no list of objects under {part!r}; there are: {names}")
        return Contained(f"part {part!r}", inner.rows)
    return _inside(doc, place, 0) or Contained("", [doc])


def unwrapped(row: Any) -> Any:
    """The row inside `{"row": {...}}` or `{"data": {...}}`; any other row is itself."""
    if isinstance(row, Mapping) and 0 < len(row) <= 1 + len(_ALONGSIDE):
        keys = [key for key in row if key not in _ALONGSIDE]
        if len(keys) == 1 and keys[0] in _WRAPPERS and isinstance(row[keys[0]], Mapping):
            return row[keys[0]]
    return row


def _inside(doc: Doc, place: str, depth: int, path: str = "") -> Contained | None:
    """Rows inside an object; None where it is a row itself."""
    if depth > _DEEP or _is_row(doc):
        return None
    if lists := _lists(doc):
        key = _only(lists, doc, place, path)
        return Contained(f"object, list {path + key!r}", doc[key])
    if rows := _columnar(doc):
        return Contained("object of columns", rows)
    children = {key: value for key, value in doc.items() if isinstance(value, Mapping) and value}
    known = [key for key, child in children.items() if any(_known(name, child) for name in _lists(child))]
    if len(known) > 1:
        names = [
            f"{path}{key}.{name}" for key in known for name in _lists(children[key]) if _known(name, children[key])
        ]
        raise _several(names, place)
    if known:
        return _inside(children[known[0]], place, depth + 1, f"{path}{known[0]}.")
    if unwrapped(doc) is not doc:
        inner = _inside(unwrapped(doc), place, depth + 1, f"{path}{next(iter(children))}.")
        return inner or Contained("", [unwrapped(doc)])
    if children and len(children) == len(doc) and _homogeneous(list(children.values())):
        return Contained("object of ids", _with_ids(children))
    if len(children) == 1:
        key, child = next(iter(children.items()))
        if len(doc) == 1 or str(key).casefold() in _AROUND:
            return _inside(child, place, depth + 1, f"{path}{key}.")
    return None


def _is_row(doc: Doc) -> bool:
    texts = {str(key).strip().casefold() for key, value in doc.items() if isinstance(value, str)}
    return (
        bool(texts & _ASKS)
        or bool(texts & _GIVEN and texts & _ANSWERED)
        or preset_of({str(k): v for k, v in doc.items()}) is not None
    )


def _lists(doc: Doc) -> list[str]:
    """Keys of lists whose elements may be rows."""
    return [key for key, value in doc.items() if str(key).casefold() not in _OF_A_ROW and _objects(value)]


def _objects(value: Any) -> bool:
    if not isinstance(value, list) or not value or not isinstance(value[0], Mapping):
        return False
    return not any(keys <= value[0].keys() for keys in _TURN)


def _only(lists: list[str], doc: Doc, place: str, path: str) -> str:
    known = [key for key in lists if _known(key, doc)]
    if len(lists) > 1 and len(known) != 1:
        raise _several([path + key for key in lists], place)
    return known[0] if len(lists) > 1 else lists[0]


def _known(key: str, doc: Doc) -> bool:
    """Whether a list is the one with the rows in a published form."""
    return any(other in doc for other in _FORMS.get(key, ()))


def _several(names: list[str], place: str) -> InputError:
    return InputError(f"{place}: several lists of objects: {', '.join(names)[:200]}\nname one: {place}::{names[0]}")


def _columnar(doc: Doc) -> list[dict[str, Any]]:
    """Rows of an object of columns, as pandas and `datasets` write them; empty where it is none."""
    values = list(doc.values())
    if set(doc) in ({"columns", "data"}, {"columns", "data", "index"}) and _lists_alone(values):  # orient="split"
        names, cells = doc["columns"], doc["data"]
        if all(isinstance(row, list) and len(row) == len(names) for row in cells):
            return [dict(zip(map(str, names), row, strict=True)) for row in cells]
    if len(values) > 1 and _lists_alone(values) and values[0] and len({len(value) for value in values}) == 1:
        return [dict(zip(doc, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(value, Mapping) and value for value in values):  # {"question": {"0": "a", "1": "b"}}
        keys = list(values[0])
        if all(str(key).isdecimal() for key in keys) and all(value.keys() == values[0].keys() for value in values):
            return [{name: value[key] for name, value in doc.items()} for key in keys]
    return []


def _lists_alone(values: list[Any]) -> bool:
    return all(isinstance(value, list) for value in values)


def _homogeneous(children: list[Doc]) -> bool:
    """Whether objects are rows under their ids: several with a key in common, or one that asks something."""
    shared = set(children[0]).intersection(*children[:100])
    return bool(shared) and (len(children) > 1 or _is_row(children[0]))


def _with_ids(children: Mapping[str, Doc]) -> Iterator[dict[str, Any]]:
    for key, child in children.items():
        yield dict(child) if "id" in child else {"id": str(key), **child}


def _at(doc: Any, part: str) -> Any:
    """The value under dotted keys; a key may itself have dots."""
    if not isinstance(doc, Mapping):
        return None
    if part in doc:
        return doc[part]
    pieces = part.split(".")
    for count in range(len(pieces) - 1, 0, -1):
        key, rest = ".".join(pieces[:count]), ".".join(pieces[count:])
        if key in doc and (found := _at(doc[key], rest)) is not None:
            return found
    return None
