#!/usr/bin/env bash
# Compares `stsctl oss put` with `curl -T` on a sparse file, against a server that only reads.
# Prints the median wall times, their ratio (wanted: at most 1.5) and stsctl's peak memory
# (wanted: under 32 MiB). Usage: tests/bench/oss_put.sh [ROUNDS] [BYTES]
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-5}
bytes=${2:-$((4 << 30))}

cargo build --quiet --release --bin stsctl --example sink
target=${CARGO_TARGET_DIR:-target}/release

work=$(mktemp -d)
sink=
trap '[ -z "$sink" ] || kill "$sink"; rm -rf "$work"' EXIT

dd if=/dev/null of="$work/file" bs=1 count=0 seek="$bytes" 2>/dev/null
"$target/examples/sink" >"$work/port" &
sink=$!
until [ -s "$work/port" ]; do kill -0 "$sink"; done
server=http://127.0.0.1:$(cat "$work/port")

# The identity is made up; the server looks at nothing. Nothing of the caller's is used.
put() {
  env -i PATH="$PATH" HOME="$work" STSCTL_CONFIG_DIR="$work" \
    ALIBABA_CLOUD_ACCESS_KEY_ID=LTAIbench ALIBABA_CLOUD_ACCESS_KEY_SECRET=bench \
    OSS_ENDPOINT="$server" OSS_REGION=cn-hangzhou \
    "$target/stsctl" oss put demo-bucket file "$work/file"
}
upload() { curl --silent --show-error --fail --upload-file "$work/file" "$server/demo-bucket/file"; }

# Runs a function; appends its wall seconds and peak KiB to a file.
measure() {
  export -f put upload
  export work server target
  if /usr/bin/time --version 2>&1 | grep -q GNU; then
    /usr/bin/time --format '%e %M' --append --output "$2" bash -c "$1" >/dev/null
  else
    python3 - "$1" "$2" >/dev/null <<'PYTHON'
import os, subprocess, sys, time
start = time.monotonic()
child = subprocess.Popen(["bash", "-c", sys.argv[1]])
_, status, usage = os.wait4(child.pid, 0)
seconds = time.monotonic() - start
kib = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
with open(sys.argv[2], "a") as file:
    print(f"{seconds:.2f} {kib}", file=file)
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
  fi
}

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

for _ in $(seq "$rounds"); do
  measure put "$work/put.times"
  measure upload "$work/curl.times"
done

awk -v put="$(median "$work/put.times")" -v curl="$(median "$work/curl.times")" \
  -v kib="$(sort -n -k 2 "$work/put.times" | tail -n 1 | cut -d ' ' -f 2)" \
  -v bytes="$bytes" -v rounds="$rounds" 'BEGIN {
  printf "%s bytes, %s rounds\n", bytes, rounds
  printf "stsctl oss put: %.2f s, peak %.1f MiB\n", put, kib / 1024
  printf "curl -T:        %.2f s\n", curl
  printf "ratio:          %.2f\n", put / curl
}'
