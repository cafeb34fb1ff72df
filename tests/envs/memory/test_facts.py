"""The ledger's rules, by hand; and the truth of whole streams, worked out in another way."""

from random import Random

from agentgym.envs.memory.dialogue.attributes import ATTRIBUTES
from agentgym.envs.memory.dialogue.facts import Claim, Ledger
from agentgym.envs.memory.dialogue.questions import answer
from agentgym.envs.memory.dialogue.stream import generate

ADA, BEA = "Ada Brandt", "Bea Stein"


def own(attribute, value, when, op="set", said=None, person=ADA):
    return Claim(person, attribute, value, when, when if said is None else said, op)


def ask(ledger, op, attribute="city", person=ADA, **more):
    return answer({"op": op, "person": person, "attribute": attribute, **more}, lambda *_: ledger)


def test_later_days_win_whatever_was_said_last():
    ledger = Ledger([own("city", "Rome", 10), own("city", "Paris", 5, said=12)])
    assert ask(ledger, "value") == "Rome"
    assert ask(ledger, "value", day=7) == "Paris"
    assert ask(ledger, "value", day=4) == "unknown"


def test_the_owners_word_wins_over_later_hearsay():
    rumour = Claim(ADA, "city", "Oslo", 20, 20, "set", BEA)
    assert ask(Ledger([own("city", "Rome", 10), rumour]), "value") == "Rome"
    assert ask(Ledger([rumour]), "value") == "Oslo"


def test_two_values_of_one_day_give_nothing():
    assert ask(Ledger([own("city", "Rome", 10), own("city", "Oslo", 10)]), "value") == "unknown"
    assert ask(Ledger([own("city", "Rome", 10), own("city", "Rome", 10)]), "value") == "Rome"


def test_a_correction_holds_from_the_beginning():
    ledger = Ledger([own("city", "Rome", 10), own("city", "Oslo", 15, "correct")])
    assert ask(ledger, "value", day=12) == ask(ledger, "value") == "Oslo"


def test_what_is_forgotten_is_gone_until_it_is_told_again():
    claims = [own("phone", "111-22", 1), own("phone", "", 2, "forget")]
    assert ask(Ledger(claims), "value", "phone") == "unknown"
    assert ask(Ledger([*claims, own("phone", "333-44", 3)]), "value", "phone") == "333-44"


def test_referring_back_takes_what_was_known_before_that_day():
    claims = [own("city", "Rome", 1, person=BEA), own("city", BEA, 5, "same"), own("city", "Oslo", 9, person=BEA)]
    assert ask(Ledger(claims), "value") == "Rome"
    circle = [own("city", BEA, 5, "same"), own("city", ADA, 6, "same", person=BEA)]
    assert ask(Ledger(circle), "value") == "unknown"


def test_lists_lose_and_regain_members():
    claims = [own("language", "Greek", 1), own("language", "Czech", 2), own("language", "Greek", 3, "drop")]
    assert ask(Ledger(claims), "members", "language") == "Czech"
    assert ask(Ledger([*claims, own("language", "Greek", 4)]), "members", "language") == "Czech, Greek"
    assert ask(Ledger(), "members", "language") == "unknown"


def test_events_are_counted_ordered_and_measured():
    ledger = Ledger(
        [own("trip", "Rome", 10, said=30), own("trip", "Oslo", 3, said=31), own("trip", "Rome", 10, said=40)]
    )
    assert ask(ledger, "count", "trip") == "2"
    assert ask(ledger, "first", "trip", value="Rome", other="Oslo") == "Oslo"
    assert ask(ledger, "days", "trip", value="Rome", other="Oslo") == "7"
    assert ask(ledger, "date", "trip", value="Rome") == "0001-01-10"
    assert (
        ask(ledger, "date", "trip", value="Turin")
        == ask(ledger, "days", "trip", value="Rome", other="Bari")
        == "unknown"
    )


def test_two_hops_and_nicknames():
    ledger = Ledger([own("sister", BEA, 1), own("city", "Rome", 2, person="Bibi"), own("alias", "Bibi", 3, person=BEA)])
    assert ask(ledger, "value", link="sister") == "Rome"
    assert ask(ledger, "country", person=BEA) == "Italy"


def test_the_state_at_the_end_agrees_with_a_plain_replay():
    for seed in range(3):
        stream = generate(Random(seed), 30_000)
        ledger = Ledger(claim for claim in stream.claims if claim)
        now, lists, events = {}, {}, set()
        for claim in filter(None, stream.claims):
            key = (claim.person, claim.attribute)
            kind = ATTRIBUTES[claim.attribute].kind
            if not claim.own:
                continue
            if kind == "event":
                events.add((*key, claim.value))
            elif kind == "list":
                (lists.setdefault(key, set()).discard if claim.op == "drop" else lists.setdefault(key, set()).add)(
                    claim.value
                )
            elif claim.op == "forget":
                now.pop(key)
            else:
                now[key] = now[claim.value, claim.attribute] if claim.op == "same" else claim.value
        current = ledger.current()
        assert {(p, a, v) for p, a, v in current if ATTRIBUTES[a].kind == "list"} == {
            (*key, value) for key, values in lists.items() for value in values
        }
        assert {(p, a, v[11:]) for p, a, v in current if ATTRIBUTES[a].kind == "event"} == events
        singles = {(p, a): v for p, a, v in current if ATTRIBUTES[a].kind == "single"}
        assert {key: singles.get(key) for key in now} == now
