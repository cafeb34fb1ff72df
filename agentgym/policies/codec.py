"""Codecs: how a conversation becomes token ids and how sampled ids become calls. No model, no sampling.

A codec renders only what is new (`prompt`), so that what a model sampled is never rendered or tokenised again; it
reads what was sampled (`parse`), and writes what a scripted policy did (`write`), which is how a model is taught.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from agentgym.errors import UsageError
from agentgym.policy import Context
from agentgym.types import Action, Message, ToolCall

Parsed = tuple[str, tuple[ToolCall, ...]]


class Codec(Protocol):
    """`tokenizer` is a Hugging Face tokenizer; `stop_ids` are the ids that end an assistant's message."""

    tokenizer: Any
    stop_ids: frozenset[int]

    def prompt(self, context: Context) -> tuple[int, list[int]]:
        """How many of `context.tokens` stay, and the ids that follow them before the model writes."""
        ...

    def parse(self, ids: Sequence[int], context: Context) -> Parsed:
        """Text and calls from sampled ids (with or without the stop id). Never raises: what is broken is text."""
        ...

    def write(self, action: Action, context: Context) -> list[int]:
        """The ids, stop id included, that `parse` reads as `action`. Raises UsageError if there are none."""
        ...


class CompactCodec:
    """For small models made for the purpose: one token a role, one line a call: `name argument argument`.

    Arguments come in the order of the tool's schema; the last one may hold spaces.  Those that `given(context)` knows
    (the file and line that a statement names, say) are left out of the line and filled in.  A line that is not a call
    of a tool is text.  The tokenizer must have the `MARKERS` as single tokens.
    """

    MARKERS = ("<|pad|>", "<|end|>", "<|act|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")

    def __init__(self, tokenizer: Any, given: Callable[[Context], Mapping[str, Any]] = lambda context: {}) -> None:
        self.tokenizer = tokenizer
        self.given = given
        ids = {marker: tokenizer.convert_tokens_to_ids(marker) for marker in self.MARKERS}
        if missing := [marker for marker, id in ids.items() if id is None or id == tokenizer.unk_token_id]:
            raise UsageError(f"the tokenizer lacks {', '.join(missing)}: make it with `models.train_tokenizer`")
        self._ids = ids
        self._end = ids["<|end|>"]
        self.stop_ids = frozenset({self._end})

    def prompt(self, context: Context) -> tuple[int, list[int]]:
        kept = len(context.tokens)
        ids = [self._end] if kept and context.tokens[-1] != self._end else []
        for message in unseen(context):
            ids += [self._ids[f"<|{message.role}|>"], *self._encode(message.text)]
        return kept, [*ids, self._ids["<|act|>"]]

    def parse(self, ids: Sequence[int], context: Context) -> Parsed:
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True).strip()
        calls = [self._call(line, index, context) for index, line in enumerate(text.split("\n"))]
        if not text or any(call is None for call in calls):
            return text, ()
        return "", tuple(call for call in calls if call is not None)

    def write(self, action: Action, context: Context) -> list[int]:
        given = self.given(context)
        text = "\n".join(self._line(call, given) for call in action.calls) or action.text
        ids = [*self._encode(text), self._end]
        _, calls = self.parse(ids, context)
        said, meant = ([(call.name, _loads(call.arguments)) for call in each] for each in (calls, action.calls))
        if said != meant:
            raise UsageError(f"this codec cannot say {action.calls or action.text!r}")
        return ids

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _call(self, line: str, index: int, context: Context) -> ToolCall | None:
        name, *words = line.split(" ")
        tool = next((tool for tool in context.tools if tool.name == name), None)
        if tool is None:
            return None
        given = self.given(context)
        schema: Mapping[str, Any] = tool.parameters["properties"]
        open_fields = [field for field in schema if field not in given]
        if len(words) > len(open_fields) > 0:
            last = len(open_fields) - 1
            words = [*words[:last], " ".join(words[last:])]
        needed = [field for field in tool.parameters.get("required", []) if field not in given]
        if not len(needed) <= len(words) <= len(open_fields):
            return None
        arguments = {field: given[field] for field in schema if field in given}
        arguments |= {field: _value(word, schema[field]) for field, word in zip(open_fields, words, strict=False)}
        return ToolCall(f"call_{index}", name, json.dumps(arguments))

    def _line(self, call: ToolCall, given: Mapping[str, Any]) -> str:
        arguments = _loads(call.arguments)
        return " ".join([call.name, *(str(value) for field, value in arguments.items() if field not in given)])


class ChatCodec:
    """For any Hugging Face chat model: its own chat template, and calls as `<tool_call>{json}</tool_call>`.

    The first prompt is the template's; later ones are what the template puts after an assistant's message, told from
    a dummy conversation, so templates that rewrite their past do no harm.  A tokenizer whose template knows no tools
    gets TRL's ChatML one (a copy of the tokenizer: yours is left alone).
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = _with_tools(tokenizer)
        self._end = self._end_of_turn()
        self.stop_ids = frozenset({self._end, self.tokenizer.eos_token_id})

    def prompt(self, context: Context) -> tuple[int, list[int]]:
        tools = [tool.openai() for tool in context.tools] or None
        if not context.tokens:
            return 0, self._encode(self._render([to_chat(m) for m in context.messages], tools))
        rest = self._encode(self._after_assistant([to_chat(m) for m in unseen(context)], tools))
        ended = context.tokens[-1] in self.stop_ids
        return len(context.tokens), rest if ended else [self._end, *rest]

    def parse(self, ids: Sequence[int], context: Context) -> Parsed:
        kept = [id for id in ids if id not in self.stop_ids]
        text: str = self.tokenizer.decode(kept, skip_special_tokens=True)
        found = [_hermes(match[1], index) for index, match in enumerate(_TOOL_CALL.finditer(text))]
        if not found or any(call is None for call in found):
            return text.strip(), ()
        return _TOOL_CALL.sub("", text).strip(), tuple(call for call in found if call is not None)

    def write(self, action: Action, context: Context) -> list[int]:
        parts = [action.text] if action.text else []
        for call in action.calls:
            body = f'{{"name": {json.dumps(call.name)}, "arguments": {call.arguments or "{}"}}}'
            parts.append(f"<tool_call>\n{body}\n</tool_call>")
        return [*self._encode("\n".join(parts)), self._end]

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def _render(self, messages: list[dict[str, Any]], tools: Any, prompt: bool = True) -> str:
        text: str = self.tokenizer.apply_chat_template(
            messages, tools=tools, add_generation_prompt=prompt, tokenize=False
        )
        return text

    def _after_assistant(self, new: list[dict[str, Any]], tools: Any) -> str:
        """What the template writes after an assistant's end of turn, when `new` follows."""
        say: dict[str, Any] = {"role": "assistant", "content": _DUMMY}
        if new and new[0]["role"] == "tool":
            call = {"name": "dummy", "arguments": {"x": _DUMMY}}
            say = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]}
        text = self._render([{"role": "user", "content": "-"}, say, *new], tools)
        _, found, rest = text.rpartition(_DUMMY)
        _, ended, rest = rest.partition(self.tokenizer.convert_ids_to_tokens(self._end))
        if not found or not ended:
            raise UsageError("the chat template does not mark where an assistant's message ends: give a codec for it")
        return rest

    def _end_of_turn(self) -> int:
        """The first special token after an assistant's message."""
        talk = [{"role": "user", "content": "-"}, {"role": "assistant", "content": _DUMMY}]
        text = self._render(talk, None, prompt=False).rpartition(_DUMMY)[2]
        special = set(self.tokenizer.all_special_ids)
        return next((id for id in self._encode(text) if id in special), int(self.tokenizer.eos_token_id))


_DUMMY = "agentgym dummy text"
_TOOL_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.S)
_NAMED = re.compile(r'"name"\s*:\s*"([^"]+)"')
_ARGUMENTS = re.compile(r'"arguments"\s*:\s*(.*?)\}?\s*\Z', re.S)


def unseen(context: Context) -> list[Message]:
    """The messages that the policy has not seen; its own last one is among its tokens and never rendered."""
    messages = list(context.messages[context.new :])
    while context.tokens and messages and messages[0].role == "assistant":
        del messages[0]
    return messages


def to_chat(message: Message) -> dict[str, Any]:
    """A message as chat templates take it. Raises UsageError for images, which text models can not see."""
    if not isinstance(message.content, str) and len(message.text) == 0 and message.content:
        raise UsageError("this codec renders text only: use an endpoint or a codec that takes images")
    chat: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.tool_calls:
        chat["tool_calls"] = [
            {"type": "function", "function": {"name": call.name, "arguments": _loads(call.arguments)}}
            for call in message.tool_calls
        ]
    return chat


def _with_tools(tokenizer: Any) -> Any:
    from trl.chat_template_utils import qwen2_5_chat_template, supports_tool_calling

    if tokenizer.chat_template and supports_tool_calling(tokenizer):
        return tokenizer
    if "<|im_start|>" not in tokenizer.get_vocab():
        raise UsageError("the tokenizer's chat template knows no tools and its tokens are not ChatML: give a codec")
    tokenizer = copy.copy(tokenizer)
    tokenizer.chat_template = qwen2_5_chat_template
    return tokenizer


def _hermes(body: str, index: int) -> ToolCall | None:
    """One call from the text between the tags; broken JSON with a name goes to the environment, to be answered."""
    try:
        call = json.loads(body)
        arguments = call.get("arguments", {})
        return ToolCall(
            f"call_{index}", str(call["name"]), arguments if isinstance(arguments, str) else json.dumps(arguments)
        )
    except (ValueError, KeyError, AttributeError):
        name, arguments = _NAMED.search(body), _ARGUMENTS.search(body)
        return ToolCall(f"call_{index}", name[1], arguments[1] if arguments else body) if name else None


def _value(word: str, schema: Mapping[str, Any]) -> Any:
    """A word as the schema's type, or as it is: then the environment says what is wrong."""
    kinds = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    if kinds & {"integer", "number", "boolean"}:
        try:
            return json.loads(word)
        except ValueError:
            return word
    return word


def _loads(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return {"_broken": arguments}
