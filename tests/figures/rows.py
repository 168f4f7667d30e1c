"""The figures that were promised: a row each, with its bound, and the function that measures it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from tests.figures import (
    comparing,
    correct,
    drawn_timings,
    environments,
    noise,
    orders,
    pairs,
    profiles,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.figures.figure import Figure, Options

__all__ = ["ROWS", "Row", "When"]


class When(StrEnum):
    """When a row is measured."""

    EVERY_CI = "every CI"
    NIGHTLY = "nightly"
    ONCE = "once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One promised figure.

    ``ci`` says what of ``.ci/run`` measures it, for rows of every CI: the tests of this folder, or
    another environment of tox.
    """

    name: str
    text: str
    bound: str
    when: When
    measure: Callable[[Options], Figure]
    ci: str = "unit"


_EVERY_CI, _NIGHTLY, _ONCE = When.EVERY_CI, When.NIGHTLY, When.ONCE
_ALL = (
    Row(
        name="baseline",
        text="what runs, searches and commands gave at b22c461, compared with what they give now",
        bound="all equal",
        when=_NIGHTLY,
        measure=environments.baseline,
    ),
    Row(
        name="speed",
        text="CPU seconds of five programs against b22c461, both from wheels, in pairs",
        bound="no program over 1.05 (near end of the 95 % interval)",
        when=_NIGHTLY,
        measure=pairs.speed,
    ),
    Row(
        name="circles",
        text="modules, and packages, that import each other in a circle",
        bound="0",
        when=_EVERY_CI,
        measure=tree.circles,
    ),
    Row(
        name="loose",
        text="modules in harness/ that lie in no package",
        bound="at most 4",
        when=_EVERY_CI,
        measure=tree.loose,
    ),
    Row(
        name="folders",
        text="folders of more than 15 files, but those of like things",
        bound="0",
        when=_EVERY_CI,
        measure=tree.folders,
    ),
    Row(
        name="serve-imports",
        text="modules outside harness/miden that import serve",
        bound="0",
        when=_EVERY_CI,
        measure=tree.serve_imports,
    ),
    Row(
        name="stock-orders",
        text="orders of 2,000 drawn programs on stock asyncio, looked for in production mode",
        bound="all found",
        when=_NIGHTLY,
        measure=orders.stock_orders,
    ),
    Row(
        name="bad-profiles",
        text="kinds of bad latency profiles that are refused with their mistakes, word for word",
        bound="at least 30, and all of them",
        when=_EVERY_CI,
        measure=profiles.refused,
    ),
    Row(
        name="live-profile",
        text="speed-up of 2, 8 and 10 users under the profile live-2-cores, beside live runs",
        bound="no further off than 10 %",
        when=_NIGHTLY,
        measure=profiles.fidelity,
    ),
    Row(
        name="guesses",
        text="ten questions of which file does what, asked of a reader who sees only ls -R",
        bound="at least 9.5 right",
        when=_ONCE,
        measure=partial(
            environments.by_hand,
            how="give a reader the output of ls -R harness serve, and ask for ten files",
        ),
    ),
    Row(
        name="reviewers",
        text="ten questions on what is claimed, shown and not shown, asked of a reader who sees"
        " only the folders of tox -e benchmark and tox -e integration",
        bound="all right",
        when=_ONCE,
        measure=partial(
            environments.by_hand,
            how="give a reader .tox/report-benchmark and .tox/report-integration, and ask ten"
            " questions of somebody else",
        ),
    ),
    Row(
        name="lines",
        text="lines of Python in both packages, without tests; 37,042 at b22c461",
        bound="at most 35,500 with the features of then",
        when=_ONCE,
        measure=tree.lines,
    ),
    Row(
        name="core",
        text="the compiled core is in what was installed, and in use, where there is a C compiler",
        bound="yes",
        when=_EVERY_CI,
        measure=tree.core,
    ),
    Row(
        name="live",
        text="every scenario live, against a real node, from the built wheels",
        bound="passes",
        when=_EVERY_CI,
        measure=partial(environments.tox, "integration"),
        ci="integration",
    ),
    Row(
        name="slow-tests",
        text="the tests that take over ten seconds each, which tox -e unit leaves out",
        bound="pass",
        when=_NIGHTLY,
        measure=environments.slow_tests,
    ),
    Row(
        name="readme",
        text="README's two commands in a fresh clone, wall seconds",
        bound="25 s; 600 s",
        when=_ONCE,
        measure=environments.readme,
    ),
    Row(
        name="readme-busy",
        text="the same beside eight busy processes",
        bound="both pass",
        when=_ONCE,
        measure=partial(environments.readme, busy=8),
    ),
    Row(
        name="python",
        text="another CPython (--python): install, scenarios, tests, digests, exhaustive counts",
        bound="pass; equal to 3.11",
        when=_NIGHTLY,
        measure=environments.other_python,
    ),
    Row(
        name="start-up",
        text="harness run of one scenario against python -c 'import asyncio', wall, in pairs",
        bound="at most 1.21 (near end of the 95 % interval)",
        when=_NIGHTLY,
        measure=pairs.start_up,
    ),
    Row(
        name="memory",
        text="10,000 idle tasks in a simulation against stock asyncio, resident memory, in pairs",
        bound="at most 1.28 (near end of the 95 % interval)",
        when=_NIGHTLY,
        measure=pairs.memory,
    ),
    Row(
        name="compare-power",
        text="harness compare --run: 10 times 5 % planted in one path, 20 times unchanged code",
        bound="found in at least 9 of 10, accused in at most 1 of 20",
        when=_ONCE,
        measure=comparing.power,
    ),
    Row(
        name="docs",
        text="the documentation as a site, warnings as errors; its recipes are run by the tests",
        bound="builds",
        when=_EVERY_CI,
        measure=partial(environments.tox, "docs"),
        ci="docs",
    ),
    Row(
        name="stranger",
        text="five things asked by others, looked for in the documentation by a stranger",
        bound="5 of 5 found",
        when=_ONCE,
        measure=partial(
            environments.by_hand,
            how="give a stranger the built site, and ask for five things that issues asked for",
        ),
    ),
    Row(
        name="speedup-error",
        text="wrong verdicts on drawn timings of known ratio (1.0 to 3.0), 200 times each",
        bound="at most 5 %",
        when=_EVERY_CI,
        measure=drawn_timings.wrong_verdicts,
    ),
    Row(
        name="speedup-noise",
        text="live speed-ups, 10 runs each (--runs): quiet, beside 2 loops, 2 of other sessions, 8",
        bound="quiet all pass; beside loops none fails, and each UNKNOWN comes within 10 rounds",
        when=_ONCE,
        measure=noise.speedup_noise,
    ),
    Row(
        name="correct",
        text="correct programs (our own, mended ones, users of public code), 2,000 runs each, in"
        " production order, with cancellations and, but those that rely on order, adversarial",
        bound="at least 200 programs; none accused, none hangs, none unknown",
        when=_NIGHTLY,
        measure=correct.accused,
    ),
    Row(
        name="neighbours",
        text="one's own serve.py and harness/, and five plugins of pytest, installed beside it",
        bound="nothing of theirs breaks",
        when=_NIGHTLY,
        measure=environments.neighbours,
    ),
)
ROWS: dict[str, Row] = {row.name: row for row in _ALL}
