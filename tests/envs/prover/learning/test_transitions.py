"""The store of tactics: what is written once, what survives a crash, what is a positive, what is a pair."""

import pytest

from agentgym.envs.prover.learning.transitions import Searched, TransitionStore
from agentgym.errors import UsageError
from tests.envs.prover.learning.conftest import transition


def searched(theorem="t", round=1, proof=("auto.",)):
    return Searched(theorem=theorem, round=round, proof=proof, tactics=3, cpu_s=0.1)


def test_what_is_there_is_not_written_again(tmp_path):
    store = TransitionStore(tmp_path / "a" / "t.jsonl")
    store.add([transition(), transition(), transition(round=1)], searched())
    size = store.path.stat().st_size
    store.add([transition(), transition(round=1)], searched(proof=None))
    assert len(store) == 2 and store.path.stat().st_size == size
    store.add([transition(proved=True)])
    assert len(store) == 3 and len(store.positives()) == 1
    store.add([transition()])
    assert len(store) == 3


def test_it_is_read_again_and_a_cut_line_is_dropped(tmp_path):
    path = tmp_path / "t.jsonl"
    store = TransitionStore(path)
    store.add([transition(tactic='"entry":"searched"', logprob=-1.5, tokens=3), transition(kind="error")], searched())
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"theorem": "half')
    again = TransitionStore(path)
    assert again.transitions == store.transitions and again.searched == store.searched
    assert path.read_bytes() == whole
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(UsageError, match="line 1"):
        TransitionStore(path)


def test_only_verified_proofs_are_positives_and_only_refused_siblings_are_rejected(tmp_path):
    store = TransitionStore(tmp_path / "t.jsonl")
    store.add(
        [
            transition(tactic="win.", proved=True),
            transition(tactic="win.", proved=True, round=2),
            transition(tactic="bad.", kind="error"),
            transition(tactic="slow.", kind="timeout"),
            transition(tactic="other."),
            transition(tactic="bad.", kind="error", before="elsewhere"),
            transition(tactic="bad2.", kind="error", theorem="u"),
            transition(tactic="done.", kind="finished", before="elsewhere"),
        ]
    )
    assert [each.tactic for each in store.positives()] == ["win."]
    assert [each.round for each in store.positives([2])] == [2] and store.positives([1]) == []
    assert [(each.chosen, each.rejected) for each in store.pairs()] == [("win.", "bad."), ("win.", "slow.")]
