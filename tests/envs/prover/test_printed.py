"""What coqidetop prints, read by cutting at its tags: the same as a tree of elements says, and nothing can pass for a tag."""

from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgym.envs.prover.backend import Goal, Goals
from agentgym.envs.prover.coq import printed, xml
from agentgym.errors import SandboxError

WORDS = st.lists(st.sampled_from([*"ab .<>&;'☃/", '"', "\n", "</string>", "&lt;"]), max_size=6).map("".join)
BREAK = '<ppdoc val="break"><pair><int>{}</int><int>-1</int></pair></ppdoc>'
NAME = '<ppdoc val="string"><string>x</string></ppdoc>'
LEAVES = st.one_of(
    WORDS.map(lambda word: f'<ppdoc val="string"><string>{coq_escape(word)}</string></ppdoc>'),
    st.integers(0, 3).map(BREAK.format),
    st.sampled_from(['<ppdoc val="newline"/>', '<ppdoc val="empty"/>']),
)
BOXES = (
    '<ppdoc val="box"><pair><ppbox val="hovbox"><int>0</int></ppbox><ppdoc val="glue"><list>'
    + NAME
    + "{}</list></ppdoc></pair></ppdoc>",
    '<ppdoc val="glue"><list>{}</list></ppdoc>',
    '<ppdoc val="box"><pair><ppbox val="hovbox"><int>2</int></ppbox><ppdoc val="glue"><list>{}</list></ppdoc></pair></ppdoc>',
    '<ppdoc val="tag"><pair><string>constr.type</string><ppdoc val="glue"><list>{}</list></ppdoc></pair></ppdoc>',
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.sampled_from(BOXES), st.lists(inner, min_size=1, max_size=4)).map(
        lambda made: made[0].format("".join(made[1]))
    ),
    max_leaves=12,
).map(lambda document: BOXES[1].format(NAME + document))
GOALS = st.tuples(st.lists(DOCUMENTS, max_size=3), DOCUMENTS)


def coq_escape(word):
    return escape(word, {'"': "&quot;", "'": "&apos;", " ": "&nbsp;"})


def listed(texts):
    return f"<list>{''.join(texts)}</list>" if texts else "<list/>"


def goal(made):
    hypotheses, conclusion = made
    return f'<goal><string>7</string>{listed(hypotheses)}{conclusion}<option val="none"/></goal>'


def by_tree(document):
    """A second reader."""
    parts = []
    for each in ElementTree.fromstring(document.replace("&nbsp;", " ")).iter("ppdoc"):
        match each.get("val"):
            case "string":
                parts.append(each[0].text or "")
            case "break":
                parts.append(" " * int(each[0][0].text))
            case "newline":
                parts.append("\n")
    return "".join(parts).strip()


@given(st.lists(GOALS, max_size=3), st.lists(st.tuples(GOALS, GOALS), max_size=2), st.lists(GOALS, max_size=2))
def test_goals_are_what_a_tree_says(here, behind, shelved):
    zipper = [f"<pair>{listed([goal(left)])}{listed([goal(right)])}</pair>" for left, right in behind]
    lists = listed(list(map(goal, here))) + listed(zipper) + listed(list(map(goal, shelved))) + "<list/>"
    said = f'<value val="good"><option val="some"><goals>{lists}</goals></option></value>'
    (answer,) = xml.answers(said.encode(), 1)
    layers = (here, [each for pair in behind for each in pair], shelved, [])
    told = answer.goals
    for layer, found in zip(layers, (told.here, told.elsewhere, told.shelved, told.given_up), strict=True):
        assert [(each.hypotheses, each.conclusion) for each in found] == [
            (tuple(map(by_tree, hypotheses)), by_tree(conclusion)) for hypotheses, conclusion in layer
        ]


def test_failures_and_messages_of_both_versions():
    """Rocq 9 tells the place of an error as an element, Coq 8.16 as attributes."""
    document = '<ppdoc val="string"><string>No&nbsp;&lt;/value&gt;&#60;.</string></ppdoc>'
    note = f'<feedback_content val="message"><message><message_level val="notice"/><option val="none"/>{document}</message>'
    note = f'<feedback object="state" route="0"><state_id val="4"/>{note}</feedback_content></feedback>'
    old = f'<value val="fail" loc_s="0" loc_e="5"><state_id val="3"/>{document}</value>'
    new = (
        f'<value val="fail"><state_id val="3"/><option val="some"><loc start="0" stop="5"/></option>{document}</value>'
    )
    for value in (old, new):
        (answer,) = xml.answers((note + value).encode(), 1)
        assert (answer.good, answer.state, answer.message) == (False, 3, "No </value>&#60;.")
        assert answer.messages == ("No </value>&#60;.",)


@pytest.mark.parametrize(
    "said",
    [
        "nonsense</value>",
        '<value val="good"><unit/></value>rest',
        '<value val="maybe"></value>',
        '<value val="good"><option val="some"><goals><list/></goa></option></value>',
        '<value val="fail"><state_id val="1"/><ppdoc val="string"><string>a</string>b</ppdoc></value>',
    ],
)
def test_what_breaks_the_protocol(said):
    with pytest.raises(ValueError, match="protocol"):
        xml.answers(said.encode(), 1)


@pytest.mark.parametrize(
    "lists",
    [
        "<list/>",
        "<list><goal>x</goal></list><list/><list/><list/>",
        "<list><goal>x</list><list/><list/><list/>",
        f"<list><goal><list>{BOXES[0][:-8].format('')}</list>{NAME}</goal></list><list/><list/><list/>",
    ],
)
def test_goals_that_break_the_protocol_are_an_infrastructure_failure_when_read(lists):
    goals = printed.Listed(f"<goals>{lists}</goals>".encode())
    with pytest.raises(SandboxError, match="protocol"):
        goals.count  # noqa: B018


def test_goals_say_whether_any_are_left_without_being_read():
    here = goal(([], NAME))
    open_ = printed.Listed(f"<goals><list>{here}</list><list/><list/><list/></goals>".encode())
    given_up = printed.Listed(f"<goals><list/><list/><list/><list>{here}</list></goals>".encode())
    done = printed.Listed(b"<goals><list/><list/><list/><list/></goals>")
    assert [each.kind for each in (open_, given_up, done)] == ["open", "given_up", "finished"]
    assert open_ == Goals((Goal((), "x"),)) and hash(open_) == hash(Goals((Goal((), "x"),)))
    assert Goals((Goal((), "x"),)) == open_ != done == Goals()
    assert (open_.kind, done.kind) == ("open", "finished")


def test_a_document_is_read_whole():
    deep = BOXES[1].format(NAME)
    for _ in range(500):
        deep = BOXES[2].format(deep)
    assert printed.text(deep.encode()) == "x"
