#!/usr/bin/env python3
"""Puts, gets, lists and deletes in the sandbox with alibabacloud-oss-v2, signing by V4 in headers
and in URLs, as a session. Its V1 signer sends the token in a header that it does not sign, and so
must be refused.

`oss_v2_interop.py expired` is for a sandbox whose sessions last a second.
"""

import os
import sys

import alibabacloud_oss_v2 as oss
import requests

from common import BUCKET, KEYS, MADE_UP_TOKEN, OSS_ENDPOINT, REGION, Tally, equal, until_refused
from session import assume


def client_of(credentials, version="v4"):
    """Returns a client. An address makes the SDK put the bucket in the path."""
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(*credentials)
    config.region = REGION
    config.endpoint = OSS_ENDPOINT
    config.signature_version = version
    return oss.Client(config)


def code(error):
    """Returns the service's code; the SDK wraps what the service answered."""
    while not isinstance(error, oss.exceptions.ServiceError):
        error = error.unwrap()
    return error.code


def works(tally):
    """Runs every operation on every key."""
    client = client_of(assume())
    prefix = "oss-v2/"
    for name in KEYS:
        key = prefix + name
        content = os.urandom(200_000) + key.encode()
        with tally.check(f"put and get {name}"):
            # The SDK compares the CRC-64 of what it sent with the server's.
            client.put_object(
                oss.PutObjectRequest(
                    bucket=BUCKET,
                    key=key,
                    body=content,
                    content_type="text/x-interop",
                    metadata={"kind": "interop"},
                )
            )
            got = client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key))
            equal(got.body.content, content)
            equal(got.metadata, {"kind": "interop"})
        with tally.check(f"head and range {name}"):
            head = client.head_object(oss.HeadObjectRequest(bucket=BUCKET, key=key))
            equal((head.content_length, head.content_type), (len(content), "text/x-interop"))
            part = oss.GetObjectRequest(
                bucket=BUCKET, key=key, range_header="bytes=3-9", range_behavior="standard"
            )
            equal(client.get_object(part).body.content, content[3:10])
        with tally.check(f"URLs {name}"):
            signed = client.presign(oss.GetObjectRequest(bucket=BUCKET, key=key))
            got = requests.get(signed.url, headers=signed.signed_headers, timeout=10)
            equal(got.content, content)
            signed = client.presign(oss.PutObjectRequest(bucket=BUCKET, key=key))
            put = requests.put(signed.url, b"by URL", headers=signed.signed_headers, timeout=10)
            equal(put.status_code, 200)
            got = client.get_object(oss.GetObjectRequest(bucket=BUCKET, key=key))
            equal(got.body.content, b"by URL")
    with tally.check("list"):
        pages = client.list_objects_v2_paginator(limit=3).iter_page(
            oss.ListObjectsV2Request(bucket=BUCKET, prefix=prefix)
        )
        listed = [o.key for page in pages for o in page.contents or []]
        equal(listed, sorted((prefix + name for name in KEYS), key=str.encode))
    tally.refused(
        "overwriting with x-oss-forbid-overwrite",
        ["FileAlreadyExists"],
        lambda: client.put_object(
            oss.PutObjectRequest(
                bucket=BUCKET, key=prefix + KEYS[0], body=b"x", forbid_overwrite=True
            )
        ),
        code,
    )
    for name in KEYS:
        with tally.check(f"delete {name}"):
            request = oss.DeleteObjectRequest(bucket=BUCKET, key=prefix + name)
            equal(client.delete_object(request).status_code, 204)
            equal(client.is_object_exist(BUCKET, prefix + name), False)


def refuses(tally):
    """Checks that each wrong credential has its own code, and V1's unsigned token as well."""
    good, other = assume(), assume()
    for name, version, expected, credentials in [
        (
            "a wrong secret",
            "v4",
            "SignatureDoesNotMatch",
            (good[0], "wrong" + good[1][5:], good[2]),
        ),
        ("a made-up token", "v4", "InvalidSecurityToken", (*good[:2], MADE_UP_TOKEN)),
        (
            "another session's token",
            "v4",
            "AccessKeyIdAndSecurityTokenNotMatch",
            (*good[:2], other[2]),
        ),
        ("an unknown AccessKeyId", "v4", "InvalidAccessKeyId", ("STS.unknown", *good[1:])),
        ("a token that is not signed", "v1", "InvalidAccessKeyId", good),
    ]:
        for operation, call in operations(client_of(credentials, version)):
            tally.refused(f"{operation} with {name}", [expected], call, code)


def operations(client):
    """Returns one call of each kind."""
    names = {"bucket": BUCKET, "key": "refused"}
    return [
        ("put", lambda: client.put_object(oss.PutObjectRequest(**names, body=b"x"))),
        ("get", lambda: client.get_object(oss.GetObjectRequest(**names))),
        ("list", lambda: client.list_objects_v2(oss.ListObjectsV2Request(bucket=BUCKET))),
        ("delete", lambda: client.delete_object(oss.DeleteObjectRequest(**names))),
    ]


def expired(tally):
    """Checks that a session ends."""
    client = client_of(assume())
    with tally.check("a session that has ended is refused"):
        request = oss.ListObjectsV2Request(bucket=BUCKET)
        error = until_refused(lambda: client.list_objects_v2(request))
        equal(code(error), "SecurityTokenExpired")
    for operation, call in operations(client):
        name = f"{operation} after the session's end"
        tally.refused(name, ["SecurityTokenExpired"], call, code)


def main():
    tally = Tally("alibabacloud-oss-v2")
    if sys.argv[1:] == ["expired"]:
        expired(tally)
    else:
        works(tally)
        refuses(tally)
    tally.close()


if __name__ == "__main__":
    main()
