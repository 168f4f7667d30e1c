#!/usr/bin/env bash
# The integration run: one node for all of it; conformance, the real client, the container, and every
# scenario live. Usage: tests/live/run.sh REPORT_FOLDER [pytest arguments]
set -euo pipefail
report=$1
shift
harness node up
trap 'harness node down' EXIT
pytest tests/conformance --harness-node live "$@"
pytest -n 2 --dist worksteal tests/native tests/live --ignore tests/live/figures "$@"
# Figures are measured alone on the machine, and shown.
pytest -rP tests/live/figures "$@"
harness run --node live --report "$report"
