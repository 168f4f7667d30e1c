"""Scenarios that once showed a mistake of the serve core, simulated."""

from __future__ import annotations

from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system
from harness.systems.port import DEFAULT_SYSTEM

SECOND_LOSS = """
claim = "An order whose commit is lost while an earlier loss is made good is decided, too."
users = ["alice"]
[[fault]]
at = "sql.user.begin_order.after_commit"
kind = "fail"
error = "StoreFailed"
user = "alice"
times = 2
[[phase]]
name = "one"
[[phase.do]]
id = "one"
call = "create_account_order"
user = "alice"
with.order.CreateClient = { network = "Localnet", name = "one" }
expect = "StoreFailed"
[[phase]]
name = "two"
[[phase.do]]
id = "two"
call = "create_account_order"
user = "alice"
with.order.CreateClient = { network = "Localnet", name = "two" }
expect = "StoreFailed"
[[phase.do]]
id = "three"
call = "create_account_order"
user = "alice"
with.order.CreateClient = { network = "Localnet", name = "three" }
[[phase]]
name = "look"
[[phase.do]]
id = "orders"
call = "list_orders"
user = "alice"
[check]
no_deadlock = { within_s = 60 }
result = { of = "orders", path = "*.status", equals = ["failed", "failed", "succeeded"] }
"""


def test_a_commit_lost_while_an_earlier_loss_is_made_good_is_made_good_too(tmp_path):
    path = tmp_path / "second_loss.toml"
    path.write_text(SECOND_LOSS, encoding="utf-8")
    backend = open_backend("simulated", needs_node=True)
    result = run_scenario(
        read_scenario(path),
        backend,
        system=load_system(DEFAULT_SYSTEM),
        system_path=DEFAULT_SYSTEM,
        seed=0,
    )
    backend.close()
    assert result.verdict is Verdict.PASSED, [one.seen for one in result.checks]
