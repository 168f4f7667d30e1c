#!/usr/bin/env bash
# Format, lints and unit tests of the Rust crates, where cargo is there; the release profile, so that
# the dependencies compile once for this, for the extension and for its tests.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v cargo >/dev/null; then
    echo 'lint: NOT RUN: cargo is not installed, so the native client was not checked'
    exit 0
fi
cargo fmt --all --check
cargo clippy --quiet --release --workspace --all-targets --features extension-module -- -D warnings
cargo test --quiet --release -p mosaic-miden-engine
