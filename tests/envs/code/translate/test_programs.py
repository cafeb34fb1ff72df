"""The little language: its own meaning, and that every printer keeps to it in the real languages that this machine has."""

import logging
from dataclasses import replace
from random import Random

import pytest

from agentgym.envs.code.translate import languages
from agentgym.envs.code.translate.ir import OutOfBounds, interpret, parse
from agentgym.envs.code.translate.languages import LANGUAGES
from agentgym.envs.code.translate.printers import PRINTERS
from agentgym.envs.code.translate.stages import STAGES
from agentgym.envs.code.translate.tasks import TranslateTasks, pair_of
from agentgym.envs.code.verifier import lay
from agentgym.errors import TaskError

RUN = "def run(a: list, n, s: list, m):\n"
INPUTS = [([0], "a"), ([-7, 12, 99], "abba"), ([5, -99, 0, 41, 41, -3, 8, 77], "zebraaab")]


def printed(body, numbers=(7,), word="ab"):
    return interpret(parse(RUN + body), list(numbers), word).split("\n")[:-1]


def test_division_rounds_as_it_is_told():
    assert printed(
        "    emit(-7 // 2, -7 % 2, tdiv(-7, 2), tmod(-7, 2), 7 // -2, 7 % -2, tdiv(7, -2), tmod(7, -2))"
    ) == ["-4 1 -3 -1 -4 -1 -3 1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "    emit(a[n])", "    emit(a[-1])", "    emit(n // (n - n))", "    x = 99999 * 99999\n    emit(x)",
        "    while n > 0:\n        n += 0", "    a[9] = 1", "    emit(-1 >> 1)", "    b = [0] * -1", "    emit(tmod(n, 0))",
    ],
)  # fmt: skip
def test_what_no_language_agrees_on_is_no_program(body):
    with pytest.raises(OutOfBounds):
        printed(body, [1], "a")


def test_arrays_are_shared_with_functions_and_numbers_are_not():
    text = f"def f(b: list, x):\n    b[0] = x\n    x = 9\n    return x\n\n{RUN}    c = [4] * 2\n    y = 1\n    emit(f(c, y), y, c[0], c[1])"
    assert interpret(parse(text), [1], "a") == "9 1 1 4\n"


def program(names, seed):
    rng = Random(seed)
    parts = [STAGES[name](rng, number) for number, name in enumerate(names, 1)]
    functions = "\n".join(text.strip("\n") + "\n" for text, _ in parts if text)
    return functions + "\n" + RUN + "".join(lines.strip("\n") + "\n" for _, lines in parts)


def fine(names):
    """A program of these stages that stays within bounds on the inputs, and what it prints."""
    for seed in range(50):
        functions = parse(program(names, f"{names} {seed}"))
        try:
            return functions, [interpret(functions, *given) for given in INPUTS]
        except OutOfBounds:
            continue
    raise AssertionError(f"no program of {names}")


async def agree(runtime, name, groups):
    """Programs made of each group of stages print the same in the language `name` as by `interpret`."""
    language = LANGUAGES[name]
    for group in groups:
        functions, expected = fine(group)
        source = PRINTERS[name]().program(functions)
        ground = languages.ground(languages.PROGRAMS, runtime)
        box = await runtime.sandbox(replace(ground, limits=languages.LIMITS))
        try:
            await lay(box, {language.file: source})
            assert await languages.trouble_compiling(box, language, 60) == "", source
            for (numbers, word), wanted in zip(INPUTS, expected, strict=True):
                given = f"{len(numbers)}\n{' '.join(map(str, numbers))}\n{word}\n"
                done = await languages.ran(box, language, given, 30, alone=False)
                assert (done.stdout.decode(), done.exit_code) == (wanted, 0), f"{done.stderr.decode()}\n{source}"
        finally:
            await runtime.release_sandbox(box)


def stages(count):
    names = sorted(STAGES)
    return [names[at : at + count] for at in range(0, len(names), count)]


async def works(runtime, name):
    """Skips, with the reason, where the language's tools are not there or do not run in a box."""
    if why := (await languages.missing(runtime, [name])).get(name):
        pytest.skip(f"{LANGUAGES[name].title} does not work in boxes here: {why}")


async def test_python_and_c_work_wherever_tests_run(runtime):
    assert not {"python", "c"} & (await languages.missing(runtime, ["python", "c"])).keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", LANGUAGES)
async def test_every_stage_means_the_same_in(runtime, name):
    await works(runtime, name)
    await agree(runtime, name, stages(7))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LANGUAGES)
async def test_every_stage_alone_means_the_same_in(runtime, name):
    await works(runtime, name)
    await agree(runtime, name, stages(1))


async def test_a_missing_language_is_said_and_its_pairs_are_not_offered(runtime, monkeypatch, caplog):
    async def none(runtime, names=LANGUAGES):
        return {"java": "no javac (apt-get install default-jdk-headless)"} if "java" in names else {}

    monkeypatch.setattr(languages, "missing", none)
    tasks = TranslateTasks(runtime)
    ids = tasks.ids("train")
    with caplog.at_level(logging.WARNING, "agentgym"):
        listed = [await anext(ids) for _ in range(20)]
    assert not any("java" in pair_of(id) for id in listed) and "train-2" not in listed
    assert "no tasks with Java here: no javac" in caplog.text
    with pytest.raises(TaskError, match="default-jdk-headless"):
        await tasks.get("train-2")
    with pytest.raises(TaskError, match="ids are like"):
        await tasks.get("train-x")
