"""The counters of a machine, from the words of the system; and the room that threads find."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from harness.history.machine_load import MachineReading, load_between
from harness.live.container_cpu import ContainerCpu
from harness.live.machine import Machine

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def proc_with(folder, *, idle_s, iowait_s=0.0, steal_s=0.0, cores=2):
    """Write the counters of a machine, as the kernel shows them."""
    numbers = [1, 2, 3, *(round(one * TICKS_A_SECOND) for one in (idle_s, iowait_s)), 6, 7]
    numbers += [round(steal_s * TICKS_A_SECOND), 0, 0]
    lines = [f"cpu  {' '.join(map(str, numbers))}", *(f"cpu{one} 1 2 3 4" for one in range(cores))]
    (folder / "stat").write_text("\n".join([*lines, "intr 5 6 7", "ctxt 8"]) + "\n")
    return folder


def reading(at_s, own_s, busy_s, stolen_s: float | None = 0.0):
    return MachineReading(at_s=at_s, own_s=own_s, busy_s=busy_s, stolen_s=stolen_s)


# Arithmetic.


def test_what_others_used_is_what_was_busy_and_not_ours():
    load = load_between(reading(10, 5, 12), reading(12, 6, 15))
    assert (load.wall_s, load.own_cores, load.foreign_cores) == (2, 0.5, 1.0)


def test_what_the_host_stole_is_foreign_even_if_nothing_else_is():
    load = load_between(reading(10, 5, 12, 1), reading(12, 7, 14, 2))
    assert load.foreign_cores == 0.5


def test_counters_coarser_than_the_time_between_them_give_no_less_than_nothing():
    load = load_between(reading(10, 5, 12), reading(10.1, 5.1, 12.09))
    assert load.foreign_cores == 0


def test_without_counters_what_others_used_is_unknown():
    load = load_between(reading(10, 5, None, None), reading(12, 6, None, None))
    assert (load.own_cores, load.foreign_cores) == (0.5, None)


# Counters.


def test_busy_is_what_is_neither_idle_nor_stolen(tmp_path):
    read = Machine(proc=proc_with(tmp_path, idle_s=30, iowait_s=2, steal_s=4)).read()
    assert read.busy_s == pytest.approx(2 * read.at_s - 36)
    assert read.stolen_s == 4


def test_cores_are_counted_as_the_counters_show_them(tmp_path):
    read = Machine(proc=proc_with(tmp_path, idle_s=0, cores=16)).read()
    assert read.busy_s == pytest.approx(16 * read.at_s)


def test_a_system_without_such_counters_tells_nothing_of_others(tmp_path):
    read = Machine(proc=tmp_path / "none").read()
    assert (read.busy_s, read.stolen_s) == (None, None)
    assert read.own_s > 0


def test_what_a_service_talks_to_is_not_foreign(tmp_path):
    proc_with(tmp_path, idle_s=0)
    with_partner = Machine(proc=tmp_path, partner_s=lambda: 1_000_000.0).read()
    assert with_partner.own_s > 1_000_000
    assert Machine(proc=tmp_path).read().own_s < 1_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed in /proc")
@pytest.mark.parametrize("reaped", [False, True])
def test_what_children_and_theirs_used_is_ours(reaped):
    work = "import os\nwhile sum(os.times()[:2]) < 0.3: pass\n"
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {work!r}])\n{work}"
    wait = "print('worked', flush=True)\nsys.stdin.read()\n"
    before = Machine().read()
    with subprocess.Popen(
        [sys.executable, "-c", child + wait], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"worked\n"
        after = Machine().read()
        assert started.stdin is not None
        started.stdin.close()
        started.wait()
        if reaped:
            after = Machine().read()
    # Two programs of 0.3 s each, shown in hundredths of a second.
    assert after.own_s - before.own_s >= 0.55


@pytest.mark.skipif(sys.platform != "linux", reason="the counters are in /proc")
def test_the_machine_itself_was_never_busier_than_it_has_cores():
    before = after = Machine().read()
    while after.at_s < before.at_s + 0.5:
        after = Machine().read()
    load = load_between(before, after)
    cores = os.cpu_count() or 1
    assert load.foreign_cores is not None
    # A hundredth of a second each for idle, waiting and stolen time, in half a second.
    assert 0 < load.own_cores + load.foreign_cores <= cores + 0.1


# Room.


def test_the_room_is_the_work_of_all_threads_by_that_of_one(monkeypatch):
    rates = iter([100.0, 90.0, 60.0, 30.0])
    monkeypatch.setattr("harness.live.machine._hash", lambda _for_s: next(rates))
    assert asyncio.run(Machine().room(3, for_s=0.1)) == pytest.approx(1.8)


def test_threads_find_some_room_on_any_machine():
    assert asyncio.run(Machine().room(4, for_s=0.1)) > 0


# Containers.


def control_group(folder, *, groups, mounts, counter, text):
    (folder / "proc" / "7").mkdir(parents=True)
    (folder / "proc" / "self").mkdir()
    (folder / "proc" / "7" / "cgroup").write_text(groups)
    (folder / "proc" / "self" / "mounts").write_text(mounts.format(folder=folder))
    (folder / counter).parent.mkdir(parents=True)
    (folder / counter).write_text(text)
    return ContainerCpu(7, proc=folder / "proc")


FIRST_VERSION = {
    "groups": "5:memory:/docker/ab\n2:cpu,cpuacct:/docker/ab\n0::/\n",
    "mounts": (
        "tmpfs / tmpfs rw 0 0\ncgroup {folder}/memory cgroup rw,memory 0 0\n"
        "cgroup {folder}/cpu cgroup rw,cpu,cpuacct 0 0\ncgroup2 {folder}/unified cgroup2 rw 0 0\n"
    ),
    "counter": "cpu/docker/ab/cpuacct.usage",
    "text": "2500000000\n",
}
SECOND_VERSION = {
    "groups": "0::/system.slice/docker-ab.scope\n",
    "mounts": "cgroup2 {folder}/cgroup cgroup2 rw,nosuid 0 0\n",
    "counter": "cgroup/system.slice/docker-ab.scope/cpu.stat",
    "text": "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n",
}


@pytest.mark.parametrize("version", [FIRST_VERSION, SECOND_VERSION])
def test_a_container_has_used_what_its_control_group_counts(tmp_path, version):
    assert control_group(tmp_path, **version).used_s() == 2.5


def test_the_group_of_the_whole_machine_is_no_containers(tmp_path):
    whole = SECOND_VERSION | {"groups": "0::/\n", "counter": "cgroup/cpu.stat"}
    assert control_group(tmp_path, **whole).used_s() is None


def test_a_container_that_cannot_be_seen_from_here_tells_nothing(tmp_path):
    assert ContainerCpu(7, proc=tmp_path).used_s() is None


def test_a_container_that_has_ended_tells_nothing(tmp_path):
    cpu = control_group(tmp_path, **SECOND_VERSION)
    (tmp_path / SECOND_VERSION["counter"]).unlink()
    assert cpu.used_s() is None
