"""`@tool`: the schema that models see, and what they are told about bad arguments."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from agentgym import Config, Environment, ToolError, UsageError, tool
from agentgym.tools import Tool, tools_of


class Workshop(Environment[Config]):
    @tool
    def cut(
        self, what: Literal["wood", "metal"], sizes: list[int], label: str | None = None, deep: bool = False
    ) -> str:
        """Cut something
        into pieces.

        It makes noise.

        Args:
            what: the material
            sizes (list[int]): the sizes, in mm,
                one a piece
            label: written on each piece

        Returns:
            what: is left
        """
        return f"{what} {sizes} {label} {deep}"

    @tool
    async def rest(self) -> None:
        """Do nothing."""

    @tool
    def bare(self, x: float) -> str:
        return str(x)

    def not_a_tool(self) -> None:
        """Not for agents."""


class Annex(Workshop):
    @tool
    def rest(self, hours: int) -> None:  # type: ignore[override]
        """Rest for hours."""

    @tool
    def last(self) -> None:
        """Comes after what is inherited."""


TOOLS = tools_of(Workshop)
CUT = TOOLS["cut"]


def parse(arguments: Any, tool: Tool = CUT) -> dict[str, Any]:
    return tool.parse(arguments if isinstance(arguments, str) else json.dumps(arguments))


def test_only_marked_methods_are_tools_in_order_of_definition() -> None:
    assert list(TOOLS) == ["cut", "rest", "bare"]


def test_inherited_tools_come_first_and_can_be_overridden() -> None:
    assert list(Annex.toolbox) == ["cut", "rest", "bare", "last"]
    assert Annex.toolbox["rest"].description == "Rest for hours."
    assert Workshop.toolbox["rest"].description == "Do nothing."


def test_schema_has_types_defaults_descriptions_and_what_is_required() -> None:
    schema = CUT.parameters
    properties = schema["properties"]
    assert properties["what"] == {"enum": ["wood", "metal"], "type": "string", "description": "the material"}
    assert properties["sizes"]["items"] == {"type": "integer"}
    assert properties["sizes"]["description"] == "the sizes, in mm, one a piece"
    assert properties["label"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert properties["deep"]["default"] is False
    assert schema["required"] == ["what", "sizes"]
    assert schema["additionalProperties"] is False


def test_description_is_the_docstring_without_its_args() -> None:
    assert CUT.description == "Cut something\ninto pieces.\n\nIt makes noise."
    assert TOOLS["bare"].description == ""


def test_a_tool_without_parameters_takes_an_empty_object() -> None:
    assert TOOLS["rest"].parameters["properties"] == {}
    assert parse("", TOOLS["rest"]) == parse("{}", TOOLS["rest"]) == {}


def test_openai_format() -> None:
    assert CUT.openai() == {
        "type": "function",
        "function": {"name": "cut", "description": CUT.description, "parameters": CUT.parameters},
    }


def test_async_tools_are_told_apart() -> None:
    assert TOOLS["rest"].is_async
    assert not CUT.is_async


def test_arguments_are_converted_and_defaults_filled_in() -> None:
    assert parse({"what": "wood", "sizes": ["1", 2]}) == {
        "what": "wood",
        "sizes": [1, 2],
        "label": None,
        "deep": False,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [1]}, "what: Field required"),
        ({"what": "glass", "sizes": [1]}, "what: Input should be 'wood' or 'metal'"),
        ({"what": "wood", "sizes": [1, "two"]}, "sizes.1: Input should be a valid integer"),
        ({"what": "wood", "sizes": [], "colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"what": "wood", "sizes": None}, "sizes: Input should be a valid"),
        ('{"what": "wood", ', "Invalid JSON"),
        ("[]", "Input should be an object"),
        ("null", "Input should be an object"),
        ('"wood"', "Input should be an object"),
        ("{" * 10_000, "Invalid JSON"),
    ],
)
def test_bad_arguments_are_explained(arguments: Any, message: str) -> None:
    with pytest.raises(ToolError, match="bad arguments for cut: ") as caught:
        parse(arguments)
    assert message in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_many_problems_are_cut_to_five() -> None:
    with pytest.raises(ToolError) as caught:
        parse({"what": "wood", "sizes": ["x"] * 100})
    assert str(caught.value).count("sizes.") == 5


def test_a_lone_surrogate_is_a_bad_argument_not_a_crash() -> None:
    with pytest.raises(ToolError):
        parse('{"what": "wood", "sizes": [], "label": "\ud800"}')


def test_a_parameter_needs_an_annotation() -> None:
    with pytest.raises(UsageError, match="'x' needs a type annotation"):

        @tool
        def f(self, x) -> str:  # type: ignore[no-untyped-def]
            return "x"


def test_variadic_parameters_are_refused() -> None:
    with pytest.raises(UsageError, match="'rest' must be an ordinary one"):

        @tool
        def f(self: Any, *rest: int) -> str:
            return "x"


@pytest.mark.parametrize("name", ["answer", "step", "turn", "close"])
def test_a_tool_can_not_take_a_name_that_the_environment_needs(name: str) -> None:
    def method(self: Any) -> str:
        return "x"

    method.__name__ = name
    with pytest.raises(UsageError, match=name):
        type("Clash", (Environment,), {name: tool(method)})
