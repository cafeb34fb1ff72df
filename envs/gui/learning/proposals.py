"""Proposals: places on a screenshot that an instruction may mean, with what can be seen of each. No label is known here.

Three kinds: where words of the instruction are written (`glyphs`), things that stand out from what is around them, and a grid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

import torch
from torch import Tensor

from agentgym.envs.gui.learning.glyphs import Match, Sight

WORDS = 1_024
"""Buckets that the words of instructions are hashed into."""
FEATURES, FIT = 20, 6
"""How many, and which of them says how well the words fit."""
_MATCHES, _THINGS, _GRID = 6, 120, (8, 6)
_QUOTED = re.compile(r"“([^”]+)”|„([^“”]+)[“”]|«\s*([^»]+?)\s*»|「([^」]+)」|'(.+?)'(?=[\s.,:;)?]|$)")
_ENDS = ".,:;?!)("
_CELL = 4
_SPREAD = 64


@dataclass(slots=True)
class Proposals:
    """points: (n, 2) in pixels of the picture. features: (n, FEATURES). words: hashed, (m,)."""

    points: Tensor
    features: Tensor
    words: Tensor


def propose(sight: Sight, instruction: str) -> Proposals:
    """What an agent that reads `instruction` may point at in `sight`."""
    spans = spans_of(instruction)
    matches = [sight.find(span, _MATCHES) for span in spans]
    rows: list[tuple[float, float, int, Match | None]] = [
        (each.x, each.y, n, each) for n, found in enumerate(matches) for each in found
    ]
    rows += [(x, y, -1, None) for x, y in things(sight)]
    wide, high = sight.size
    rows += [
        ((i + 0.5) * wide / _GRID[0], (j + 0.5) * high / _GRID[1], -2, None)
        for j in range(_GRID[1])
        for i in range(_GRID[0])
    ]
    anchors = [found[0] if found else None for found in matches]
    features = torch.tensor([_features(row, matches) for row in rows])
    features = torch.cat([features, _relations(rows, anchors)], dim=1)
    points = torch.tensor([[x, y] for x, y, _, _ in rows])
    return Proposals(points / sight.scale, features, words_of(instruction))


def unseen(size: tuple[int, int], instruction: str) -> Proposals:
    """What is left for one who does not look at the picture of `size`: a fine grid, where its cells lie, and the instruction."""
    across, down = 24, 18
    cells = torch.tensor([((i + 0.5) / across, (j + 0.5) / down) for j in range(down) for i in range(across)])
    features = torch.zeros(len(cells), FEATURES)
    features[:, :2], features[:, 2] = cells, size[0] / size[1]
    features[:, 3:11] = torch.cat([(cells * 3.14 * n).cos() for n in (1, 2, 4, 8)], dim=1)
    return Proposals(cells * torch.tensor(size), features, words_of(instruction))


def spans_of(instruction: str) -> list[str]:
    """What may be written on the screen: what is in quotes (the first and the last of it), else how the instruction ends."""
    quoted = [next(group for group in match.groups() if group) for match in _QUOTED.finditer(instruction)]
    if quoted:
        return [quoted[0], quoted[-1]][: len(quoted)]
    plain = re.sub(r"\s*[(（][^)）]*[)）]\s*$", "", instruction).strip(_ENDS + " ")
    words = plain.split()
    starts = [n for n in range(1, len(words)) if words[n][:1].isupper()][:2] or [len(words) - 1]
    return [" ".join(words[n:]) for n in starts] if words else []


def words_of(instruction: str) -> Tensor:
    """Words and pairs of words of the instruction without what is quoted, hashed."""
    frame = _QUOTED.sub(" □ ", instruction.lower())
    words = re.findall(r"□|\d+|[^\W\d_]+", frame)
    grams = [*words, *(" ".join(pair) for pair in pairwise(words))]
    return torch.tensor([int.from_bytes(sha256(gram.encode()).digest()[:4], "big") % WORDS for gram in grams] or [0])


def things(sight: Sight) -> list[tuple[float, float]]:
    """Middles of what stands out: parts of the picture with contrast, joined where they nearly touch, of a size to point at."""
    cells = torch.nn.functional.max_pool2d(sight.contrast[None, None], _CELL, ceil_mode=True) > 0.06
    mask = torch.nn.functional.max_pool2d(cells.float(), (1, 3), 1, (0, 1))
    high, wide = mask.shape[-2:]
    labels = mask * torch.arange(1, high * wide + 1, dtype=torch.float32).reshape(1, 1, high, wide)
    for _ in range(_SPREAD):
        labels = torch.nn.functional.max_pool2d(labels, 3, 1, 1) * mask
    flat = labels.flatten().long()
    inside = flat.nonzero().flatten()
    names, group = torch.unique(flat[inside], return_inverse=True)
    low, top = torch.full((len(names), 2), 1e9), torch.full((len(names), 2), -1.0)
    where = torch.stack([inside % wide, inside // wide], dim=1).float()
    low = low.scatter_reduce(0, group[:, None].expand(-1, 2), where, "amin")
    top = top.scatter_reduce(0, group[:, None].expand(-1, 2), where, "amax")
    extent = (top - low + 1) * _CELL
    fit = (extent >= 8).all(1) & (extent[:, 0] <= 420) & (extent[:, 1] <= 90)
    middles = ((low + top + 1) * _CELL / 2)[fit]
    return [(float(x), float(y)) for x, y in middles[:_THINGS]]


def _features(row: tuple[float, float, int, Match | None], matches: list[list[Match]]) -> list[float]:
    _, _, kind, match = row
    several = len(matches) > 1
    kinds = [kind == 0 and not several, kind == 0 and several, kind == 1, match is not None, kind == -1, kind == -2]
    fit = [0.0, 0.0] if match is None else [match.score, match.score - matches[kind][0].score]
    return [*map(float, kinds), *fit]


def _relations(rows: list[tuple[float, float, int, Match | None]], anchors: list[Match | None]) -> Tensor:
    """Where each place lies from the first words that were found, and the how manyth it is in that direction."""
    anchor = next((each for each in anchors if each is not None), None)
    made = torch.zeros(len(rows), FEATURES - 8)
    if anchor is None:
        return made
    here = torch.tensor([[x - anchor.x, y - anchor.y] for x, y, _, _ in rows])
    made[:, 0:2] = (here / 100).clamp(-3, 3)
    made[:, 2] = anchor.score
    things = torch.tensor([kind == -1 for _, _, kind, _ in rows])
    beside = (here[:, 1].abs() < 14), (here[:, 0].abs() < anchor.width / 2 + 60)
    edge = anchor.width / 2
    for n, (near, far, aligned) in enumerate(
        (
            (edge, here[:, 0], beside[0]),
            (edge, -here[:, 0], beside[0]),
            (8, here[:, 1], beside[1]),
            (8, -here[:, 1], beside[1]),
        )
    ):
        lies = aligned & (far > near) & things
        made[:, 3 + n] = lies.float()
        order = far.masked_fill(~lies, 1e9).argsort().argsort()
        made[:, 7 + n] = lies.float() / (1 + order)
    made[:, 11] = (here.norm(dim=1) / 300).clamp(max=2)
    return made
