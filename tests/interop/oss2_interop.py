#!/usr/bin/env python3
"""Puts, gets, lists and deletes in the sandbox with oss2, signing by V4 and by V1, in headers and
in URLs, as a session.

`oss2_interop.py expired` is for a sandbox whose sessions last a second.
"""

import base64
import hashlib
import os
import sys

import oss2
import requests

from common import BUCKET, KEYS, MADE_UP_TOKEN, OSS_ENDPOINT, REGION, Tally, equal, until_refused
from session import assume

VERSIONS = (oss2.AUTH_VERSION_4, oss2.AUTH_VERSION_1)


def bucket(version, credentials):
    """Returns a client of the bucket. An address makes oss2 put the bucket in the path."""
    auth = oss2.StsAuth(*credentials, auth_version=version)
    # oss2 itself would refuse keys that start with `?`; none of ours does.
    return oss2.Bucket(auth, OSS_ENDPOINT, BUCKET, region=REGION, connect_timeout=10)


def code(error):
    """Returns the service's code."""
    return error.code


def works(tally, version):
    """Runs every operation on every key."""
    client = bucket(version, assume())
    prefix = f"oss2-{version}/"
    for name in KEYS:
        key = prefix + name
        # Larger than one read of a socket, so that the CRC-64 is of a stream.
        content = os.urandom(200_000) + key.encode()
        with tally.check(f"{version}: put and get {name}"):
            md5 = hashlib.md5(content).digest()
            headers = {
                "Content-Type": "text/x-interop",
                "Content-MD5": base64.b64encode(md5).decode(),
                "x-oss-meta-kind": "interop",
            }
            # oss2 compares the CRC-64 of what it sent, and of what it got, with the server's.
            put = client.put_object(key, content, headers=headers)
            equal(put.etag, md5.hex().upper())
            got = client.get_object(key)
            equal(got.read(), content)
            equal(got.headers["Content-Type"], "text/x-interop")
            equal(got.headers["x-oss-meta-kind"], "interop")
        with tally.check(f"{version}: head and range {name}"):
            equal(client.head_object(key).content_length, len(content))
            equal(client.get_object(key, byte_range=(3, 9)).read(), content[3:10])
        with tally.check(f"{version}: URLs {name}"):
            # slash_safe: the URL then names the key as every client does.
            url = client.sign_url("GET", key, 60, slash_safe=True)
            equal(requests.get(url, timeout=10).content, content)
            url = client.sign_url("PUT", key, 60, slash_safe=True)
            equal(requests.put(url, b"by URL", timeout=10).status_code, 200)
            equal(client.get_object(key).read(), b"by URL")
    with tally.check(f"{version}: list"):
        listed = [o.key for o in oss2.ObjectIteratorV2(client, prefix=prefix, max_keys=3)]
        equal(listed, sorted((prefix + name for name in KEYS), key=str.encode))
    with tally.check(f"{version}: list with a delimiter"):
        listed = oss2.ObjectIteratorV2(client, prefix=prefix, delimiter="/")
        folders = [o.key for o in listed if o.is_prefix()]
        equal(folders, [prefix + p for p in ("a/", "ends/", "中文/")])
    tally.refused(
        f"{version}: overwriting with x-oss-forbid-overwrite",
        ["FileAlreadyExists"],
        lambda: client.put_object(
            prefix + KEYS[0], b"x", headers={"x-oss-forbid-overwrite": "true"}
        ),
        code,
    )
    for name in KEYS:
        with tally.check(f"{version}: delete {name}"):
            equal(client.delete_object(prefix + name).status, 204)
            equal(client.object_exists(prefix + name), False)
    tally.refused(
        f"{version}: getting what is not there",
        ["NoSuchKey"],
        lambda: client.get_object(prefix + KEYS[0]),
        code,
    )


def refuses(tally, version):
    """Checks that each wrong credential has its own code."""
    good, other = assume(), assume()
    for name, expected, credentials in [
        ("a wrong secret", "SignatureDoesNotMatch", (good[0], "wrong" + good[1][5:], good[2])),
        ("a made-up token", "InvalidSecurityToken", (*good[:2], MADE_UP_TOKEN)),
        (
            "another session's token",
            "AccessKeyIdAndSecurityTokenNotMatch",
            (*good[:2], other[2]),
        ),
        ("an unknown AccessKeyId", "InvalidAccessKeyId", ("STS.unknown", *good[1:])),
    ]:
        for operation, call in operations(bucket(version, credentials)):
            tally.refused(f"{version}: {operation} with {name}", [expected], call, code)
    with tally.check(f"{version}: a mismatch shows the server's string to sign"):
        wrong = bucket(version, (good[0], "wrong" + good[1][5:], good[2]))
        try:
            wrong.put_object("x", b"x")
        except oss2.exceptions.ServerError as error:
            equal("StringToSign" in error.details, True)


def operations(client):
    """Returns one call of each kind."""
    return [
        ("put", lambda: client.put_object("refused", b"x")),
        ("get", lambda: client.get_object("refused")),
        ("list", lambda: client.list_objects_v2()),
        ("delete", lambda: client.delete_object("refused")),
    ]


def expired(tally, version):
    """Checks that a session ends."""
    client = bucket(version, assume())
    with tally.check(f"{version}: a session that has ended is refused"):
        error = until_refused(client.list_objects_v2)
        equal(code(error), "SecurityTokenExpired")
    for operation, call in operations(client):
        tally.refused(
            f"{version}: {operation} after the session's end",
            ["SecurityTokenExpired"],
            call,
            code,
        )


def main():
    tally = Tally("oss2")
    for version in VERSIONS:
        if sys.argv[1:] == ["expired"]:
            expired(tally, version)
        else:
            works(tally, version)
            refuses(tally, version)
    tally.close()


if __name__ == "__main__":
    main()
