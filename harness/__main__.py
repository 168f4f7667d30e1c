"""The way in from a shell: to be interrupted while all is loaded is no error to be traced."""

from __future__ import annotations

import gc
import sys

__all__ = ["main"]

# That of ``harness.results.exit_codes``, which is not loaded yet.
EXIT_INTERRUPTED = 130


def main() -> None:
    """Load the command line, and run it."""
    # Nothing that is loaded is garbage: to look for some takes a tenth of a short run. Once the
    # command is loaded, ``harness.cli.commands`` puts the collector on.
    gc.disable()
    try:
        from harness.cli.app import main as command_line  # noqa: PLC0415 - takes its time
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
    command_line()


if __name__ == "__main__":
    main()
