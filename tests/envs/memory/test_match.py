"""Answers: typed match, and the field's measures with numbers worked out by hand."""

import pytest

from agentgym.envs.memory.match import Question, locomo_f1, right, squad_em, squad_f1
from agentgym.envs.memory.stem import porter


def ask(type, *answers):
    return Question("q", "kind", "?", type, answers)


@pytest.mark.parametrize(
    ("type", "gold", "given", "value"),
    [
        ("name", "The Copper Pot", "the copper pot.", 1),
        ("name", "Łódź", "łódź", 1),
        ("name", "Paris", "Paris and Rome", 0),
        ("name", "Paris", "", 0),
        ("name", "Paris", "unknown", 0),
        ("date", "2024-05-02", "2 May 2024", 1),
        ("date", "2024-05-02", "3 May 2024", 0),
        ("date", "2024-05-02", "in May", 0),
        ("number", "12", "twelve", 1),
        ("number", "7", "7 days", 1),
        ("number", "7", "7 or 8", 0),
        ("number", "7", "x" * 1_000_000, 0),
        ("members", "cello, oboe", "oboe and cello", 1),
        ("members", "cello, oboe", "cello", 0),
        ("members", "cello, oboe", "cello, oboe, harp", 0),
        ("contains", "red Fiat", "It was a red Fiat, I think", 1),
        ("name", "unknown", "Unknown.", 1),
        ("name", "unknown", "Paris", 0),
        ("name", "unknown", "", 0),
        ("text", "a red car", "the red bus", 0.5),
    ],
)
def test_whether_an_answer_is_right(type, gold, given, value):
    assert right(ask(type, gold), given) == value


def test_any_of_several_answers_is_right():
    assert right(ask("name", "Paris", "Paname"), "paname") == 1


def test_squads_measures():
    assert squad_em("The cat!", "cat") == 1
    assert squad_f1("a b c d", "c d e") == pytest.approx(2 * (2 / 3) * (2 / 3) / (4 / 3))  # "a" is an article
    assert squad_f1("", "") == 1 and squad_f1("x", "") == 0


def test_locomos_measure():
    assert locomo_f1("running shoes", "run shoe", 4) == 1
    assert locomo_f1("tea, cakes", "cake", 1) == 0.5
    assert locomo_f1("yes; because of tea", "yes", 3) == 1
    assert locomo_f1("", "No information available.", 5) == 1 and locomo_f1("", "Paris", 5) == 0


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        *(("caresses", "caress"), ("ponies", "poni"), ("cats", "cat"), ("agreed", "agre"), ("plastered", "plaster")),
        *(("motoring", "motor"), ("hopping", "hop"), ("filing", "file"), ("happy", "happi"), ("relational", "relat")),
        *(("conditional", "condit"), ("digitizer", "digit"), ("triplicate", "triplic"), ("hopeful", "hope")),
        *(
            ("goodness", "good"),
            ("revival", "reviv"),
            ("adjustable", "adjust"),
            ("adoption", "adopt"),
            ("rate", "rate"),
        ),
        *(("controll", "control"), ("roll", "roll"), ("by", "by")),
    ],
)
def test_porters_own_examples(word, stem):
    assert porter(word) == stem
