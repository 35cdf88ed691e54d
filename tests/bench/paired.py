#!/usr/bin/env python3
"""Times two commands in turn, A B A B …, and prints how much longer B takes than A.

Usage: paired.py ROUNDS A… -- B…

Taking turns, both meet the same disturbances of the machine. Output of both is thrown away; a
command that fails ends the run.
"""

import os
import statistics
import sys
import time


def seconds(argv, null):
    """Runs a command once; returns its wall time."""
    actions = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1)]
    start = time.perf_counter()
    child = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
    _, status = os.waitpid(child, 0)
    took = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{argv[0]}: exit {os.waitstatus_to_exitcode(status)}")
    return took


def main():
    rounds, rest = int(sys.argv[1]), sys.argv[2:]
    split = rest.index("--")
    commands = rest[:split], rest[split + 1 :]
    null = os.open(os.devnull, os.O_RDWR)
    for _ in range(10):
        for command in commands:
            seconds(command, null)
    pairs = [[seconds(command, null) for command in commands] for _ in range(rounds)]
    a, b = ([pair[i] for pair in pairs] for i in (0, 1))
    ratio = statistics.median(b) / statistics.median(a)
    print(f"  median {statistics.median(a) * 1e3:.2f} ms and {statistics.median(b) * 1e3:.2f} ms")
    print(f"  least  {min(a) * 1e3:.2f} ms and {min(b) * 1e3:.2f} ms")
    print(f"  ratio  {ratio:.2f} (of the least: {min(b) / min(a):.2f})")


if __name__ == "__main__":
    main()
