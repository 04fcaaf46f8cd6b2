#!/usr/bin/env bash
# What rustc does not see: files that no module names, files and cases that grew too long, words that do not belong.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
complain() { printf 'tidy: %s\n' "$*" >&2; bad=1; }

while IFS= read -r file; do
  stem=$(basename "$file" .rs)
  case "$file" in */src/lib.rs | */src/main.rs | */tests/*.rs | */benches/*.rs | */examples/*.rs) continue ;; esac
  grep -rqE "mod $stem;|$stem\.rs\"" --include=*.rs "$(dirname "$file")" "$(dirname "$(dirname "$file")")" ||
    complain "$file is named by no module"
  [ "$(wc -l <"$file")" -le 400 ] || complain "$file has more than 400 lines"
done < <(git ls-files '*.rs')

for file in suites/src/*.rs; do
  [ "$(wc -l <"$file")" -le 300 ] || complain "$file has more than 300 lines"
  if grep -nE 'kube::|\.unwrap\(\)|sleep\(|\.clone\(\)|Some\(' "$file"; then complain "$file: a case needs a verb of the harness"; fi
done

for script in scripts/*.sh .ci/run; do
  [ "$(wc -l <"$script")" -le 60 ] || complain "$script has more than 60 lines"
done

if git grep -nE '/(work|root|tmp/w)/' -- ':!scripts/tidy.sh' ':!*.pb'; then complain "a path of one machine"; fi
exit "$bad"
