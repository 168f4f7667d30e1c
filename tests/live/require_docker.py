"""End with advice unless Docker answers, or a node that runs already is named."""

import os
import sys

from harness.errors import CouldNotRun
from harness.live.docker_daemon import open_docker

if not os.environ.get("HARNESS_NODE_ENDPOINT"):
    try:
        open_docker().close()
    except CouldNotRun as reason:
        sys.exit(f"integration: {reason}")
