"""mini-swe-agent, unmodified, as an outside agent: it works in our boxes, our verifiers judge, our stores keep it.

`python -m agentgym.envs.swe.mini_swe_agent` is the command line; `play` and `collect` are for programs.
"""

from agentgym.envs.swe.mini_swe_agent.agents import Make as Make
from agentgym.envs.swe.mini_swe_agent.agents import maker as maker
from agentgym.envs.swe.mini_swe_agent.play import collect as collect
from agentgym.envs.swe.mini_swe_agent.play import play as play

__all__ = ["Make", "collect", "maker", "play"]
