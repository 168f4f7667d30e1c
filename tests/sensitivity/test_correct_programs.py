"""Correct programs are not accused, in production order and with cancellations."""

from __future__ import annotations

import pytest

from harness import explore
from tests.sensitivity.correct.corpus import CORRECT
from tests.sensitivity.zoo.catalogue import ZOO


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_program_passes_in_production_order(name):
    explore(CORRECT[name], runs=20, allow=["one_order"])


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_program_passes_whoever_is_cancelled(name):
    explore(CORRECT[name], runs=60, cancel=True, allow=["one_order"])


@pytest.mark.parametrize("name", ZOO)
def test_a_mended_twin_passes_whoever_is_cancelled(name):
    async def main():
        await ZOO[name].program(True)

    explore(main, runs=40, cancel=True, allow=["one_order"])


def test_there_are_programs_of_each_kind():
    assert len(CORRECT) >= 40
