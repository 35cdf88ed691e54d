#!/usr/bin/env bash
# Shows what `stsctl env` costs when the session is cached: its wall time over that of /bin/true, in
# one run that takes turns, with no other session in the cache and with 10,000; and, where strace is
# installed, the system calls that would betray a network or a thread. Prints, and asserts nothing.
#
# STSCTL names the binary; without it a release build is made. ROUNDS is how often each runs.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
rounds=${ROUNDS:-400}

if [[ -z ${STSCTL:-} ]]; then
  (cd "$repo" && cargo build --locked --release --bin stsctl)
  STSCTL=${CARGO_TARGET_DIR:-$repo/target}/release/stsctl
fi

variables=$("$STSCTL" sandbox serve --background)
eval "$variables"
config=$STSCTL_CONFIG_DIR
trap '"$STSCTL" sandbox stop; rm -rf -- "$config"' EXIT

sessions=$STSCTL_CONFIG_DIR/sessions
warm=("$STSCTL" env --shell sh)
"${warm[@]}" >/dev/null

echo "warm env against /bin/true, no other session:"
"$here/paired.py" "$rounds" /bin/true -- "${warm[@]}"

# Copies under names that are keys of nothing: as many files, and none that this session reads.
python3 - "$sessions" <<'PY'
import hashlib, os, pathlib, sys

[entry] = pathlib.Path(sys.argv[1]).glob("*.v*.json")
key, rest = entry.name.split(".", 1)
content = entry.read_bytes()
for i in range(10_000):
    name = hashlib.sha256(str(i).encode()).hexdigest()[: len(key)]
    with open(os.open(entry.with_name(f"{name}.{rest}"), os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
        f.write(content)
PY

echo "warm env against /bin/true, $(find "$sessions" -name '*.json' | wc -l) sessions:"
"$here/paired.py" "$rounds" /bin/true -- "${warm[@]}"

if command -v strace >/dev/null; then
  trace=$(mktemp)
  strace -f -qq -e trace=network,clone,clone3,fork,vfork -o "$trace" "${warm[@]}" >/dev/null
  echo "sockets, connections, threads and children of one warm env: $(wc -l <"$trace")"
  cat "$trace"
  strace -f -qq -c -o "$trace" "${warm[@]}" >/dev/null
  echo 'all its system calls:'
  cat "$trace"
  rm -f "$trace"
else
  echo 'NOT SHOWN: system calls. strace is not installed.'
fi
