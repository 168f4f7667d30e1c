"""The way in from a shell: to be interrupted while all is loaded is no error to be traced.

What loads code under test goes on in a child. To fork before anything is loaded costs least: a page
of memory that both have written to is there twice.
"""

from __future__ import annotations

import gc
import sys

from harness.processes.text_hashing import begin_again_fixed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]

# That of ``harness.results.exit_codes``, which is not loaded yet.
EXIT_INTERRUPTED = 130
# The commands that load code under test; ``compare`` does so in processes of its own.
IN_A_CHILD = {"init", "run", "list", "explore", "replay", "verify"}
IN_ONE_PROCESS = "--one-process"


def main() -> None:
    """Load the command line, and run it."""
    # Nothing that is loaded is garbage: to look for some takes a tenth of a short run. Once the
    # command is loaded, ``harness.cli.commands`` puts the collector on.
    gc.disable()
    code: object = 0
    tell: Callable[[object], None] | None = None
    try:
        begin_again_fixed()
        if IN_A_CHILD.intersection(sys.argv[1:2]) and IN_ONE_PROCESS not in sys.argv:
            from harness.processes.apart import can_fork, go_on_in_a_child, verdict_is_out  # noqa: PLC0415 - takes its time

            tell = verdict_is_out
            if can_fork():
                go_on_in_a_child()
        from harness.cli.app import main as command_line  # noqa: PLC0415 - takes its time

        command_line()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        code = EXIT_INTERRUPTED
    except SystemExit as end:
        code = end.code
    if tell is not None:
        tell(code)
    # Not by sys.exit(), which the code under test may have replaced.
    raise SystemExit(code)


if __name__ == "__main__":
    main()
