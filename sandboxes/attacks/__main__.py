"""Print what each attack tried and what stopped it: `python -m agentgym.sandboxes.attacks [backend]`. Exit 1 if any got through."""

from __future__ import annotations

import asyncio
import sys

from agentgym import backends
from agentgym.sandboxes.attacks import run_attacks


def main() -> int:
    backend = backends.choose(sys.argv[1] if len(sys.argv) > 1 else "auto")
    outcomes = asyncio.run(run_attacks(backend))
    print(f"| attack on {backend.name} | tried | stopped by |\n|---|---|---|")
    for each in outcomes:
        seen = each.seen.replace("|", "\\|").replace("\n", " ")
        print(f"| {each.name} | {each.tries} | {seen if each.held else f'**NOT STOPPED**: {seen}'} |")
    through = [each.name for each in outcomes if not each.held]
    print(f"\n{len(outcomes)} attacks, {len(through)} not stopped{': ' if through else ''}{', '.join(through)}")
    return 1 if through else 0


if __name__ == "__main__":
    sys.exit(main())
