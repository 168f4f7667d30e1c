"""What --help says: each command in a line that is not cut, each option with its default."""

from __future__ import annotations

import pytest
import typer.main

from harness.choices.randomness import SEED_MAX
from harness.cli.app import app
from harness.runs import batch
from harness.search.pieces import plan
from harness.search.strategies.portfolio import STRATEGIES

# The room that a list of commands has for each.
SUMMARY_LETTERS_MAX = 45


def commands_of(group):
    for name, command in group.commands.items():
        yield name, command
        if hasattr(command, "commands"):
            yield from ((f"{name} {inner}", one) for inner, one in commands_of(command))


COMMANDS = dict(commands_of(typer.main.get_command(app)))
OPTIONS = {
    f"{name} --{option.name}": option
    for name, command in COMMANDS.items()
    for option in command.params
    if option.param_type_name == "option" and not option.hidden and not option.is_flag
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_summed_up_in_a_sentence_that_is_not_cut(name):
    summary = COMMANDS[name].get_short_help_str(SUMMARY_LETTERS_MAX)
    assert summary.endswith(".")
    assert not summary.endswith("...")


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_says_what_it_takes_and_what_holds_without_it(name):
    option = OPTIONS[name]
    assert option.metavar, "say what it takes, not of which type of Python that is"
    shown = option.show_default and option.default is not None
    assert shown or "Default: " in option.help or "needs it" in option.help


def test_figures_in_the_help_are_those_that_hold():
    told = {name: option.help for name, option in OPTIONS.items()}
    assert f"1 to {plan.RUNS_MAX:,}. Default: {plan.RUNS_DEFAULT}," in told["explore --runs"]
    for jobs_max, name in ((plan.JOBS_MAX, "explore"), (batch.JOBS_MAX, "run")):
        assert f"1 to {jobs_max}." in told[f"{name} --jobs"]
    assert f"from {batch.RUNS_FOR_PROCESSES_MIN} runs on" in told["run --jobs"]
    assert SEED_MAX == 2**64 - 1
    assert all("0 to 2^64 - 1" in one for name, one in told.items() if name.endswith("--seed"))


def test_every_strategy_stands_on_a_line_of_its_own_below_the_options(harness):
    lines = [line.strip() for line in harness("explore", "--help").stdout.splitlines()]
    assert [f"* {name}: {does}" for name, does in STRATEGIES.items()] == lines[-len(STRATEGIES) :]
