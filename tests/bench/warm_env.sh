#!/usr/bin/env bash
# Compares `stsctl env`, answered from the cache, with `/bin/true`: started in turn, the same way,
# first with one cached session, then with many. Prints the median wall times and their ratio
# (wanted: at most 2). Usage: tests/bench/warm_env.sh [ROUNDS] [SESSIONS]
set -euo pipefail
cd "$(dirname "$0")/../.."

rounds=${1:-1000}
sessions=${2:-10000}

cargo build --quiet --release --bin stsctl
stsctl=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd)/stsctl

# Nothing of the caller's counts but what every process has.
for name in $(compgen -e); do
  case $name in HOME | LANG | LOGNAME | PATH | TERM | USER) ;; *) unset "$name" ;; esac
done
variables=$("$stsctl" sandbox serve --background)
eval "$variables"
trap '"$stsctl" --quiet sandbox stop' EXIT
"$stsctl" assume >/dev/null

# Times both commands in turn, so that whatever else the machine does befalls both.
compare() {
  python3 - "$rounds" "$1" "$stsctl" env --shell sh <<'PYTHON'
import os, statistics, sys, time

rounds, title, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]


def seconds(argv):
    start = time.perf_counter()
    child = os.posix_spawn(argv[0], argv, os.environ, file_actions=silent)
    _, status = os.waitpid(child, 0)
    took = time.perf_counter() - start
    if status:
        sys.exit(f"{argv}: status {status}")
    return took


pairs = [(seconds(["/bin/true"]), seconds(command)) for _ in range(rounds)]
true, ours = (statistics.median(times) for times in zip(*pairs))
ratio = statistics.median(ours / true for true, ours in pairs)
print(f"{title}: stsctl env {ours * 1e3:.2f} ms, /bin/true {true * 1e3:.2f} ms; "
      f"ratio of the medians {ours / true:.2f}, median of the ratios {ratio:.2f}")
PYTHON
}

compare '1 session'
# Copies under other names: `env` is to find its own among them, whatever they hold.
dir=$("$stsctl" cache path)
python3 - "$dir" "$sessions" <<'PYTHON'
import pathlib, shutil, sys

directory = pathlib.Path(sys.argv[1])
(session,) = directory.glob("*.v*.json")
suffix = session.name.partition(".")[2]
for number in range(int(sys.argv[2]) - 1):
    shutil.copy(session, directory / f"{number:064x}.{suffix}")
PYTHON
compare "$(find "$dir" -name '*.json' | wc -l) sessions"
