"""The command init: it writes a file that runs, says what to do next, and overwrites nothing."""

from __future__ import annotations

import os

import pytest


def test_the_file_is_written_named_after_the_class_and_the_commands_told_next_pass(harness, shop):
    done = harness("init", "exploring_shop:SoundShop")
    assert done.returncode == 0, done.stderr
    assert "wrote sound_shop.toml" in done.stderr
    told = [line.split("harness ")[1] for line in done.stdout.splitlines()]
    assert told == ["run sound_shop.toml", "explore sound_shop.toml"]
    assert "SoundShop" in harness("list", "sound_shop.toml").stdout
    assert harness(*told[0].split()).returncode == 0
    assert harness(*told[1].split(), "--runs", "5").returncode == 0


def test_what_is_not_known_is_told_on_the_terminal(harness, shop):
    (shop / "unclear.py").write_text(
        "class Unclear:\n    async def do(self, thing):\n        pass\n", encoding="utf-8"
    )
    done = harness("init", "unclear:Unclear")
    assert "do: its argument thing is a guess: its type is not known" in done.stderr


def test_a_file_is_overwritten_only_by_force(harness, shop):
    path = shop / "mine.toml"
    path.write_text("mine", encoding="utf-8")
    command = ("init", "exploring_shop:SoundShop", "--output", "mine.toml")
    done = harness(*command)
    assert done.returncode == 2
    assert done.stderr == (
        "mine.toml: is there already; name another with --output, or overwrite it with --force\n"
    )
    assert path.read_text(encoding="utf-8") == "mine"
    assert harness(*command, "--force").returncode == 0
    assert harness("run", "mine.toml").returncode == 0


def test_a_path_with_a_space_is_told_as_a_shell_takes_it(harness, shop):
    done = harness("init", "exploring_shop:SoundShop", "--output", "my shop.toml")
    assert "next: harness run 'my shop.toml'\n" in done.stdout
    assert "#   harness run 'my shop.toml'  # " in (shop / "my shop.toml").read_text("utf-8")


def test_a_link_that_leads_nowhere_is_not_followed(harness, shop):
    (shop / "link.toml").symlink_to(shop / "gone.toml")
    done = harness("init", "exploring_shop:SoundShop", "--output", "link.toml")
    assert done.returncode == 2
    assert not os.path.lexists(shop / "gone.toml")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nomodule:Shop"], "there is no module nomodule"),
        (["exploring_shop:Shops"], "did you mean Shop"),
        (["exploring_shop"], 'must be "package.module:attribute"'),
        (["exploring_shop:os"], "got the module os"),
        (
            ["exploring_shop:Shop", "--output", "gone/x.toml"],
            "--output: must be a file in a folder",
        ),
        (["exploring_shop:Shop", "--output", "scenarios"], "--output: must be a file in a folder"),
        (["exploring_shop:Shop", "--output", "x.txt"], "--output: must end in .toml"),
        ([], "Missing argument"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_and_nothing_is_written(harness, shop, arguments, told):
    before = set(shop.iterdir())
    done = harness("init", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert set(shop.iterdir()) - before <= {shop / "__pycache__"}
    told = [line for line in done.stderr.splitlines() if not line.startswith("harness: trying")]
    assert not arguments or len(told) == 1
