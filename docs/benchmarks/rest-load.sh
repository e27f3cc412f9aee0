#!/usr/bin/env bash
# Asks a running job a thousand questions a second for SECONDS and prints how long the answers took.
#
#   rest-load.sh PORT SECONDS
#
# Needs `hey` (go install github.com/rakyll/hey@latest), curl and python3.
set -euo pipefail
port="$1" seconds="$2" base="http://127.0.0.1:$1"
first() { python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(sys.stdin)}))' "$1"; }
job="$(curl -s "$base/jobs" | first 'd["jobs"][0]["id"]')"
vertex="$(curl -s "$base/jobs/$job" | first 'd["vertices"][0]["id"]')"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
# What a dashboard and a controller ask: 250 a second of each, over five connections each.
for path in /jobs/overview "/jobs/$job" "/jobs/$job/checkpoints" \
    "/jobs/$job/vertices/$vertex/subtasks/metrics?get=busyTimeMsPerSecond,backPressuredTimeMsPerSecond,numRecordsOutPerSecond"; do
    hey -z "${seconds}s" -c 5 -q 50 -o csv "$base$path" >"$scratch/$RANDOM$RANDOM.csv" &
done
wait
cat "$scratch"/*.csv | python3 -c '
import sys
rows = [line.split(",") for line in sys.stdin if line[0].isdigit()]
times = sorted(float(row[0]) * 1000 for row in rows)
at = lambda share: times[min(len(times) - 1, int(len(times) * share))]
bad = sum(row[6] != "200" for row in rows)
print(f"{len(times)} requests, {len(times) / '"$seconds"':.0f} a second, {bad} not answered with 200")
print(f"p50 {at(.5):.2f} ms, p90 {at(.9):.2f} ms, p99 {at(.99):.2f} ms, p99.9 {at(.999):.2f} ms, worst {times[-1]:.2f} ms")'
