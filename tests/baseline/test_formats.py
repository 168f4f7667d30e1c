"""Words that are formats are those of the list, wherever in the package they stand."""

from __future__ import annotations

import ast
from pathlib import Path

from serve.points import POINTS
from tests.baseline.formats import NOTES, POINTS_REACHED, STREAMS

ROOT = Path(__file__).parents[2]
SERVE_POINTS = {
    "spawn.before_build", "spawn.before_ready", "cache.before_insert", "key.before_write",
    "desk.before_cache_insert", "shutdown.before_join",
}  # fmt: skip


def first_texts(method):
    """List the text that each call of a method of this name is given first, fields as braces."""
    for path in sorted((ROOT / "harness").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr.lstrip("_") == method
                and node.args
            ):
                text = pattern_of(node.args[0])
                if text is not None:
                    yield text


def pattern_of(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        values = (one.value if isinstance(one, ast.Constant) else "{}" for one in node.values)
        return "".join(map(str, values))
    return None


def test_notes_of_a_trace_begin_with_the_listed_words():
    words = {text.split()[0] for text in first_texts("note") if "{}" in text}
    assert words == set(NOTES)


def test_random_streams_have_the_listed_names():
    assert set(first_texts("stream")) == set(STREAMS)


def test_points_have_the_listed_names():
    assert {text for text in first_texts("reach") if "." in text} == set(POINTS_REACHED)
    assert {name for name in POINTS if not name.startswith("sql.")} == SERVE_POINTS
    assert len(POINTS) == 44
