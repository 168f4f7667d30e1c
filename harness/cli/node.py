"""The commands ``node up``, ``node down`` and ``node status``: a real node started by hand."""

from __future__ import annotations

import typer

from harness.cli.arguments import note

__all__ = ["node_app", "node_down", "node_status", "node_up"]

node_app = typer.Typer(
    help="Start and stop a real node by hand.\n\n"
    "It is a Miden node in a container of Docker. Live runs use it for as long as it is up; without"
    " one they start their own.",
    no_args_is_help=True,
)


@node_app.command("up")
def node_up() -> None:
    """Start a node and print its endpoint."""
    from harness.miden.node import shared_node  # noqa: PLC0415 - needs Docker's packages

    state = shared_node.node_up(progress=note)
    typer.echo(state.endpoint)


@node_app.command("down")
def node_down() -> None:
    """Stop the node that "up" started."""
    from harness.miden.node import shared_node  # noqa: PLC0415 - needs Docker's packages

    typer.echo("stopped" if shared_node.node_down() else "no node was up")


@node_app.command("status")
def node_status() -> None:
    """Print where the node is.

    With its endpoint comes what the node says of itself. Ends with 3 if no node is up.
    """
    from harness.miden.node import shared_node  # noqa: PLC0415 - needs Docker's packages

    state = shared_node.node_status()
    if state is None:
        typer.echo('no node is up; start one with "harness node up"')
        raise typer.Exit(3)
    typer.echo(
        f"{state.endpoint} (miden-node {state.version}, block {state.chain_tip},"
        f" genesis {state.genesis_commitment}, used by {len(state.user_pids)} processes)"
    )
