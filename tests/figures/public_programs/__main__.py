"""Search the programs that use public libraries, so many runs each; print what was found."""

from __future__ import annotations

import sys

from tests.figures.correct import searched, written
from tests.figures.public_programs.collection import PUBLIC, RELIES_ON_ORDER

if __name__ == "__main__":
    found = searched(PUBLIC, relies_on_order=RELIES_ON_ORDER, runs=int(sys.argv[1]))
    print(written(found))
