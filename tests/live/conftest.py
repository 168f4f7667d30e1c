"""The real node that the live tests share: one container for all workers of a run.

Without Docker these tests fail, with advice; they are never skipped. ``tox -e integration`` runs
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.miden.node.image import ensure_node_image
from harness.miden.node.shared_node import SharedNode, shared_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def node_progress(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Say what is being built or started, on the terminal if this process has it."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    return print if reporter is None else reporter.write_line


@pytest.fixture(scope="session")
def node_image(node_progress: Callable[[str], None]) -> str:
    """The tag of the node's image, built if it is missing."""
    try:
        return ensure_node_image(node_progress)
    except HarnessError as error:
        pytest.fail(f"live tests need a node's image: {error}", pytrace=False)


@pytest.fixture(scope="session")
def node(node_progress: Callable[[str], None]) -> Iterator[SharedNode]:
    """The node of this run, shared with all of its processes."""
    sharing = shared_node(node_progress)
    try:
        found = sharing.__enter__()
    except HarnessError as error:
        pytest.fail(f"live tests need a node: {error}", pytrace=False)
    try:
        yield found
    finally:
        sharing.__exit__(None, None, None)


@pytest.fixture(scope="session")
def node_endpoint(node: SharedNode) -> str:
    """Where the node of this run answers: ``http://127.0.0.1:PORT``."""
    return node.endpoint
