import pytest

from harness.results.wording import clock_word, count, one_line, printable, seconds, shortened


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0, "0 s"),
        (0.0000123, "12.3 µs"),
        (0.0009994, "999 µs"),
        (0.0009996, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (0.9996, "1.00 s"),
        (4.406, "4.41 s"),
        (1240.4, "1,240 s"),
        (-0.25, "-250 ms"),
        (None, "unfinished"),
    ],
)
def test_seconds_are_worded_to_three_digits(value, words):
    assert seconds(value) == words


def test_a_live_run_is_measured_and_a_simulated_one_simulated():
    assert (clock_word("simulated"), clock_word("live")) == ("simulated", "measured")


def test_one_thing_is_singular():
    assert (count(1, "run"), count(1200, "run"), count(2, "retry", plural="retries")) == (
        "1 run",
        "1,200 runs",
        "2 retries",
    )


def test_terminal_commands_and_broken_characters_become_escapes():
    assert printable("a\x1b[31mb\x00\ud800\u202e\ufffe") == r"a\x1b[31mb\x00\ud800\u202e\ufffe"


def test_text_in_other_scripts_stays_as_it_is():
    assert printable("Zoë 平行 😀\n\tx") == "Zoë 平行 😀\n\tx"


def test_line_breaks_stay_visible_in_one_line():
    assert one_line("a\r\nb\nc") == r"a\nb\nc"


def test_what_is_cut_is_said():
    assert shortened("x" * 1500, 10) == "x" * 10 + " … [1,490 characters left out]"
