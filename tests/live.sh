#!/usr/bin/env bash
# Compares the real cloud with the sandbox, for a person with an account. See usage below.

set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usage() {
  cat <<'TEXT'
Usage: tests/live.sh [--wait]

Asks the real STS and OSS about each server fact that stsctl or its sandbox assumes, asks the sandbox
the same, and prints where they differ. Nothing is asserted: the answers are for the one who keeps
the sandbox true.

It calls AssumeRole and GetCallerIdentity (some with wrong signatures), and puts, gets, lists and
deletes small objects below one prefix of one bucket, which it empties at the end. It costs a few
hundred requests.

  --wait   also waits 15 minutes for a session to end, and asks about it

These must be set; none of the usual variables is read:

  STSCTL_LIVE_ACCESS_KEY_ID      of a RAM user that may assume the role
  STSCTL_LIVE_ACCESS_KEY_SECRET
  STSCTL_LIVE_ROLE_ARN           of a role that may put, get, list and delete below the prefix
  STSCTL_LIVE_REGION             such as cn-hangzhou
  STSCTL_LIVE_BUCKET             a bucket of that region, without versioning
  STSCTL_LIVE_PREFIX             ends in `/`; everything below it is deleted

These may be set:

  STSCTL_LIVE_STS_ENDPOINT       default https://sts.REGION.aliyuncs.com
  STSCTL_LIVE_OSS_ENDPOINT       default https://oss-REGION.aliyuncs.com
  STSCTL_LIVE_YES=yes            the answer to the question that is asked first
  STSCTL                         the program, instead of a build

Needs python3 and, without STSCTL, cargo.
TEXT
}

arguments=()
for argument in "$@"; do
  case $argument in
    --wait) arguments+=(--wait) ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done

for name in ACCESS_KEY_ID ACCESS_KEY_SECRET ROLE_ARN REGION BUCKET PREFIX; do
  variable=STSCTL_LIVE_$name
  if [[ -z ${!variable:-} ]]; then
    printf 'tests/live.sh: %s is not set\n\n' "$variable" >&2
    usage >&2
    exit 2
  fi
done
# A prefix of `/` would be none.
if [[ ! $STSCTL_LIVE_PREFIX =~ ^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*/$ ]]; then
  echo 'tests/live.sh: STSCTL_LIVE_PREFIX is one or more names of A-Z a-z 0-9 . _ - each ended by /' >&2
  exit 2
fi
export STSCTL_LIVE_STS_ENDPOINT=${STSCTL_LIVE_STS_ENDPOINT:-https://sts.$STSCTL_LIVE_REGION.aliyuncs.com}
export STSCTL_LIVE_OSS_ENDPOINT=${STSCTL_LIVE_OSS_ENDPOINT:-https://oss-$STSCTL_LIVE_REGION.aliyuncs.com}

echo "This asks $STSCTL_LIVE_STS_ENDPOINT and $STSCTL_LIVE_OSS_ENDPOINT as $STSCTL_LIVE_ACCESS_KEY_ID,"
echo "and deletes everything in bucket $STSCTL_LIVE_BUCKET below $STSCTL_LIVE_PREFIX"
answer=${STSCTL_LIVE_YES:-}
[[ -n $answer ]] || read -r -p 'Go on? (yes) ' answer || true
if [[ $answer != yes ]]; then
  echo 'nothing was done' >&2
  exit 1
fi

if [[ -z ${STSCTL:-} ]]; then
  (cd "$repo" && cargo build --locked --bin stsctl)
  STSCTL=${CARGO_TARGET_DIR:-$repo/target}/debug/stsctl
fi
options=()
[[ ${#arguments[@]} -eq 0 ]] || options=(--session-lifetime 60s)
variables=$("$STSCTL" sandbox serve --background "${options[@]}")
eval "$variables"
trap '"$STSCTL" sandbox stop' EXIT
export STSCTL_LIVE_SANDBOX_STS_ENDPOINT=$STSCTL_STS_ENDPOINT
export STSCTL_LIVE_SANDBOX_OSS_ENDPOINT=$STSCTL_OSS_ENDPOINT
export STSCTL_LIVE_SANDBOX_REGION=$ALIBABA_CLOUD_REGION_ID
export STSCTL_LIVE_SANDBOX_BUCKET=demo-bucket
export STSCTL_LIVE_SANDBOX_PREFIX=$STSCTL_LIVE_PREFIX
export STSCTL_LIVE_SANDBOX_ACCESS_KEY_ID=$ALIBABA_CLOUD_ACCESS_KEY_ID
export STSCTL_LIVE_SANDBOX_ACCESS_KEY_SECRET=$ALIBABA_CLOUD_ACCESS_KEY_SECRET
export STSCTL_LIVE_SANDBOX_ROLE_ARN=$ALIBABA_CLOUD_ROLE_ARN

PYTHONDONTWRITEBYTECODE=1 python3 "$repo/tests/live/probes.py" "${arguments[@]}"
