"""Codecs: what is written is read back, only what is new is rendered, and broken output never raises."""

import json

import pytest

pytest.importorskip("torch")

from hypothesis import given
from hypothesis import strategies as st

from agentgym import Environment, tool
from agentgym.errors import UsageError
from agentgym.policies.codec import ChatCodec, CompactCodec
from agentgym.policy import Context
from agentgym.tasks import Task
from agentgym.trainers.models import train_tokenizer
from agentgym.types import Action, Message, Observation, ToolCall

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Desk(Environment):
    @tool
    def apply(self, path: str, line: int, choice: int = 0) -> str:
        """Apply."""
        return ""

    @tool
    def say(self, text: str) -> str:
        """Say."""
        return ""

    @tool
    def submit(self) -> str:
        """Submit."""
        return ""


TOOLS = list(Desk.toolbox.values())
TASK = Task("t", "e/x-v0", {})


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["apply submit say text 0123456789"] * 4, 300)


@pytest.fixture(scope="module")
def chat():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]
    made.train_from_iterator([], trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", bos_token="<|im_start|>")
    tokenizer.chat_template = CHATML
    return ChatCodec(tokenizer)


def context(*messages: Message, **more) -> Context:
    return Context(messages or (Message("user", "go"),), TOOLS, Observation(), TASK, **more)


def call(name: str, **arguments) -> ToolCall:
    return ToolCall("call_0", name, json.dumps(arguments))


ACTIONS = [
    Action(calls=(call("apply", path="a b.py", line=3, choice=1),)),
    Action(calls=(call("apply", path="a.py", line=3),)),
    Action(calls=(call("say", text="hello there, you"),)),
    Action(calls=(call("submit"),)),
    Action("no call at all"),
]


@pytest.mark.parametrize("action", ACTIONS[1:], ids=str)
def test_compact_reads_what_it_writes(tokenizer, action):
    codec = CompactCodec(tokenizer)
    ids = codec.write(action, context())
    assert ids[-1] in codec.stop_ids
    assert codec.parse(ids, context()) == (action.text, action.calls)


def test_compact_refuses_what_it_cannot_say(tokenizer):
    with pytest.raises(UsageError, match="cannot say"):
        CompactCodec(tokenizer).write(ACTIONS[0], context())
    with pytest.raises(UsageError, match="cannot say"):
        CompactCodec(tokenizer, lambda context: {"line": 4}).write(ACTIONS[1], context())


def test_compact_leaves_out_what_is_given(tokenizer):
    codec = CompactCodec(tokenizer, lambda context: {"path": "a b.py", "line": 3})
    ids = codec.write(ACTIONS[0], context())
    assert tokenizer.decode(ids[:-1]) == "apply 1"
    assert codec.parse(ids, context()) == ("", ACTIONS[0].calls)


@given(st.text(max_size=40))
def test_compact_never_raises_on_what_a_model_wrote(tokenizer, text):
    codec = CompactCodec(tokenizer)
    said, calls = codec.parse(tokenizer.encode(text), context())
    assert calls or said is not None


@pytest.mark.parametrize("text", ["apply", "apply a.py", "submit now", "fly 3", "submit\nfly"])
def test_compact_takes_broken_grammar_for_text(tokenizer, text):
    codec = CompactCodec(tokenizer)
    assert codec.parse(tokenizer.encode(text), context()) == (text, ())


def test_compact_gives_a_bad_argument_to_the_environment(tokenizer):
    _, (made,) = CompactCodec(tokenizer).parse(tokenizer.encode("apply a.py seven"), context())
    assert json.loads(made.arguments) == {"path": "a.py", "line": "seven"}


def test_compact_renders_only_what_is_new(tokenizer):
    codec = CompactCodec(tokenizer)
    keep, first = codec.prompt(context())
    assert (keep, tokenizer.decode(first)) == (0, "<|user|>go<|act|>")
    messages = (Message("user", "go"), Action(calls=(call("submit"),)).message(), Message("tool", "done"))
    cut = [*first, 50, 51]
    keep, more = codec.prompt(context(*messages, new=2, tokens=cut))
    assert (keep, tokenizer.decode(more)) == (len(cut), "<|end|><|tool|>done<|act|>")
    assert codec.prompt(context(*messages, new=2, tokens=[*first, 1]))[1] == more[1:]


def test_compact_needs_its_markers(chat):
    with pytest.raises(UsageError, match="lacks"):
        CompactCodec(chat.tokenizer)


@pytest.mark.parametrize("action", ACTIONS, ids=str)
def test_chat_reads_what_it_writes(chat, action):
    ids = chat.write(action, context())
    assert ids[-1] in chat.stop_ids
    text, calls = chat.parse(ids, context())
    assert text == action.text
    assert [(c.name, json.loads(c.arguments)) for c in calls] == [
        (c.name, json.loads(c.arguments)) for c in action.calls
    ]


def test_chat_says_the_tools_once_and_then_only_what_is_new(chat):
    keep, first = chat.prompt(context())
    assert keep == 0
    text = chat.tokenizer.decode(first)
    assert text.count('"apply"') == 1
    assert text.endswith("<|im_start|>assistant\n")
    said = chat.write(ACTIONS[3], context())
    messages = (Message("user", "go"), ACTIONS[3].message(), Message("tool", "done", (), "call_0"))
    keep, more = chat.prompt(context(*messages, new=2, tokens=[*first, *said]))
    assert keep == len(first) + len(said)
    whole = chat.tokenizer.apply_chat_template(
        [
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"type": "function", "function": {"name": "submit", "arguments": {}}}],
            },
            {"role": "tool", "content": "done"},
        ],
        tools=[tool.openai() for tool in TOOLS],
        add_generation_prompt=True,
        tokenize=False,
    )
    rendered = chat.tokenizer.decode([*first, *said, *more])
    assert rendered.replace("assistant\n<tool_call>", "assistant\n\n<tool_call>") == whole or rendered == whole
    cut = chat.prompt(context(*messages, new=2, tokens=[*first, *said[:-1]]))[1]
    assert cut == [said[-1], *more]


def test_chat_gives_broken_json_to_the_environment(chat):
    ids = chat.tokenizer.encode('<tool_call>\n{"name": "apply", "arguments": {"line": 3,}}\n</tool_call>')
    _, (made,) = chat.parse(ids, context())
    assert (made.name, made.arguments) == ("apply", '{"line": 3,}')


@given(st.text(max_size=60))
def test_chat_never_raises_on_what_a_model_wrote(chat, text):
    said, calls = chat.parse(chat.tokenizer.encode(f"<tool_call>{text}"), context())
    assert isinstance(said, str) and all(call.name and isinstance(call.arguments, str) for call in calls)
