"""Streams: what was said can be read back exactly, noise claims nothing, and what is held out stays out."""

import time
from random import Random

import pytest

from agentgym.envs.memory import dates
from agentgym.envs.memory.dialogue import banks
from agentgym.envs.memory.dialogue.attributes import ATTRIBUTES, HELD_OUT
from agentgym.envs.memory.dialogue.facts import Ledger
from agentgym.envs.memory.dialogue.reading import hear, note, read
from agentgym.envs.memory.dialogue.stream import generate


def test_every_attribute_has_eight_ways_of_being_said_and_holds_some_out():
    assert all(len(set(each.phrasings)) >= 8 > HELD_OUT for each in ATTRIBUTES.values())
    for bank in (banks.HEARSAY, banks.CORRECTIONS, banks.DROPS, banks.FORGETS, banks.BACK):
        assert len(set(bank)) >= 8


@pytest.mark.parametrize("seed", range(4))
def test_each_line_is_heard_as_its_claim_and_no_other_line_as_one(seed):
    stream = generate(Random(seed), 60_000, held_out=True)
    ledger = Ledger(claim for claim in stream.claims if claim)
    ops = set()
    for line, claim in zip(stream.lines, stream.claims, strict=True):
        heard = hear(line)
        if claim is None or heard is None:
            assert heard is claim, line
            continue
        ops.add(claim.op)
        same = (claim.attribute, claim.when, claim.said, claim.op, claim.source)
        assert (heard.attribute, heard.when, heard.said, heard.op, heard.source) == same, line
        assert ledger.resolve(heard.person) == claim.person, line
        assert ledger.resolve(heard.value) == ledger.resolve(claim.value), line
    assert ops == {"set", "correct", "same", "drop", "forget"}


def test_noise_claims_nothing():
    words = {
        name: ATTRIBUTES[name].values[0] for name in ("city", "job", "car", "pet", "dish", "employer", "instrument")
    }
    for text in (*banks.SMALL_TALK, *banks.TAILS, *banks.ASSISTANT_TALK, *banks.DISTRACTORS):
        for speaker in ("Ada Brandt", "Assistant"):
            assert hear(f"2024-05-02 {speaker}: {text.format(**words)}") is None


def test_held_out_phrasings_are_spoken_in_the_test_split_only():
    marks = [each.phrasings[-1].split("{")[0] for each in ATTRIBUTES.values()]
    marks = [mark for mark in marks if len(mark) > 8]
    seen, held = ("\n".join(generate(Random(1), 60_000, held_out=out).lines) for out in (False, True))
    assert not any(f": {mark}" in seen for mark in marks)
    assert sum(f": {mark}" in held for mark in marks) > len(marks) // 2


def test_streams_are_a_function_of_their_seed_and_as_long_as_asked():
    for size in (1_000, 400_000):
        one, two = (generate(Random(5), size) for _ in range(2))
        assert one.lines == two.lines and one.claims == two.claims
        assert size <= sum(len(line) + 1 for line in one.lines) / 4 < size * 1.05 + 1_500


def test_half_a_million_words_a_second():
    began = time.process_time()
    stream = generate(Random(0), 400_000)
    took = time.process_time() - began
    assert sum(len(line.split()) for line in stream.lines) / took > 500_000


def test_two_people_share_a_first_name():
    for seed in range(5):
        people = generate(Random(seed), 5_000).people
        assert len(set(people)) == len(people)
        assert len({name.split()[0] for name in people}) < len(people)


def test_relative_dates_are_read_as_they_are_said():
    rng = Random(0)
    for today in range(738_000, 738_060):
        for ago in dates.OFFSETS:
            for _ in range(6):
                words = dates.say(today - ago, today, rng)
                assert dates.hear(words, today) == today - ago, words


@pytest.mark.parametrize("text", ["2024-05-02", "2 May 2024", "on 2 May 2024", "May 2, 2024", "2nd May 2024"])
def test_dates_in_many_forms(text):
    assert dates.iso(dates.read(text)) == "2024-05-02"


@pytest.mark.parametrize("text", ["", "31 February 2024", "soon", "0000-00-00", "2024-13-01", "Mai 2024"])
def test_what_is_no_date(text):
    assert dates.read(text) is None


def test_notes_are_read_as_the_claims_they_state():
    stream = generate(Random(2), 20_000)
    ledger = Ledger(claim for claim in stream.claims if claim)
    settled = [claim for key in ledger.keys for claim in ledger.settled(*key)]
    again = Ledger(read("\n".join(note(claim) for claim in settled)))
    assert again.current() == ledger.current()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|||",
        " | | | ",
        "2024-05-02 | Ada | shoe size | 42",
        "2024-05-02 | Ada | home town | Atlantis",
        "2024-99-02 | Ada | home town | Paris",
        "2024-05-02 |  | home town | Paris",
        "2024-05-02 Ada: " + "x" * 100_000,
        "2024-05-02 Ada: I moved to Paris some time ago.",
        "2024-05-02 " + "Ada " * 20_000 + ": I moved to Paris yesterday.",
        "\x00\ud800",
    ],
)
def test_what_cannot_be_read_claims_nothing(text):
    assert read(text) == []
