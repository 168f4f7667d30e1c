"""Correct programs are not accused: in production order, in any order, whoever is cancelled."""

from __future__ import annotations

import pytest

from harness import explore
from tests.sensitivity.correct.corpus import CORRECT, MENDED, PROGRAMS, RELIES_ON_ORDER

ALL = {**CORRECT, **MENDED}


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_program_passes_in_production_order(name):
    explore(CORRECT[name], runs=20, allow=["one_order"])


@pytest.mark.parametrize("name", ALL)
def test_a_correct_program_passes_whoever_is_cancelled(name):
    explore(ALL[name], runs=60, cancel=True, allow=["one_order"])


@pytest.mark.parametrize("name", [one for one in CORRECT if one not in RELIES_ON_ORDER])
def test_a_correct_program_passes_in_any_order_of_what_is_ready(name):
    explore(CORRECT[name], runs=20, adversarial=True, allow=["one_order"])


def test_there_are_many_programs_and_each_has_a_name_of_its_own():
    assert len(CORRECT) == len(PROGRAMS) >= 140
    assert len(ALL) == len(CORRECT) + len(MENDED) >= 190


def test_only_programs_that_are_there_are_marked():
    assert RELIES_ON_ORDER.keys() <= ALL.keys()
