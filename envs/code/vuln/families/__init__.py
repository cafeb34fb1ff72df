"""Every family of weaknesses. Which split a family's programs go to is said by the family: no CWE is in two splits."""

from __future__ import annotations

from agentgym.envs.code.vuln.families import access, injection, memory, paths, reading, secrets_, web
from agentgym.envs.code.vuln.template import Family

FAMILIES: dict[str, Family] = {
    family.name: family
    for module in (paths, injection, reading, web, access, secrets_, memory)
    for family in module.FAMILIES
}
