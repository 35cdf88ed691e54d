#!/usr/bin/env bash
# Calls the sandbox with Alibaba's official SDKs, and compares their signatures with stsctl's.
#
# Builds stsctl, or takes the binaries that STSCTL and SIGN_INTEROP name. Installs the SDKs into a
# temporary directory, or keeps them in the one that INTEROP_DIR names. Needs python3 with venv,
# node and npm. Exits 1 if any script failed.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)

work=${INTEROP_DIR:-$(mktemp -d)}
# shellcheck disable=SC2317,SC2329 # the trap calls it
cleanup() {
  [[ -z ${STSCTL_SANDBOX_PID:-} ]] || "$STSCTL" sandbox stop
  [[ -n ${INTEROP_DIR:-} ]] || rm -rf -- "$work"
}
trap cleanup EXIT

if [[ -z ${STSCTL:-} || -z ${SIGN_INTEROP:-} ]]; then
  (cd "$repo" && cargo build --locked --bin stsctl --example sign-interop)
  target=${CARGO_TARGET_DIR:-$repo/target}
  STSCTL=${STSCTL:-$target/debug/stsctl}
  SIGN_INTEROP=${SIGN_INTEROP:-$target/debug/examples/sign-interop}
fi

echo 'installing the official SDKs'
mkdir -p "$work/node"
[[ -x $work/venv/bin/python ]] || python3 -m venv "$work/venv"
python=$work/venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check --no-input \
  -r "$here/requirements.txt"
cp "$here/package.json" "$here/package-lock.json" "$work/node/"
(cd "$work/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null)

# The sandbox is on loopback, and its clients' identity is what it prints: nothing of the caller's.
for name in $(compgen -e); do
  case $name in
    ALIBABA_CLOUD_* | ALIBABACLOUD_* | ALICLOUD_* | OSS_* | STSCTL_* | *_proxy | *_PROXY)
      unset "$name"
      ;;
  esac
done
export PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore NODE_PATH=$work/node/node_modules STSCTL

failed=0
run() {
  echo "-- ${2##*/}${3:+ ${3##*/}}"
  "$@" || failed=1
}

# Runs every script as a client of one sandbox of their own: `in_sandbox 'OPTIONS' [WORD]`.
in_sandbox() {
  local variables options=$1
  shift
  # shellcheck disable=SC2086 # one word an option
  variables=$("$STSCTL" sandbox serve --background $options)
  eval "$variables"
  run "$python" "$here/sts_interop.py" "$@"
  run "$python" "$here/oss2_interop.py" "$@"
  run "$python" "$here/oss_v2_interop.py" "$@"
  run node "$here/ali_oss_interop.mjs" "$@"
  [[ $# -gt 0 ]] || run "$python" "$here/stsctl_interop.py"
  "$STSCTL" sandbox stop
  unset STSCTL_SANDBOX_PID
}

run "$python" "$here/sign_compare.py" "$SIGN_INTEROP"
"$python" "$here/sign_compare.py" - >"$work/requests"
run node "$here/sign_compare.js" "$SIGN_INTEROP" <"$work/requests"
run env PATH="$(dirname -- "$STSCTL"):$work/venv/bin:$PATH" "$here/readme_walk.sh"
in_sandbox ''
in_sandbox '--session-lifetime 1s' expired

exit "$failed"
