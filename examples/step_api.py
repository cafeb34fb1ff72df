"""The step API by hand: play one repair task as its oracle would, and print what became known. Needs a sandbox."""

import asyncio

import agentgym
from agentgym.policy import Context


async def main() -> None:
    async with agentgym.Runtime() as runtime:
        env = agentgym.make("swe/release-v0", runtime=runtime)
        observation, _ = await env.reset(seed=0)
        messages = list(observation.messages)
        print(messages[0].text[:600])
        oracle, ended = env.spec.policies["oracle"](), False
        while not ended:
            context = Context(messages, list(env.toolbox.values()), observation, env.task, turn=env.turn)
            [action] = await oracle.act(context)
            observation, reward, terminated, truncated, info = await env.step(action)
            messages += [action.message(), *observation.messages]
            ended = terminated or truncated
            print(f"turn {env.turn}: {', '.join(call.name for call in action.calls) or 'text'}, reward {reward:+.2f}")
        print(f"ended by {info.end}: success {info.record.success:g}, reward {info.record.total:.2f}")
        await env.close()


asyncio.run(main())
