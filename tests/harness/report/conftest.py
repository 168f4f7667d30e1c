"""Sample runs of every kind that a report must show: simulated and live, good, bad and unknown."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from harness.history.records import (
    Blocked,
    ClientRecord,
    Command,
    Diagnosis,
    ErrorRecord,
    Fault,
    History,
    LockHold,
    Measurement,
    NodeKind,
    Operation,
    Outcome,
    Pacing,
)
from harness.results.runs import RunReport, RunResult
from harness.results.verdict import CheckResult, Verdict
from tests.harness.report.explorations import (  # noqa: F401 - fixtures
    contended_history,
    cycle_history,
    cycle_schedule,
    dined,
    exploration_report,
    failing_schedule,
    found,
    hostile_exploration,
    hostile_schedule,
    large_schedule,
    nasty,
    passing_schedule,
    proven,
    refused,
    sold_twice,
)

LOCAL = "Localnet"


def key_of(user):
    return {"user": user, "network": LOCAL}


def operation(number, call, begin_s, end_s, *, user="alice", outcome=Outcome.RETURNED, **others):
    return Operation(
        number=number,
        step=others.pop("step", call),
        call=call,
        user=user,
        phase=others.pop("phase", "main"),
        task=f"task-{number}",
        begin_s=begin_s,
        end_s=end_s,
        outcome=outcome,
        **others,
    )


def spawn(number, user, begin_s, ready_s, exit_s=None, **others):
    return ClientRecord(
        number=number,
        key=key_of(user),
        task=f"task-{number}",
        begin_s=begin_s,
        ready_s=ready_s,
        exit_s=exit_s,
        outcome=others.pop("outcome", Outcome.RETURNED),
        **others,
    )


def command(client, user, name, begin_s, end_s, **others):
    return Command(
        client=client,
        key=key_of(user),
        name=name,
        task=f"client-{client}",
        begin_s=begin_s,
        end_s=end_s,
        outcome=others.pop("outcome", Outcome.RETURNED),
        **others,
    )


def check(name, verdict=Verdict.PASSED, expected="as it must be", seen="just that", **others):
    return CheckResult(name=name, verdict=verdict, expected=expected, seen=seen, **others)


def run(scenario, *, node="simulated", seed=48151, checks=(), history=None, **others):
    path = f"scenarios/{scenario}.toml"
    verdict = others.pop("verdict", Verdict.PASSED)
    live = node == "live"
    return RunResult(
        scenario=scenario,
        path=path,
        claim=others.pop("claim", "Something holds."),
        node=node,
        seed=seed,
        verdict=verdict,
        digest=None if live else "0123456789abcdef" * 4,
        checks=tuple(checks),
        virtual_s=None if live or history is None else history.end_s,
        wall_s=others.pop("wall_s", history.end_s if live and history else 0.0312),
        replay=f"harness replay {path} --seed {seed}" + (" --node live" if live else ""),
        history=history,
        **others,
    )


@pytest.fixture(scope="session")
def passed_run():
    operations = [
        operation(n, "get_client", 0.0, 0.2134, step="ask", arguments={"network": LOCAL})
        for n in range(10)
    ]
    history = History(
        node=NodeKind.SIMULATED,
        operations=tuple(operations),
        clients=(spawn(0, "alice", 0.0004, 0.2134, 0.2135),),
        end_s=0.2135,
    )
    return run(
        "same_user_spawns_one_client",
        claim="Ten callers of get_client for one user and network share one spawn.",
        checks=[
            check("no_deadlock", expected="an end within 30 s", seen="an end at 0.214 s"),
            check("single_spawn", expected="1 spawn for each (user, network)", seen="1"),
            check("same_result", expected="one client for all of ask", seen="1 client"),
        ],
        history=history,
    )


@pytest.fixture(scope="session")
def failed_run(passed_run):
    twins = (
        spawn(0, "alice", 0.0, 0.21, 0.2135),
        spawn(1, "alice", 0.0, 0.18, 0.2135),
    )
    return replace(
        passed_run,
        seed=7,
        verdict=Verdict.FAILED,
        checks=(
            passed_run.checks[0],
            check(
                "single_spawn",
                Verdict.FAILED,
                expected="1 spawn for (alice, localnet)",
                seen="2 at 0.000 s",
                involved=("task-3", "task-7"),
                why="serve/client_registry.py:61 asks for the slot before `await spawn(...)`, "
                "and writes it after",
            ),
            passed_run.checks[2],
        ),
        replay="harness replay scenarios/same_user_spawns_one_client.toml --seed 7",
        history=replace(passed_run.history, clients=twins),
    )


@pytest.fixture(scope="session")
def parked_run():
    operations = (
        operation(0, "create_account_order", 0.0, 2.31, phase="prepare"),
        operation(
            1,
            "create_account_order",
            2.31,
            6.42,
            phase="overlap",
            step="create",
            parked=((2.33, 4.4),),
            arguments={"order": {"CreateClient": {"network": LOCAL, "name": "new"}}},
        ),
        operation(2, "list_accounts", 2.32, 2.3241, phase="overlap", step="list"),
        operation(
            3,
            "client_sync",
            4.6,
            4.9,
            outcome=Outcome.RAISED,
            error=ErrorRecord(
                type="NodeUnreachable",
                message="no connection to the node",
                chain=("ConnectionRefusedError: [Errno 111]",),
            ),
            expected_error="NodeUnreachable",
        ),
        operation(4, "client_sync", 5.0, 5.6, outcome=Outcome.CANCELLED),
        operation(5, "list_desks", 5.2, 5.2, user=None),
    )
    history = History(
        node=NodeKind.SIMULATED,
        operations=operations,
        clients=(spawn(0, "alice", 0.01, 0.22, 6.5),),
        commands=(
            command(0, "alice", "prepare_account", 0.24, 2.1),
            command(0, "alice", "add_account", 2.2, 2.3),
            command(0, "alice", "prepare_account", 4.4, 6.2),
            command(0, "alice", "add_account", 6.3, 6.4),
            command(0, "alice", "sync", 4.6, 4.9, outcome=Outcome.RAISED),
        ),
        faults=(
            Fault(at_s=4.6, point="node.rpc", kind="refuse", key=key_of("alice")),
            Fault(at_s=5.5, point="client.sync", kind="die", key=key_of("alice")),
        ),
        lock_holds=(
            LockHold(
                lock="Serve._lock",
                task="task-1",
                begin_s=2.31,
                end_s=6.41,
                where="serve/service.py:81",
                across="await client.create_account(...) at serve/service.py:88",
            ),
            LockHold(
                lock="DeskRegistry._lock",
                task="task-5",
                begin_s=5.2,
                end_s=5.21,
                where="serve/desk_registry.py:40",
            ),
        ),
        end_s=6.5,
    )
    return run(
        "slow_create_leaves_list_fast",
        claim="Listing a user's accounts ends while a creation of the same user is under way.",
        checks=[
            check("no_deadlock", expected="an end within 60 s", seen="an end at 6.500 s"),
            check("ends_before", expected="list before create", seen="2.324 s before 6.420 s"),
        ],
        history=history,
    )


@pytest.fixture(scope="session")
def deadlocked_run():
    def stuck(number, user):
        return operation(
            number, "get_desk", 0.1 * number, None, user=user, outcome=Outcome.UNFINISHED
        )

    blocked = (
        Blocked(
            task="task-0",
            waits_for="Lock DeskRegistry._lock",
            where="serve/desk_registry.py:57",
            holders=("task-1",),
        ),
        Blocked(
            task="task-1",
            waits_for="Lock Serve._lock",
            where="serve/service.py:112",
            holders=("task-0",),
        ),
        Blocked(task="task-2", waits_for="Future <Serve.init_desks>", where="serve/service.py:140"),
    )
    diagnosis = Diagnosis(
        at_s=0.31,
        blocked=blocked,
        cycle=("task-0", "task-1"),
        attachments=(("tasks.txt", "task-0\n  File serve/desk_registry.py, line 57\n"),),
    )
    history = History(
        node=NodeKind.SIMULATED,
        operations=(stuck(0, "alice"), stuck(1, "bob"), stuck(2, "alice")),
        lock_holds=(
            LockHold(
                lock="Serve._lock",
                task="task-0",
                begin_s=0.0,
                end_s=None,
                where="serve/service.py:110",
            ),
            LockHold(
                lock="DeskRegistry._lock",
                task="task-1",
                begin_s=0.1,
                end_s=None,
                where="serve/desk_registry.py:55",
            ),
        ),
        deadlock=diagnosis,
        end_s=0.31,
    )
    return run(
        "desks_under_load",
        claim="Readers of desks never wait for each other.",
        verdict=Verdict.FAILED,
        checks=[
            check(
                "no_deadlock",
                Verdict.FAILED,
                expected="an end within 2 s",
                seen="a deadlock at 0.310 s",
                involved=("task-0", "task-1", "task-2"),
                why="task-0 and task-1 take Serve._lock and DeskRegistry._lock in crossed order",
            ),
            check(
                "all_succeed",
                Verdict.FAILED,
                expected="3 of 3 operations to return",
                seen="0 of 3",
            ),
        ],
        history=history,
    )


def many_users_history(node, *, users, seed, rounds=7):
    random = Random(seed)
    operations, clients, commands = [], [], []
    for number in range(users):
        begin = random.uniform(0, 0.02)
        ready = begin + random.uniform(0.15, 0.3)
        end = ready + random.lognormvariate(0.6, 0.35)
        user = f"user-{number:02}"
        operations.append(operation(3 * number, "create_account_order", begin, end, user=user))
        for more in (1, 2):
            listed = end + random.uniform(0.01, 0.3)
            took = random.lognormvariate(-5.5, 0.6)
            operations.append(
                operation(3 * number + more, "list_accounts", listed, listed + took, user=user)
            )
        clients.append(spawn(number, user, begin, ready))
        commands.append(command(number, user, "prepare_account", ready, end - 0.02))
        commands.append(command(number, user, "add_account", end - 0.02, end))
    measurements = []
    for number in range(rounds):
        for pacing, around in ((Pacing.SEQUENTIAL, 4.4), (Pacing.TOGETHER, 2.0)):
            spread = 0.0 if node is NodeKind.SIMULATED else 0.07
            measurements.append(
                Measurement(
                    phase="create",
                    round=number,
                    pacing=pacing,
                    duration_s=around
                    * random.lognormvariate(0, spread)
                    * (1.3 if number == 0 else 1),
                    succeeded=1 if number == 3 and pacing is Pacing.TOGETHER else 2,
                    failed=1 if number == 3 and pacing is Pacing.TOGETHER else 0,
                    warm_up=number == 0,
                )
            )
    return History(
        node=node,
        operations=tuple(operations),
        clients=tuple(clients),
        commands=tuple(commands),
        measurements=tuple(measurements),
        end_s=max(one.end_s for one in operations),
    )


@pytest.fixture(scope="session")
def live_run():
    return run(
        "concurrent_beats_sequential",
        node="live",
        claim="Two users' creations together take well under the time of one after the other.",
        wall_s=61.24,
        checks=[
            check("all_succeed", expected="every operation to return", seen="60 of 60"),
            check("speedup", expected="a speed-up over 1.3", seen="2.19 (2.05 to 2.31)"),
        ],
        history=many_users_history(NodeKind.LIVE, users=20, seed=3),
    )


@pytest.fixture(scope="session")
def unreached_run():
    return run(
        "node_unreachable",
        node="live",
        claim="A dead node is told as NodeUnreachable, in time.",
        verdict=Verdict.UNKNOWN,
        wall_s=0.004,
        could_not_run="no Docker: /var/run/docker.sock does not answer; start Docker, "
        "or use --node simulated",
    )


@pytest.fixture(scope="session")
def sound_runs(passed_run, parked_run, live_run):
    return passed_run, parked_run, live_run


@pytest.fixture(scope="session")
def rich_report(sound_runs, failed_run, deadlocked_run, unreached_run):
    passed_run, parked_run, live_run = sound_runs
    simulated = run(
        "concurrent_beats_sequential",
        claim=live_run.claim,
        checks=[check("speedup", expected="a speed-up over 1.9", seen="2.20")],
        history=many_users_history(NodeKind.SIMULATED, users=40, seed=5),
    )
    untold = run(
        "restart_restores_desks",
        claim="Desks come back after a restart.",
        verdict=Verdict.UNKNOWN,
        checks=[
            check(
                "sees_exactly_its_own",
                Verdict.UNKNOWN,
                expected="every desk of before",
                seen="no operation that lists desks",
            )
        ],
        history=History(node=NodeKind.SIMULATED, end_s=0.0),
    )
    return RunReport(
        runs=(
            passed_run,
            simulated,
            parked_run,
            failed_run,
            deadlocked_run,
            live_run,
            unreached_run,
            untold,
        ),
        versions={"python": "CPython 3.11.7", "mosaic-harness": "0.1.0", "simpy": "4.1.2"},
        machine={
            "cores": "2",
            "memory_gib": "23.5",
            "system": "Linux 6.18 x86_64",
            "processor": "Some Processor @ 3 GHz",
        },
        started_at="2026-11-22T23:40:00+00:00",
    )


@pytest.fixture(scope="session")
def hostile_run():
    """A run whose every text tries to break out of its format."""
    ugly = "</script><img src=x onerror=alert(1)>&\"'`| \x00\x1b[31m\ud800\u202e ]]> {{ 7*7 }} ```"
    ugly += "\n# x"
    failed = operation(
        0,
        ugly,
        0.0,
        1.0,
        user=ugly,
        outcome=Outcome.RAISED,
        error=ErrorRecord(type=ugly, message=ugly, chain=(ugly,)),
        arguments={ugly: ugly},
        value=ugly,
    )
    history = History(
        node=NodeKind.SIMULATED,
        operations=(failed, replace(failed, number=1)),
        clients=(replace(spawn(0, "x", 0.0, 0.5), key={"user": ugly, ugly: ugly}),),
        commands=(replace(command(0, "x", ugly, 0.5, 0.6), key={"user": ugly}),),
        faults=(Fault(at_s=0.5, point=ugly, kind=ugly, key={ugly: ugly}),),
        lock_holds=(
            LockHold(lock=ugly, task=ugly, begin_s=0.1, end_s=None, where=ugly, across=ugly),
        ),
        measurements=(
            Measurement(
                phase=ugly,
                round=0,
                pacing=Pacing.TOGETHER,
                duration_s=1.0,
                succeeded=1,
                failed=0,
            ),
        ),
        deadlock=Diagnosis(
            at_s=1.0,
            blocked=(Blocked(task=ugly, waits_for=ugly, where=ugly, holders=(ugly,)),),
            cycle=(ugly, ugly + "2"),
            attachments=((ugly, ugly),),
        ),
        end_s=1.0,
    )
    bad = check(
        ugly, Verdict.FAILED, expected=ugly, seen=ugly + "!", involved=(ugly + "?",), why=ugly
    )
    return replace(
        run("hostile", claim=ugly, verdict=Verdict.FAILED, checks=[bad], history=history),
        scenario=ugly,
        path=ugly,
        replay=ugly,
    )


@pytest.fixture(scope="session")
def hostile_report(hostile_run):
    ugly = hostile_run.scenario
    return RunReport(
        runs=(hostile_run,),
        versions={ugly: ugly},
        machine={ugly: ugly},
        started_at=ugly,
    )
