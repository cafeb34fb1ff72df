"""Tactics with slots, and the names that can fill them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.prover.backend import Goal
from agentgym.envs.prover.learning import scope
from agentgym.envs.prover.learning.templates import abstract, fill, slots

KNOWN = {"H", "n", "m", "le_trans", "IHn"}


@pytest.mark.parametrize(
    ("tactic", "template", "names"),
    [
        ("auto.", "auto.", ()),
        ("1: apply H.", "apply {0}.", ("H",)),
        ("rewrite IHn,\n  H in n.", None, None),
        ("apply (le_trans n n).", "apply ({0} {1} {1}).", ("le_trans", "n")),
        ("intros x y Hxy.", "intros.", ()),
        ("intro H.", "intro.", ()),
        ("intros x [y|z] H; auto.", "intros ? [?|?] ?; auto.", ()),
        ("destruct H as [x y] in m.", "destruct {0} as [? ?] in {1}.", ("H", "m")),
        ("induction n as [|k IHk]; simpl.", "induction {0} as [|? ?]; simpl.", ("n",)),
        ("intros k; induction k.", "intros k; induction k.", ()),
        ("destruct (f n) eqn:E.", "destruct (f {0}) eqn:?.", ("n",)),
        ("[intros a | auto].", "[intros ? | auto].", ()),
    ],
)
def test_templates(tactic, template, names):
    found = abstract(tactic, KNOWN)
    assert found == (None if template is None else (template, names))
    assert template is None or slots(template) == len(names)


@given(
    st.lists(st.sampled_from(["apply", "H", "n", "(", ")", ";", ",", "rewrite", "<-", "le_trans", "in"]), max_size=9)
)
def test_filling_the_slots_gives_the_tactic_back(words):
    tactic = " ".join(words) + "."
    found = abstract(tactic, KNOWN)
    assert found is None or fill(*found) == tactic


def test_names_in_reach():
    goal = Goal(("n, m : nat", "H : n <= m", "k := 2 : nat"), "forall (A B : Prop) (l : list (nat * A)), l = l")
    named = {each.name: each for each in scope.of_goal(goal)}
    assert list(named) == ["A", "B", "l", "k", "H", "m", "n"]
    assert named["l"].text == "list (nat * A)" and named["H"].text == "n <= m" and named["H"].kind == "hypothesis"
    header = "(* Lemma not : me. *) Definition f (n : nat) := n.\nLemma a : forall n, f n = n.\nProof. auto. Qed.\nLemma b: True."
    named = {each.name: each for each in scope.of_file(header + "\n")}
    assert list(named) == ["b", "a", "f"] and named["a"].text == "forall n, f n = n"
    assert [named[each].kind for each in "baf"] == ["lemma", "lemma", "definition"]
    assert (named["b"].age, named["a"].age) == (0, 1)
