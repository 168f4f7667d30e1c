"""The guard of a restructuring: what the harness did before, compared with what it does now.

``python tests/baseline/guard.py write`` writes ``baseline.json``, ``compare`` compares the tree
that it stands in with it, section by section, and ends with 1 if anything differs. ``--only
SECTION`` (repeatable) does a part of it.

The tokens that ``replays`` takes up were made at commit b22c461, as was all else at first. Since
then sections were written anew, and the journal was made anew, where what they hold was changed on
purpose: scenarios, the report's schema, words, the orders of production mode, what the exhaustive
search takes as shared, and for how long a search goes on.

Left out of the comparison is what may differ between two machines or moments (wall seconds,
versions, folders), where code of serve and of the harness stands (its files move), and the
fingerprint of the code. All else must be equal to the last letter.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.baseline import searches  # noqa: E402 - the tree's own modules, once it is on the path
from tests.there import there  # noqa: E402

BASELINE = HERE / "baseline.json"
JOURNAL = HERE / "journal"
TOKENS = HERE / "tokens.json"
SEEDS = 100

# Keys of JSON documents whose values differ between moments or machines.
VOLATILE = {
    "figures",
    "wall_s",
    "took_s",
    "machine",
    "versions",
    "started_at",
    "cpu_s",
    "curve",
    "duration_s",
}
PLACES = (
    (re.compile(r"/(?:dev/shm|tmp)/harness-\w+"), "FOLDER"),
    (re.compile(r"\bserve/[\w/]+\.py:\d+"), "serve"),
    (re.compile(r"\bharness/[\w/]+\.py:\d+"), "harness"),
    (re.compile(r"\bserve/[\w/]+\.py"), "serve"),
    (re.compile(r"\d[\d.,]* m?s of runs, measured|[\d.,]+ m?s measured|in [\d.,]+ m?s\b"), "T"),
    (re.compile(r"\b[\d,.]+ (?:runs|schedules) a second"), "RATE"),
    # The one check whose name was to change.
    (re.compile(r"distinct_accounts"), "distinct_results"),
    # The one word for tasks that wait for each other.
    (re.compile(r"\bin a ring\b"), "in a cycle"),
    (re.compile(r"\bat 0x[0-9a-f]+"), "at ADDRESS"),
    (re.compile(r"looked in [^;]+;"), "looked in FOLDERS;"),
    (re.compile(r"; the code has changed \(fingerprint \w+ then, \w+ now\)"), ""),
)
COMMANDS = (
    [], ["init"], ["run"], ["list"], ["explore"], ["replay"], ["verify"], ["schema"],
    ["node"], ["node", "up"], ["node", "down"], ["node", "status"],
)  # fmt: skip
REFUSED = (
    ["run", "gone.toml"], ["run", "--seed", "x"], ["run", "--seeds", "0"], ["run", "--node", "x"],
    ["run", "--system", "no.such:Thing"], ["run", "--system", "nocolon"], ["run", "--jobs", "0"],
    ["run", "--json", "gone/x.json"], ["explore", "--runs", "0"], ["explore", "--strategy", "no"],
    ["explore", "--node", "live"], ["explore", "--shard", "3/2"], ["replay", "mh1-abc"],
    ["replay", "mh9-abc"], ["replay", ""], ["replay", "scenarios"], ["verify", "--seeds", "0"],
    ["replay", "scenarios/two_users_create_accounts.toml"], ["schema", "x"], ["nonsense"],
    ["run", "tests/sensitivity/claims/what_was_put_is_read.toml", "--system", "json:dumps"],
)  # fmt: skip
FAILING = (
    ("tests.sensitivity.broken_services:coarse_lock", "slow_create_leaves_list_fast"),
    ("tests.sensitivity.broken_services:coarse_lock", "concurrent_beats_sequential"),
    ("tests.sensitivity.broken_services:coarse_lock", "twenty_users_create_at_once"),
    ("tests.sensitivity.broken_services:crossed_locks_ticking", "mixed_orders_stay_apart"),
    ("tests.sensitivity.broken_services:tail_dies", "lost_caller_keeps_its_account"),
    ("tests.sensitivity.broken_services:leaves_orphans", "two_users_create_accounts"),
    ("tests.sensitivity.broken_registries:flush_forgets", "flush_during_creation"),
    ("tests.sensitivity.broken_registries:one_spawn_at_a_time", "hanging_spawn_meets_its_deadline"),
    ("tests.sensitivity.broken_services:listing_asks_client", "slow_create_leaves_list_fast"),
    ("tests.sensitivity.broken_services:busy_beyond_ten", "twenty_users_create_at_once"),
)
FOLDERS = ("serve", "harness", "scenarios", "sensitivity", "conformance")
RESUMED = (
    "explore", "scenarios/same_user_spawns_one_client.toml", "--runs", "2000", "--seed", "3",
)  # fmt: skip
# Seconds after which the search whose journal is kept was interrupted.
INTERRUPTED_AFTER_S = 3.0


def normal(value):
    """Take out of a JSON document, or of a text, what may differ."""
    if isinstance(value, dict):
        return {normal(key): "-" if key in VOLATILE else normal(one) for key, one in value.items()}
    if isinstance(value, list):
        return [normal(one) for one in value]
    if isinstance(value, str):
        for pattern, word in PLACES:
            value = pattern.sub(word, value)
    return value


def harness(*arguments, code=None):
    """Run the command line of this tree; return its exit code and its lines, normalised."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, normal(done.stdout), normal(done.stderr)


def json_of(*arguments):
    """Run a command with --json; return its exit code and the document, normalised."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.json"
        code, _, told = harness(*arguments, "--json", str(path))
        return code, normal(json.loads(path.read_text())) if path.exists() else told


def digests():
    """Both digests of each scenario and of each regression, with 100 seeds."""
    _, document = json_of("run", "scenarios", "--quiet")
    found = {one["scenario"]: [one["digest"], one["verdict"]] for one in document["runs"]}
    with ProcessPoolExecutor(2) as pool:
        for digests_of, pattern in (
            (searches.digests_of, "*.toml"),
            (searches.regression_digests, "regressions/*.toml"),
        ):
            paths = sorted((ROOT / "scenarios").glob(pattern))
            names = [str(path.relative_to(ROOT)) for path in paths]
            rows = pool.map(digests_of, names, [SEEDS] * len(names))
            found |= zip(names, rows, strict=True)
    return found


def finds():
    """What the portfolio finds of each entry of the zoo: run, deviations, cause, shrinking."""
    with ProcessPoolExecutor(2) as pool:
        names = searches.zoo_names()
        return dict(zip(names, pool.map(searches.find_of, names, chunksize=1), strict=True))


def sensitivity():
    """How each service broken on purpose is told of, and what a search of some finds."""
    with ProcessPoolExecutor(2) as pool:
        cases = searches.broken_cases()
        texts = pool.map(searches.broken_of, cases)
        found = {" ".join(case): normal(text) for case, text in zip(cases, texts, strict=True)}
    for system, scenario in FAILING[3:7]:
        path = f"scenarios/{scenario}.toml"
        code, document = json_of(
            "explore", path, "--system", system, "--runs", "120", "--seed", "5", "--regressions",
            "scenarios", "--quiet",
        )  # fmt: skip
        found[f"explore {system} {scenario}"] = [code, searches.without_code(document)]
    return found


def exhaustive():
    """How many runs an exhaustive search takes of programs large and small, and what fails."""
    with ProcessPoolExecutor(2) as pool:
        names = searches.program_names()
        return dict(zip(names, pool.map(searches.exhausted, names), strict=True))


def replays():
    """Tokens of scenarios and of programs, and a journal, all made at b22c461."""
    found = {}
    tokens = json.loads(TOKENS.read_text())
    for name, token in tokens["scenarios"].items():
        code, lines, _ = harness("replay", token, *(("--system", name.split()[0])))
        found[f"replay {name}"] = [code, lines]
    for name, token in tokens["programs"].items():
        found[f"program {name}"] = searches.repeated(name, token)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "journal"
        shutil.copytree(JOURNAL, copy)
        searches.take_for_own(copy / "journal.ndjson", RESUMED[1])
        code, document = json_of(*RESUMED, "--resume", str(copy), "--quiet")
        found["journal"] = [code, searches.without_code(document)]
    return found


def documents():
    """The JSON of ten failing runs."""
    return {
        f"{system} {scenario}": json_of(
            "run", f"scenarios/{scenario}.toml", "--system", system, "--seed", "7", "--quiet"
        )
        for system, scenario in FAILING
    }


def helps():
    """The help of every command."""
    return {" ".join(one): harness(*one, "--help")[:2] for one in COMMANDS}


def refusals():
    """Exit codes and messages of bad command lines, and of the bad files that the tests have."""
    found = {" ".join(one): harness(*one) for one in REFUSED}
    return found | {name: normal(text) for name, text in searches.mistakes().items()}


def collected():
    """The number of tests that pytest collects; fewer is a difference, more is not."""
    counts = {}
    for name in FOLDERS:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
             f"tests/{name}"],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        counts[name] = int(there(re.search(r"(\d+) tests? collected", done.stdout))[1])
    return counts


SECTIONS = {
    one.__name__: one
    for one in (
        digests, finds, sensitivity, exhaustive, replays, documents, helps, refusals, collected,
    )
}  # fmt: skip


def make_tokens():
    """Make the tokens that ``replays`` repeats."""
    tokens = {"scenarios": {}, "programs": {}}
    for system, scenario in FAILING[3:7]:
        _, document = json_of(
            "explore", f"scenarios/{scenario}.toml", "--system", system, "--runs", "120", "--quiet"
        )
        for failure in searches.failures_in(document)[:2]:
            tokens["scenarios"][f"{system} {failure['cause']}"] = failure["token"]
    for name in searches.zoo_names()[::8]:
        tokens["programs"][name] = searches.token_of(name)
    TOKENS.write_text(json.dumps(tokens, indent=1) + "\n")


def make_journal():
    """Make the interrupted journal that ``replays`` goes on with."""
    shutil.rmtree(JOURNAL, ignore_errors=True)
    searching = subprocess.Popen(
        [sys.executable, "-m", "harness", *RESUMED, "--resume", str(JOURNAL), "--quiet"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    time.sleep(INTERRUPTED_AFTER_S)
    searching.send_signal(signal.SIGINT)
    searching.wait()


def as_plain(value):
    """Make of a value what JSON makes of it."""
    return json.loads(json.dumps(value))


def differences(section, before, now):
    """List where two values of a section differ, a line each."""
    if section == "collected":
        return [f"{k}: {before[k]} before, {now[k]} now" for k in before if now[k] < before[k]]
    lines = []
    # What was added since is no difference.
    for name in sorted(before):
        old, new = before.get(name), now.get(name)
        if old != new:
            lines.append(f"{name}:\n    before {short(old, new)}\n    now    {short(new, old)}")
    return lines


def short(value, other):
    """Show a value from shortly before where it parts from the other."""
    text, against = json.dumps(value), json.dumps(other)
    at = next((i for i, (a, b) in enumerate(zip(text, against, strict=False)) if a != b), 0)
    return text[max(0, at - 60) : at + 240]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=["write", "compare"])
    parser.add_argument("--only", action="append", choices=list(SECTIONS), default=None)
    options = parser.parse_args()
    os.chdir(ROOT)
    if options.command == "write" and options.only is None:
        make_tokens()
        make_journal()
    before = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    differ = 0
    for name in options.only or SECTIONS:
        begin_s = time.monotonic()
        found = searches.without_code(as_plain(SECTIONS[name]()))
        took = f"{time.monotonic() - begin_s:.0f} s"
        if options.command == "write":
            before[name] = found
            print(f"{name}: {len(found)} values written, {took}", flush=True)
            continue
        lines = differences(name, searches.without_code(normal(before[name])), found)
        differ += len(lines)
        equal = len(before[name]) - len(lines)
        print(f"{name}: {equal} of {len(before[name])} equal, {took}", flush=True)
        for line in lines[:20]:
            print(f"  {line}", flush=True)
    if options.command == "write":
        BASELINE.write_text(json.dumps(before, indent=0, sort_keys=True) + "\n")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
