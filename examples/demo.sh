#!/bin/sh
# The main job on the example: from a monolith to proven services, each step as a team would type it.
# BIN: the folder of the installed program; DEMO: where report, plan and services are left.
set -eu
: "${BIN:?}" "${DEMO:=.demo}"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$DEMO"
DEMO=$(cd "$DEMO" && pwd)
migrator="$BIN/migrator"
app="$DEMO/monolith_app"
services="$DEMO/services"

say() { printf '\n== %s\n' "$*"; }

# A copy, so that the checkout stays clean; `.migrator/` of an earlier run is kept as a cache.
mkdir -p "$app"
(cd "$here/monolith_app" && tar cf - --exclude=.ruff_cache --exclude=__pycache__ .) | (cd "$app" && tar xf -)
rm -rf "$services" "$app/migrator.plan.yaml"

say "migrator analyze"
"$migrator" analyze "$app"
say "migrator propose"
"$migrator" propose "$app"
say "migrator generate"
"$migrator" generate "$app" -o "$services"
say "migrator verify (up, then prove)"
status=0
"$migrator" verify "$app" --services "$services" --least-kept 60 || status=$?
say "migrator report"
"$migrator" report "$app" -o "$DEMO/report"
say "left to look at"
printf 'plan      %s\nservices  %s\nreport    %s\n' \
  "$app/migrator.plan.yaml" "$services" "$DEMO/report/report.html"
exit "$status"
