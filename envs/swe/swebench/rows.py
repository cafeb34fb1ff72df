"""JSON and JSON lines as they come from elsewhere: rows with the place that each came from. Knows no field."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agentgym.errors import TaskError

Row = dict[str, Any]
M = TypeVar("M", bound=BaseModel)


def read(path: Path) -> list[tuple[str, Row]]:
    """The objects of a file, each with where it stands, for messages.

    A name ending in ".json" holds a list of objects, or an object whose values they are; any other holds one object a
    line.  Raises TaskError naming the file and the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TaskError(f"{path} can not be read: {error.strerror}") from None
    return _whole(path, data) if path.suffix == ".json" else _lines(path, data)


def write(path: Path, rows: Iterable[Row]) -> int:
    """Write JSON lines, in place of what was there, whole or not at all. How many."""
    lines = [json.dumps(row) + "\n" for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text("".join(lines), encoding="utf-8")
    scratch.replace(path)
    return len(lines)


def parse(model: type[M], row: Row, where: str) -> M:
    """A row as a model. TaskError naming the place and the field."""
    name = row.get("instance_id")
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the row"
        said = f" ({name!r:.100})" if isinstance(name, str) else ""
        raise TaskError(f"{where}{said}: field {field}: {first['msg']}") from None


def _lines(path: Path, data: bytes) -> list[tuple[str, Row]]:
    rows = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if line.strip():
            where = f"{path}, line {number}"
            rows.append((where, _object(_loads(line, where), where)))
    return rows


def _whole(path: Path, data: bytes) -> list[tuple[str, Row]]:
    content = _loads(data, str(path))
    if isinstance(content, dict):
        return [(f"{path}, key {key!r}", _object(row, f"{path}, key {key!r}")) for key, row in content.items()]
    if isinstance(content, list):
        return [
            (f"{path}, entry {number}", _object(row, f"{path}, entry {number}"))
            for number, row in enumerate(content, 1)
        ]
    raise TaskError(f"{path}: must hold a list or an object, not {type(content).__name__}")


def _loads(data: bytes, where: str) -> Any:
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise TaskError(f"{where}: not UTF-8 text at byte {error.start}") from None
    except json.JSONDecodeError as error:
        place = f"column {error.colno}" if ", line " in where else f"line {error.lineno}, column {error.colno}"
        raise TaskError(f"{where}, {place}: not JSON: {error.msg}") from None
    except RecursionError:
        raise TaskError(f"{where}: not JSON that can be read: nested too deeply") from None


def _object(row: Any, where: str) -> Row:
    if not isinstance(row, dict):
        raise TaskError(f"{where}: must be an object, not {type(row).__name__}")
    return row
