"""`python -m agentgym.trainers.learning [EXPERIMENT ...]`: run the experiments and write tables and plots.

Exit code 1: a shape that should be seen did not appear.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from agentgym.errors import UsageError
from agentgym.trainers.learning.experiments import EXPERIMENTS, chosen
from agentgym.trainers.learning.page import appeared
from agentgym.trainers.learning.runs import play, stored, write


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m agentgym.trainers.learning", description=__doc__)
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help=f"of {', '.join(EXPERIMENTS)} (all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--out", type=Path, default=Path("docs/learning"), help="folder of the page")
    parser.add_argument("--smoke", action="store_true", help="one batch of everything, in which nothing is learnt")
    parser.add_argument("--again", action="store_true", help="write the page anew from the folder's results.json")
    asked = parser.parse_args(argv)
    try:
        names = [experiment.name for experiment in chosen(asked.experiments)]
        if asked.again:
            outcomes = stored(asked.out)
            write(asked.out, outcomes)
        else:
            outcomes = play(names, asked.seeds, asked.jobs, asked.smoke, asked.out)
    except UsageError as error:
        parser.error(str(error))
    print(f"wrote {asked.out / 'results.md'}")
    return 0 if appeared(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
