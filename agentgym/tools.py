"""`@tool`: a method of an environment that the agent may call. Schema from the signature, arguments by pydantic."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from agentgym.errors import ToolError, UsageError
from agentgym.types import Content, Reply

ToolResult = Content | Reply | None
F = TypeVar("F", bound=Callable[..., ToolResult | Awaitable[ToolResult]])

_MARK = "__agentgym_tool__"


@dataclass(slots=True, frozen=True)
class Tool:
    """One tool as policies and environments see it. `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]
    arguments: type[BaseModel] = field(repr=False, compare=False)
    is_async: bool = False

    def openai(self) -> dict[str, Any]:
        """The tool in OpenAI's chat format."""
        function = {"name": self.name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}

    def parse(self, arguments: str) -> dict[str, Any]:
        """Validate the raw JSON that a model wrote. Raises ToolError with a text made for the model."""
        try:
            values: dict[str, Any] = self.arguments.__pydantic_validator__.validate_json(arguments or "{}").__dict__
            return values
        except ValidationError as error:
            raise ToolError(_explain(self.name, error)) from None


def tool(method: F) -> F:
    """Mark an environment's method as a tool.

    Its name, its docstring's first paragraph and its annotated parameters become the schema; an `Args:` section
    describes the parameters.  It returns text, parts, a `Reply` or None, and raises ToolError for what the agent
    did wrong.  A plain `def` must not block; an `async def` runs under the spec's time limit.
    Raises UsageError (at decoration) for a parameter without annotation or a variadic one.
    """
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        if parameter.annotation is inspect.Parameter.empty:
            raise UsageError(f"tool {method.__name__!r}: parameter {parameter.name!r} needs a type annotation")
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise UsageError(f"tool {method.__name__!r}: parameter {parameter.name!r} must be an ordinary one")
    setattr(method, _MARK, True)
    return method


def tools_of(cls: type) -> dict[str, Tool]:
    """All tools of a class by name, in the order of definition, base classes first."""
    found: dict[str, Tool] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            if getattr(member, _MARK, False):
                found[name] = _describe(member)
    return found


def _describe(method: Callable[..., Any]) -> Tool:
    hints = get_type_hints(method, include_extras=True)
    description, notes = _docstring(inspect.getdoc(method) or "")
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], Field(default, description=notes.get(parameter.name)))
    model = create_model(method.__name__, __config__=ConfigDict(extra="forbid"), **fields)
    schema = model.model_json_schema()
    schema.pop("title", None)
    for item in schema.get("properties", {}).values():
        item.pop("title", None)
    schema.setdefault("properties", {})
    return Tool(method.__name__, description, schema, model, inspect.iscoroutinefunction(method))


def _docstring(text: str) -> tuple[str, dict[str, str]]:
    """Split a Google-style docstring into its description and its notes on parameters."""
    head, _, rest = text.partition("\nArgs:\n")
    section = re.split(r"\n(?=\S)", rest, maxsplit=1)[0]
    notes = {
        match[1]: " ".join(match[2].split())
        for match in re.finditer(r"^ +(\w+)(?: \([^)]*\))?: (.*(?:\n {6,}.*)*)", section, re.M)
    }
    return head.strip(), notes


def _explain(name: str, error: ValidationError) -> str:
    problems = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"])
        problems.append(f"{where}: {item['msg']}" if where else item["msg"])
    return f"bad arguments for {name}: " + "; ".join(problems[:5])
