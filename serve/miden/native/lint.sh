#!/usr/bin/env bash
# Format, lints and unit tests of the Rust crates; the release profile, so that the dependencies
# compile once for this, for the extension and for its tests.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v cargo >/dev/null; then
    echo 'rust: cargo is not installed; it compiles the native client, see README.md'
    exit 1
fi
echo "rust: checking the native client; compiling it for the first time takes about 15 minutes"
cargo fmt --all --check
cargo clippy --release --workspace --all-targets --features extension-module -- -D warnings
cargo test --release -p mosaic-miden-engine
