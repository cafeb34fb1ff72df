"""The truth about generated programs is shown, not asserted: the flawed twin is attacked with success, the other is not."""

import re
from collections import Counter

import pytest

from agentgym.envs.code.vuln.families import FAMILIES
from agentgym.envs.code.vuln.program import build
from agentgym.envs.code.vuln.proof import prove
from agentgym.sandboxes.bubblewrap import Bubblewrap
from agentgym.sandboxes.sandbox import SandboxSpec


async def check_proofs(seeds):
    box = await Bubblewrap.start(SandboxSpec())  # it has this machine's C compiler
    try:
        for name, family in FAMILIES.items():
            for seed in seeds:
                for vulnerable in (True, False):
                    proof = await prove(build(family, seed, vulnerable), box, f"{name}-{seed}-{vulnerable}")
                    assert (proof.works, proof.exploited) == (True, vulnerable), (name, seed, vulnerable, proof.said)
    finally:
        await box.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_every_flaw_can_be_exploited_and_every_repair_stops_it():
    await check_proofs([7])


@pytest.mark.nightly
@pytest.mark.timeout(1200)
async def test_that_holds_for_other_names_and_layouts():
    await check_proofs(range(100, 115))


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_twins_are_made_of_the_same_words(name):
    """No pattern that looks at one line at a time, nor any count of words, can tell them apart."""
    for seed in range(5):
        flawed, repaired = (build(FAMILIES[name], seed, vulnerable) for vulnerable in (True, False))
        assert flawed.files.keys() == repaired.files.keys() and flawed.files != repaired.files
        assert words(flawed) == words(repaired)
        assert marks_left(flawed) == marks_left(repaired) == []


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_the_truth_is_marked(name):
    for vulnerable, role in ((True, "flaw"), (False, "guard")):
        program = build(FAMILIES[name], 3, vulnerable)
        assert sorted(place.role for place in program.places) == sorted([role, "sink"])
        for place in program.places:
            line = program.files[place.file].split("\n")[place.start - 1]
            assert line.strip() and place.symbol


def test_names_and_layout_follow_the_seed():
    family = FAMILIES["path-decoded-late"]
    assert build(family, 1, True) == build(family, 1, True)
    assert len({str(build(family, seed, True).files) for seed in range(30)}) == 30


def words(program):
    return Counter(word for text in program.files.values() for word in re.findall(r"\w+|[<>=!]=|\S", text))


def marks_left(program):
    return [text for text in program.files.values() if re.search(r"<<\w|\w>>|(#|//)@|^[-+]\|", text, re.M)]
