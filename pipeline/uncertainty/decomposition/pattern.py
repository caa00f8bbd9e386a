"""Few blocks stand for all of their shape until prices settle: cheap rounds before the dear ones."""

from __future__ import annotations

import numpy as np

from pipeline.program.linear_program import Floats
from pipeline.uncertainty.decomposition.loop import Bounds, Loop
from pipeline.uncertainty.decomposition.pricing import Block

STAND_INS = 5  # blocks of one shape that stand for all of it
GAP = 5e-4
ROUNDS = 40
QUEUE = 3  # prices at which every block is asked before the master's


def settle_prices(loop: Loop, *, gap: float, deadline: float) -> None:
    """Leave the stand-ins' best prices as the loop's centre, their answers in its master, and what else to ask first in its queue."""
    chosen, copies = _stand_ins(loop.blocks)
    if len(chosen) == len(loop.blocks):
        return
    whole = loop.master, loop.copies
    loop.copies, loop.bounds = copies, Bounds()
    loop.master = loop.new_master(copies, shift=_imbalance(loop, copies))
    met = [answer for answer in loop.met if answer.block in copies]
    loop.master.add(met, loop.blocks)
    loop.rounds(chosen, gap=0.9 * gap if met else min(GAP, gap / 2), deadline=deadline, most=ROUNDS, pool=False, still=True)
    answers = loop.master.answers[len(met) :]
    loop.bases = {block.shape: block.live.getBasis() for block in chosen}  # those of the first prices lie further off
    if not met:
        _queue(loop, len(chosen))
    (loop.master, loop.copies), loop.bounds = whole, Bounds()
    loop.master.add(answers, loop.blocks)


def _imbalance(loop: Loop, copies: dict[int, float]) -> Floats:
    """By how much the coupling rows of all blocks, where every scenario was met, differ from those of the stand-ins."""
    found = np.zeros(loop.own.row_lower.size)
    for answer in loop.met:
        found[answer.link_rows] += (1.0 - copies.get(answer.block, 0.0)) * answer.link_values
    return found


def _stand_ins(blocks: list[Block]) -> tuple[list[Block], dict[int, float]]:
    """Some blocks of every shape in which scenarios meet, evenly over their order, and all others; how many each stands for."""
    groups: dict[tuple[int, int, int], list[Block]] = {}
    for block in blocks:
        groups.setdefault(block.shape if block.joint else (-1, block.number, 0), []).append(block)
    chosen: list[Block] = []
    copies: dict[int, float] = {}
    for group in groups.values():
        some = [group[k] for k in np.unique(np.linspace(0, len(group) - 1, STAND_INS).round().astype(int))]
        copies |= {block.number: len(group) / len(some) for block in some}
        chosen += some
    return chosen, copies


def _queue(loop: Loop, each: int) -> None:
    """Of the prices that were asked, those whose answers the mixture uses most."""
    shares = loop.bounds.best.shares if loop.bounds.best is not None else np.zeros(0)
    used = np.bincount(np.arange(shares.size) // each, weights=shares, minlength=len(loop.asked))
    order = np.argsort(-used, kind="stable")[:QUEUE]
    loop.queue = [loop.asked[k] for k in order if used[k] > 0 and loop.asked[k] is not loop.centre]
