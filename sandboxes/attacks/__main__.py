"""Print what each attack tried and what stopped it: `python -m agentgym.sandboxes.attacks [backend]`.

The exit status is 1 if an attack got through.
"""

from __future__ import annotations

import asyncio
import sys

from agentgym import backends
from agentgym.sandboxes.attacks import run_attacks
from agentgym.sandboxes.conformance import Backend


async def table(backend: Backend) -> tuple[str, int]:
    """The report in Markdown, and how many attacks were not stopped."""
    outcomes = await run_attacks(backend)
    lines = [f"| attack on {backend.name} | tried | stopped by |", "|---|---|---|"]
    for each in outcomes:
        seen = each.seen.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {each.name} | {each.tries} | {seen if each.held else f'**NOT STOPPED**: {seen}'} |")
    through = [each.name for each in outcomes if not each.held]
    end = f"{len(outcomes)} attacks, {len(through)} not stopped{': ' if through else ''}{', '.join(through)}"
    return "\n".join([*lines, "", end]), len(through)


def main() -> int:
    text, through = asyncio.run(table(backends.choose(sys.argv[1] if len(sys.argv) > 1 else "auto")))
    print(text)
    return 1 if through else 0


if __name__ == "__main__":
    sys.exit(main())
