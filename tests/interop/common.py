"""What the interop scripts share: the sandbox's addresses, the keys to try, and a tally of checks.

The sandbox's variables are those that `stsctl sandbox serve` prints. Everything here comes from
the environment, so a script can also be run by hand inside `stsctl sandbox exec`.
"""

import json
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

REGION = os.environ["ALIBABA_CLOUD_REGION_ID"]
STS_ENDPOINT = os.environ["STSCTL_STS_ENDPOINT"]
OSS_ENDPOINT = os.environ["STSCTL_OSS_ENDPOINT"]
ACCESS_KEY_ID = os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"]
ACCESS_KEY_SECRET = os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
ROLE_ARN = os.environ["ALIBABA_CLOUD_ROLE_ARN"]

# A bucket of the default world.
BUCKET = "demo-bucket"

# Object keys that some client has once encoded, decoded or normalised wrongly.
KEYS = json.loads(Path(__file__).with_name("keys.json").read_text(encoding="utf-8"))

# Shaped like the tokens of STS, which never issued it.
MADE_UP_TOKEN = "CAIS" + "A" * 400 + "+/=="


def sts_host():
    """Returns the STS endpoint as `host:port`, the form that the SDKs take."""
    return urlsplit(STS_ENDPOINT).netloc


class Tally:
    """Counts checks; a check that fails is printed and does not stop the others."""

    def __init__(self, title):
        self.title = title
        self.passed = 0
        self.failed = 0

    @contextmanager
    def check(self, name):
        """Runs the block as one check: an exception fails it."""
        try:
            yield
        except Exception as error:  # pylint: disable=broad-except
            self.failed += 1
            print(f"FAILED {self.title}: {name}: {type(error).__name__}: {error}", flush=True)
        else:
            self.passed += 1

    def refused(self, name, codes, call, code_of):
        """Checks that `call` raises an error whose code is among `codes`."""
        with self.check(f"{name} is refused"):
            try:
                call()
            except Exception as error:  # pylint: disable=broad-except
                code = code_of(error)
                if code not in codes:
                    raise AssertionError(f"expected {' or '.join(codes)}, got {code!r}") from error
            else:
                raise AssertionError("it was accepted")

    def close(self):
        """Prints the sums and leaves with 1 if any check failed, or if there was none."""
        print(f"{self.title}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)


def until_refused(call, tries=600):
    """Repeats `call`, which a short session may still be good for, until it raises; returns what
    it raised. Gives up after so many tries of 50 ms and more."""
    for _ in range(tries):
        try:
            call()
        except Exception as error:  # pylint: disable=broad-except
            return error
        time.sleep(0.05)
    raise AssertionError(f"still accepted after {tries} tries")


def equal(got, expected):
    """Raises unless the two are equal."""
    if got != expected:
        raise AssertionError(f"expected {expected!r}, got {got!r}")
