#!/usr/bin/env bash
# Each named defect must turn the cases red that claim its promise: `DEFECT CODE FILTER…` a line, where CODE is 10 for a
# broken promise and 21 where the defect keeps waymark from judging.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
survived=0
while read -r defect expected filters; do
  [ -n "$defect" ] || continue
  # shellcheck disable=SC2086
  cargo waymark run --sabotage "$defect" $filters </dev/null >"$log" 2>&1
  code=$?
  # every case that ran must be red: a single pass survived the defect
  passes=$(grep -cE '^[0-9:]+ +PASS ' "$log")
  if [ "$code" = "$expected" ] && [ "$passes" = 0 ]; then
    printf 'killed    %-22s by %s\n' "$defect" "$filters"
  else
    printf 'SURVIVED  %-22s %s (exit %s, %s passes)\n' "$defect" "$filters" "$code" "$passes"
    tail -n 20 "$log"
    survived=1
  fi
done <<'DEFECTS'
ignore-header-match    10 header_match_selects_backend
ignore-path-match      10 path_match_selects_backend unmatched_path_is_404
weights-level          10 weights_are_kept
bypass-waypoint        10 no_route_service_answers_through_waypoint service_over_both_accounts
scope-leak             10 others_service service_outside pod_address destination_without_waypoint
fault-off              10 fault::
rbac-off               10 authorization::
log-off                10 one_line_for_each_request answer_of_waypoint_is_logged
log-wrong-identity     10 client_identity_is_in_ztunnel_line
count-twice            10 metrics::
removal-leaves-policy  10 removal::
refuse-listener        21 proxies_refuse_nothing
DEFECTS
exit "$survived"
