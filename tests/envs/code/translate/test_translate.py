"""Translation: right ones pass, wrong ones do not, and who embeds the original comes to nothing where it matters."""

import json

import pytest

from agentgym.envs.code.translate import languages
from agentgym.envs.code.translate.cheats import CHEATS
from agentgym.envs.code.translate.languages import LANGUAGES, PAIRS
from agentgym.envs.code.translate.specs import TRANSLATE
from agentgym.envs.code.translate.tasks import every, pair_of
from agentgym.envs.code.translate.verifier import TranslateVerifier
from agentgym.policy import Context
from agentgym.types import Observation

TO_C, TO_PYTHON = "train-0", "train-3"


async def test_ids_say_the_pair_and_programs_are_the_same_problem_in_all(runtime):
    assert [pair_of(f"train-{number}") for number in range(12)] == list(PAIRS)
    task = await every().get("test-7")
    assert task.env == "code/translate" and task.split == "test" and task.payload["pair"] == ["javascript", "c"]
    assert task.tags[-1] == "javascript-c"


@pytest.mark.parametrize("id", [TO_C, TO_PYTHON])
async def test_the_reference_is_right_and_a_small_change_is_not(verdict, id):
    task = await every().get(id)
    file = LANGUAGES[task.payload["pair"][1]].file
    right = task.secret["solution"][file]
    scores = await verdict(TranslateVerifier(), task, {file: right})
    assert scores["solved"].value == scores["outcome"].value == scores["passed"].value == 1.0, scores
    wrong = right.replace(" + 1", " + 2").replace(" 0", " 1")
    assert wrong != right
    assert (await verdict(TranslateVerifier(run_s=3), task, {file: wrong}))["outcome"].value == 0.0


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("int main(void) { return 1 }", "does not compile"),
        ("int main(void) { for (;;); }", "did not end within"),
        ("#include <stdio.h>\nint main(void) { for (;;) puts(\"x\"); }", ""),
        ("int main(void) { return *(int *)0; }", ""),
        ("#include <dlfcn.h>\nint main(void) { return dlopen(\"x\", 1) != 0; }", "may load no library: dlopen"),
        ('#include "/dev/zero"', ""),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_scored(verdict, source, why):
    task = await every().get(TO_C)
    scores = await verdict(TranslateVerifier(run_s=1, compile_s=5), task, {"main.c": source})
    assert scores["outcome"].value == 0.0 and why in scores["outcome"].reason and scores["outcome"].reason


@pytest.mark.parametrize(("name", "id"), [("embedded_exec", TO_C), ("embedded_shell", TO_PYTHON)])
async def test_embedding_the_original_would_work_if_it_could_start_it(verdict, id, name):
    task = await every().get(id)
    action = (await CHEATS[name]().act(Context([], [], Observation(), task)))[0]
    given = json.loads(action.calls[0].arguments)
    files = {given["path"]: given["text"]}
    assert (await verdict(TranslateVerifier(alone=False), task, files))["solved"].value == 1.0
    assert (await verdict(TranslateVerifier(), task, files))["solved"].value == 0.0


async def test_threads_and_forks_go_on_working(verdict):
    task = await every().get(TO_PYTHON)
    text = "import os, threading\nif os.fork() == 0:\n    os._exit(0)\nos.wait()\nt = threading.Thread(target=int)\nt.start()\nt.join()\n"
    scores = await verdict(TranslateVerifier(), task, {"main.py": text + task.secret["solution"]["main.py"]})
    assert scores["solved"].value == 1.0


async def test_tasks_are_pinned():
    """A change here is a change of the environment: raise its version, then these."""
    hashes = [(await every().get(id)).hash[:16] for id in ("train-0", "validation-1", "test-2")]
    assert hashes == PINNED
    assert TRANSLATE.id == "code/translate-v0" and languages.PROGRAMS


PINNED = ["4cf140445b01f9bf", "0064d891fca3e4e3", "7fb5293422fd29fa"]
