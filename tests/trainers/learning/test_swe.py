"""The page of the software controls: arms by pairs, from their numbers of held-out episodes."""

import pytest

pytest.importorskip("torch")

from agentgym.evals.metrics import rate
from agentgym.trainers.demo.controls import ARMS, Control
from agentgym.trainers.demo.measure import Arm
from agentgym.trainers.learning.swe import main, page, write


def control(seed, name, right):
    share = rate([1.0] * right + [0.0] * (100 - right))
    arm = Arm(
        name=name, episodes=100, failed=0, completion=share, modification=share, resolve=share,
        first_edit=None, first_edit_chance=None, reward=1.0, turns=3.0,
    )  # fmt: skip
    return Control(seed=seed, arm=arm, reward=(0.0, 1.0), outcome=(0.0, 0.5))


def controls(**resolved):
    names = ["warm start", *ARMS]
    return [control(seed, name, resolved.get(name, 40)) for seed in range(3) for name in names]


@pytest.mark.slow
def test_arms_are_compared_by_pairs():
    text = page(controls(gated=70))
    (row,) = [line for line in text.splitlines() if line.startswith("| gated less direct")]
    mean, low = row.split("|")[2].split()[:2]
    assert mean == "0.300"
    assert float(low.strip("[,")) > 0.15
    assert "| gated, process x5 less direct, process x5 | 0.000 [-0." in text


@pytest.mark.slow
def test_the_page_can_be_written_again(tmp_path):
    write(tmp_path, controls(gated=70))
    first = (tmp_path / "swe.md").read_text()
    (tmp_path / "swe.md").unlink()
    assert main(["--again", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "swe.md").read_text() == first
    assert (tmp_path / "swe.png").stat().st_size > 5000


def test_without_numbers_it_says_what_to_do(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--again", "--out", str(tmp_path)])
    assert "run it without --again first" in capsys.readouterr().err
