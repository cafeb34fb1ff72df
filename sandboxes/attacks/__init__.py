"""Attacks on a box from inside it, through the public Sandbox contract, against any backend.

Not a proof of isolation, and nothing here exploits the kernel: each attack tries one thing that agents have tried or
could, and reports what stopped it, as observed.  `python -m agentgym.sandboxes.attacks [backend]` prints the table.
The families are one a file beside this one; `arena` says what an attack is.
"""

from __future__ import annotations

from agentgym.sandboxes.attacks.arena import Arena, Attack, Inconclusive, Outcome, Succeeded, attacks, run_attacks

__all__ = ["Arena", "Attack", "Inconclusive", "Outcome", "Succeeded", "attacks", "run_attacks"]
