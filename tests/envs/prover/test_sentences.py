"""One step is exactly one sentence, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.prover.sentences import MOST_CHARS, as_step, split
from agentgym.errors import ToolError

PIECES = [
    "intros x.",
    "-",
    "--",
    "{",
    "}",
    "2:{",
    "all: auto.",
    "(* a. (* b. *) c *)",
    'idtac "a. b".',
    "now auto...",
    "x..y.",
]


def texts(text):
    return [sentence.text for sentence in split(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("a. b.\n", ["a.", "b."]),
        ("- a. + b.", ["-", "a.", "+", "b."]),
        ("{ a. }", ["{", "a.", "}"]),
        ("[goal]: { a. }", ["[goal]: {", "a.", "}"]),
        ("Nat.add_0_r x.(f) 1.5.", ["Nat.add_0_r x.(f) 1.5."]),
        ('Notation "x , .. , y" := 1.', ['Notation "x , .. , y" := 1.']),
        ("a (* . *) b. (* c. *)", ["a (* . *) b."]),
        ('(* "*) " *) a.', ["a."]),
        ('idtac "say ""it"". now". b.', ['idtac "say ""it"". now".', "b."]),
        ("auto... b.", ["auto...", "b."]),
    ],
)
def test_split(text, sentences):
    assert texts(text) == sentences


@given(st.lists(st.sampled_from([piece for piece in PIECES if not piece.startswith("(*")])))
def test_pieces_stay_what_they_are(pieces):
    assert texts("\n".join(pieces)) == pieces


@given(st.text(alphabet='ab.-+*{}()": \n', max_size=40))
def test_every_character_is_in_a_sentence_or_between(text):
    """Sentences lie in order, hold no blanks at either end, and leave only blanks and comments out."""
    try:
        sentences = split(text)
    except ValueError:
        return
    at = 0
    for sentence in sentences:
        between = text[at : sentence.start].strip()
        assert between == "" or between.startswith("(*")
        assert sentence.text == text[sentence.start : sentence.end] == sentence.text.strip()
        at = sentence.end


@given(st.text(alphabet='ab.-+*{}()": \n', max_size=40))
def test_a_step_is_one_sentence_for_a_second_reader_too(text):
    try:
        step = as_step(text)
    except ToolError:
        return
    assert texts(step + "\n" + "Qed.") == [step, "Qed."]


def test_tactics_get_the_selector_that_they_have():
    assert as_step(" (* why *) auto.\n") == "1: auto."
    assert as_step("Axiom bad : False.") == "1: Axiom bad : False."
    for step in ("-", "}", "{", "2: {", "all: auto.", "1-2,4: auto.", "[x]: auto.", "par: auto.", "Unshelve."):
        assert as_step(step) == step
    assert as_step("x := 1.") == "1: x := 1."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "none"),
        ("(* only *)", "none"),
        ("auto. auto.", "2 sentences"),
        ("- auto.", "2 sentences"),
        ("auto.\rAxiom bad : False.", "2 sentences"),
        ("auto", "full stop"),
        ("auto..", "full stop"),
        ('idtac "a.', "string"),
        ("(* auto.", "comment"),
        ("auto\x00.", "character"),
        ("auto\x0c.", "character"),
        ("\ud800.", "character"),
        ("x" * MOST_CHARS + ".", "characters"),
    ],
)
def test_what_is_no_step(text, why):
    with pytest.raises(ToolError, match=why):
        as_step(text)


@given(st.text(alphabet='abU.-+*{}()": \n1\x00', max_size=12))
def test_a_usual_tactic_is_what_a_closer_look_says(text):
    """A comment behind it has every step read character by character."""

    def told(text):
        try:
            return as_step(text)
        except ToolError:
            return None

    assert told(text + ".") == told(text + ". (**)")
