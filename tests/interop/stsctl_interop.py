#!/usr/bin/env python3
"""Puts objects with the program itself and reads them back with the official SDKs, as the session
that `stsctl env` exports."""

import json
import os
import subprocess
import tempfile

import alibabacloud_oss_v2 as oss
import oss2

from common import BUCKET, KEYS, OSS_ENDPOINT, REGION, Tally, equal

STSCTL = os.environ["STSCTL"]


def stsctl(*args, given=None):
    """Runs the program; returns what it printed."""
    done = subprocess.run([STSCTL, *args], input=given, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def put(key, content, *options):
    """Puts the content from a file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        stsctl("oss", "put", *options, BUCKET, key, file.name)


def main():
    tally = Tally("stsctl")
    session = {}
    with tally.check("env"):
        session = json.loads(stsctl("env", "--shell", "json"))
    with tally.check("a second env inside the session is the same session"):
        inside = {**os.environ, **{k: v for k, v in session.items() if v is not None}}
        for name in (name for name, value in session.items() if value is None):
            inside.pop(name, None)
        # ALIBABA_CLOUD_ROLE_ARN is among what was removed: the role is named again.
        args = ["env", "--shell", "json", "--role-arn", session["STSCTL_ROLE_ARN"]]
        again = subprocess.run([STSCTL, *args], env=inside, capture_output=True, check=True)
        name = "ALIBABA_CLOUD_ACCESS_KEY_ID"
        equal(json.loads(again.stdout)[name], session[name])

    parts = ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN")
    credentials = [session.get(name, "absent") for name in parts]
    bucket = oss2.Bucket(
        oss2.StsAuth(*credentials, auth_version=oss2.AUTH_VERSION_4),
        OSS_ENDPOINT,
        BUCKET,
        region=REGION,
    )
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(*credentials)
    config.region = REGION
    config.endpoint = OSS_ENDPOINT
    client = oss.Client(config)

    for version in ("v4", "v1"):
        for name in KEYS:
            key = f"stsctl-{version}/{name}"
            content = os.urandom(100_000)
            with tally.check(f"{version}: put {name}"):
                put(key, content, "--sign-version", version, "--meta", "kind=interop")
                got = bucket.get_object(key)
                equal(got.read(), content)
                equal(got.headers["x-oss-meta-kind"], "interop")
                got = client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key))
                equal(got.body.content, content)
    with tally.check("put from stdin"):
        stsctl("oss", "put", BUCKET, "stdin", "-", given=b"from stdin")
        equal(bucket.get_object("stdin").read(), b"from stdin")
    tally.close()


if __name__ == "__main__":
    main()
