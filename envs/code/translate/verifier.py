"""The verdict on a translation: it compiles, and prints on every hidden input exactly what the program prints.

OORL's reward (arXiv 2505.12723): 1 if it compiles and passes all unit tests, else 0.  Inputs go into the box one by one,
outputs are compared in the driver.  A translation is started so that the kernel lets it start no other program: what
embeds the original and calls its interpreter or compiler comes to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from agentgym.envs.code import boxes
from agentgym.envs.code.translate import languages
from agentgym.envs.code.translate.languages import LANGUAGES, PROGRAMS
from agentgym.envs.code.verifier import Bench, CodeVerifier, Judgement, lay, trouble
from agentgym.sandboxes.sandbox import SandboxLimits, SandboxSpec
from agentgym.tasks import Task

if TYPE_CHECKING:
    from agentgym.runtime import Runtime


class TranslateVerifier(CodeVerifier):
    """Metrics: "compiles" in {0, 1}, "passed", the share of hidden inputs with the right output.

    `compile_s` and `run_s` are seconds, for each run; `alone=False` lets a translation start other programs.
    """

    name: ClassVar[str] = "translate"
    limits: ClassVar[SandboxLimits] = languages.LIMITS

    def __init__(self, *, compile_s: float = 60.0, run_s: float = 10.0, alone: bool = True) -> None:
        self._compile_s, self._run_s, self._alone = compile_s, run_s, alone

    async def ground(self, task: Task, runtime: Runtime) -> SandboxSpec:
        await languages.require((task.payload["pair"][1],), runtime)
        return boxes.ground(PROGRAMS, runtime)

    async def judge(self, task: Task, files: Mapping[str, str], bench: Bench) -> Judgement:
        language = LANGUAGES[task.payload["pair"][1]]
        inputs, outputs = task.secret["inputs"], task.secret["outputs"]
        passed, wrong = 0, ""
        async with bench.open_box(bench.spec) as box:
            await lay(box, files)
            if why := await languages.trouble_compiling(box, language, self._compile_s):
                return Judgement(0.0, 0.0, f"does not compile: {why}", {"compiles": 0.0, "passed": 0.0})
            for number, (given, expected) in enumerate(zip(inputs, outputs, strict=True), 1):
                done = await languages.ran(box, language, given, self._run_s, alone=self._alone)
                why = trouble(done, self._run_s)
                if not why and done.stdout != expected.encode():
                    why = "another output"
                passed += not why
                wrong = wrong or (f"hidden input {number}: {why}" if why else "")
                if done.timed_out:
                    break
        metrics = {"compiles": 1.0, "passed": passed / len(inputs)}
        right = float(passed == len(inputs))
        return Judgement(right, right, wrong or "every output is right", metrics)
