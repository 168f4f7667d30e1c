#!/usr/bin/env bash
# The integration run: every scenario simulated and live, conformance on both, the real client and
# the container, with one node for all of it. A step that fails does not keep the next from running,
# and the report is written after any end. Usage: tests/live/run.sh REPORT_FOLDER [pytest arguments]
set -uo pipefail
report=$1
shift
worst=0

step() {
    "$@"
    local code=$?
    if [ $code -ne 0 ]; then
        echo "integration: ended with $code: $*" >&2
        [ $worst -ne 0 ] || worst=$code
    fi
}

finish() {
    local code=$?
    trap '' INT TERM
    harness node down
    step python tests/report/integration.py "$report"
    [ $code -ne 0 ] || code=$worst
    trap - EXIT
    exit "$code"
}

# What an earlier run has left is not what this one found.
rm -rf "$report/simulated" "$report/live" "$report/tests"
mkdir -p "$report/tests"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step harness run --seeds 5 --report "$report/simulated"
step pytest -n 2 --dist worksteal tests/conformance --junitxml "$report/tests/conformance-simulated.xml" "$@"
harness node up || exit
step pytest tests/conformance --harness-node live --junitxml "$report/tests/conformance-live.xml" "$@"
step pytest -n 2 --dist worksteal tests/native tests/live --ignore tests/live/figures \
    --junitxml "$report/tests/live.xml" "$@"
# Figures are measured alone on the machine, and shown.
step pytest -rP tests/live/figures --junitxml "$report/tests/figures.xml" "$@"
# A machine that is busy for a while leaves a speed-up unknown: then all is run once more.
scenarios_live() {
    harness run --node live --report "$report/live"
    local code=$?
    [ $code -eq 3 ] || return $code
    echo "integration: something live is unknown, so once more" >&2
    harness run --node live --report "$report/live"
}
step scenarios_live
