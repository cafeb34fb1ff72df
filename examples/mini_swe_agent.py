"""mini-swe-agent, unmodified, repairs a real package in our box. Its deterministic model plays; any of its models may.

With an endpoint: `python -m agentgym.envs.swe.mini_swe_agent swe/release-v0 --model openai/NAME --limit 1`.
"""

import asyncio
from typing import Any

from agentgym import Runtime
from agentgym.envs.swe.mini_swe_agent import collect, maker
from agentgym.envs.swe.specs import RELEASE


def scripted(patch: str) -> Any:
    """A model that answers with three commands, the second of which is the reference solution."""
    from minisweagent.models.test_models import DeterministicToolcallModel, make_toolcall_output

    commands = ["ls", f"patch -p1 <<'EOF'\n{patch}EOF", "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"]
    outputs = [
        make_toolcall_output(f"Step {number}.", [], [{"command": command, "tool_call_id": f"call_{number}"}])
        for number, command in enumerate(commands)
    ]
    return DeterministicToolcallModel(outputs=outputs)


async def main() -> None:
    async with Runtime() as runtime:
        task = (await runtime.tasks(RELEASE).take("train", 1))[0]
        make = maker(lambda: scripted(task.secret["oracle"]), cost_limit=0)
        async for trajectory in collect(RELEASE, make, [task], runtime=runtime):
            for turn in trajectory.turns:
                print(turn.action.text, turn.action.calls[0].name)
            print(f"{task.id}: {trajectory.status}, ended by {trajectory.end}, success {trajectory.success}")


asyncio.run(main())
