#!/usr/bin/env bash
# Follows README.md's first walk to its end: puts a file with the program, reads it back with the
# official SDK. Needs `stsctl` and a python3 that has oss2 first in PATH. The walk's output is
# compared by tests/cli/readme.rs; here only the block that it cannot run counts.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The commands of the walk up to the SDK's block, and that block as it stands.
walk=$(awk '
  /^## / { walking = ($0 == "## A first walk") }
  !walking { next }
  /^```/ { mark = (mark == "" ? substr($0, 4) : ""); next }
  mark == "console" && /^\$ / && !done { print substr($0, 3) }
  mark == "sh interop" { print; done = 1 }
' README.md)
[[ $walk == *oss2* ]] || { echo 'README.md: the walk has no block for oss2' >&2; exit 1; }

# A user who has nothing; the sandbox ends with the walk.
home=$(mktemp -d)
trap 'rm -rf -- "$home"' EXIT
said=$(env -i PATH="$PATH" HOME="$home" USER=reader PYTHONDONTWRITEBYTECODE=1 \
  sh -ec "trap 'stsctl --quiet sandbox stop' EXIT
$walk")
echo "$said" | tail -n 1
[[ $said == *'read back: '*' bytes, the same' ]] || { echo "$said" >&2; exit 1; }
