import re
from dataclasses import replace

import pytest

from harness.history.records import Blocked, Diagnosis
from harness.report.figures.cycle_plot import TASKS_MAX, cycle_plot
from tests.there import there


def diagnosis_of(count):
    names = [f"task-{number}" for number in range(count)]
    blocked = tuple(Blocked(task=name, waits_for="Lock x", where="a.py:1") for name in names)
    return Diagnosis(at_s=0.0, blocked=blocked, cycle=tuple(names))


def boxes_overlap(plot, one, other):
    return abs(one.x - other.x) < plot.box_width and abs(one.y - other.y) < plot.box_height


@pytest.mark.parametrize("count", range(1, TASKS_MAX + 1))
def test_boxes_keep_apart_and_inside_the_drawing(count):
    plot = there(cycle_plot(diagnosis_of(count)))
    assert len(plot.nodes) == len(plot.arrows) == count
    for at, node in enumerate(plot.nodes):
        assert plot.box_width / 2 <= node.x <= plot.width - plot.box_width / 2
        assert plot.box_height / 2 <= node.y <= plot.height - plot.box_height / 2
        assert not any(boxes_overlap(plot, node, other) for other in plot.nodes[:at])


def test_an_arrow_leads_from_each_task_to_the_one_it_waits_for():
    plot = there(cycle_plot(diagnosis_of(5)))
    for at, arrow in enumerate(plot.arrows):
        one, other = plot.nodes[at], plot.nodes[(at + 1) % 5]
        assert arrow.title == f"{one.name} waits for {other.name}"
        x, y, *_, x_end, y_end = (float(n) for n in re.findall(r"-?\d+\.?\d*", arrow.path))
        assert abs(x - one.x) <= plot.box_width / 2 + 5
        assert abs(y - one.y) <= plot.box_height / 2 + 5
        assert abs(x_end - other.x) <= plot.box_width / 2 + 5
        assert abs(y_end - other.y) <= plot.box_height / 2 + 5


def test_a_task_that_waits_for_itself_has_a_loop_inside_the_drawing():
    plot = there(cycle_plot(diagnosis_of(1)))
    numbers = [float(one) for one in re.findall(r"-?\d+\.?\d*", plot.arrows[0].path)]
    assert all(0 <= x <= plot.width for x in numbers[::2])
    assert all(0 <= y <= plot.nodes[0].y for y in numbers[1::2])


def test_the_largest_cycle_is_no_wider_than_a_page():
    assert there(cycle_plot(diagnosis_of(TASKS_MAX))).width <= 1_060


def test_two_tasks_have_two_arrows_that_do_not_lie_on_each_other():
    first, second = there(cycle_plot(diagnosis_of(2))).arrows
    assert set(re.findall(r"\d+\.\d+", first.path)) != set(re.findall(r"\d+\.\d+", second.path))
    heights = [float(re.findall(r"-?\d+\.\d+", one.path)[3]) for one in (first, second)]
    assert abs(heights[0] - heights[1]) > 30


def test_a_node_says_what_it_waits_for_and_where():
    node = there(cycle_plot(diagnosis_of(3))).nodes[0]
    assert (node.name, node.waits_for) == ("task-0", "waits for Lock x")
    assert node.title == "task-0 waits for Lock x at a.py:1"


def test_tasks_of_one_name_have_a_box_each():
    """A program may give all of its workers one name."""
    alike = replace(diagnosis_of(3), cycle=("worker", "task-1", "worker"))
    plot = there(cycle_plot(alike))
    assert [node.name for node in plot.nodes] == ["worker", "task-1", "worker"]
    assert [arrow.title for arrow in plot.arrows] == [
        "worker waits for task-1", "task-1 waits for worker", "worker waits for worker",
    ]  # fmt: skip


def test_a_very_large_cycle_says_how_many_are_drawn():
    plot = there(cycle_plot(diagnosis_of(60)))
    assert len(plot.nodes) == TASKS_MAX
    assert plot.nodes[-1].name == "… 51 more tasks"
    assert plot.left_out == "9 of 60 tasks of the cycle are drawn"


def test_without_a_cycle_nothing_is_drawn():
    assert cycle_plot(None) is None
    assert cycle_plot(replace(diagnosis_of(3), cycle=())) is None


def test_a_long_or_hostile_name_is_cut_and_in_one_line(nasty):
    blocked = (Blocked(task=nasty, waits_for=nasty, where=nasty),)
    (node,) = there(cycle_plot(Diagnosis(at_s=0.0, blocked=blocked, cycle=(nasty,)))).nodes
    assert len(node.name) == 26
    assert len(node.waits_for) == 29
    assert node.name.isprintable()
