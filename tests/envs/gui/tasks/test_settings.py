"""The settings: what is asked for differs from what is, in words of its split, and only a form that is offered sets anything."""

from __future__ import annotations

from random import Random

import pytest

from agentgym.envs.gui.tasks.settings.app import SettingsApp
from agentgym.envs.gui.tasks.settings.schema import draw, entries, sections
from agentgym.envs.gui.tasks.specs import TASKS
from agentgym.envs.gui.tasks.verifier import GuiTasksVerifier
from agentgym.envs.web.http import Request
from agentgym.tasks import Task
from agentgym.verifier import Evidence


def app() -> SettingsApp:
    case = draw(Random(1), False)
    return SettingsApp(list(case.order), case.before, case.after)


def test_cases_change_one_to_three_settings_and_say_which():
    for seed in range(200):
        case = draw(Random(seed), bool(seed % 2))
        changed = [key for key in entries() if case.before[key] != case.after[key]]
        assert 1 <= len(changed) <= 3
        assert all(entries()[key][1].label in case.goal for key in changed)
        assert sorted(case.order) == sorted(section.key for section in sections())


def test_the_test_split_has_words_of_its_own():
    said = [{draw(Random(seed), held_out).goal.partition("“")[0] for seed in range(300)} for held_out in (False, True)]
    assert len(said[0]) > 5 and len(said[1]) > 3
    assert not said[0] & said[1]


@pytest.mark.parametrize("request_", [
    Request("GET", "/set/network.wi-fi", {"value": "on"}),
    Request("POST", "/set/network.wi-fi", {}, {"value": "maybe"}),
    Request("POST", "/set/network.network-type", {"value": "2G"}, {}),
    Request("POST", "/set/network.nothing", {}, {"value": "on"}),
    Request("POST", "/set/sound.ring-volume", {}, {"value": "50", "step": "7"}),
    Request("POST", "/", {}, {"value": "on"}),
    Request("GET", "/s/../../etc/passwd"),
])  # fmt: skip
def test_nothing_else_sets_anything(request_):
    settings = app()
    before = dict(settings.now)
    assert settings.answer(request_).status in (303, 400, 404)
    assert settings.now == before


def test_what_is_written_is_shown_as_text():
    settings = app()
    settings.answer(Request("POST", "/set/profile.full-name", {}, {"value": "<script>1</script>"}))
    assert "<script>" not in str(settings.answer(Request("GET", "/s/profile")).body)


@pytest.mark.parametrize(("change", "end", "worth"), [
    ({}, "terminated", 1.0), ({}, "turn_limit", 0.0), ({}, "given_up", 0.0), ({"network.wi-fi": "?"}, "terminated", 0.0),
])  # fmt: skip
async def test_the_verdict_wants_all_as_asked_nothing_more_and_to_be_told(runtime, change, end, worth):
    import json

    after = draw(Random(1), False).after
    artefacts = {"app": "settings", "stage": "task", "settings": json.dumps(after | change)}
    scores = await GuiTasksVerifier().verify(
        Evidence(Task("t", TASKS.id, {}, {"after": after}), artefacts, (), end), runtime
    )
    assert scores[0].value == worth
