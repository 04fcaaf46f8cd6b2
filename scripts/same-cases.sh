#!/usr/bin/env bash
# `cargo nextest` and `cargo test` list the same cases, ignored ones included, and ignore the same.
set -euo pipefail
cd "$(dirname "$0")/.."
for which in all only; do
  [ $which = all ] && flag= || flag=--ignored
  nextest=$(scripts/nextest.sh list -p waymark --run-ignored $which -T oneline | sed -n 's/^waymark::conformance //p' | sort)
  libtest=$(cargo test --quiet -p waymark --test conformance -- --list --format terse $flag | sed -n 's/: test$//p' | sort)
  diff <(echo "$nextest") <(echo "$libtest") || { echo "cargo nextest (<) and cargo test (>) differ" >&2; exit 1; }
  echo "$which: $(grep -c . <<<"$libtest") cases"
  [ $which = only ] || [ -n "$libtest" ]
done
