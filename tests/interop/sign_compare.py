#!/usr/bin/env python3
"""Signs the same random requests with the official Python SDKs and with stsctl's library.

Usage: sign_compare.py SIGN_INTEROP [COUNT [SEED]]

SIGN_INTEROP is the binary of `cargo build --example sign-interop` (or $SIGN_INTEROP); COUNT is how
many requests of each scheme, 500 if not given. With `-` for SIGN_INTEROP the requests are only
printed, one JSON object a line: sign_compare.js takes them. Needs the packages of requirements.txt. Prints a
count for each scheme and SDK; exits 1 if any signature differs. All keys and tokens are made up.

Each scheme goes to the SDKs that sign it as the service wants it:
  RPC      aliyun-python-sdk-core
  ACS3     alibabacloud-tea-openapi
  OSS V1   oss2 (alibabacloud-oss-v2 sends the token in a header that it does not sign, and leaves
           some sub-resources out)
  OSS V4   oss2 and alibabacloud-oss-v2
"""

import collections
import hashlib
import json
import os
import random
import string
import subprocess
import sys
import types
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, quote, urlsplit

import alibabacloud_oss_v2.credentials as v2_credentials
import alibabacloud_oss_v2.signer as v2_signer
import alibabacloud_oss_v2.types as v2_types
import oss2
import oss2.auth
import oss2.http
from aliyunsdkcore.auth.composer import rpc_signature_composer
from aliyunsdkcore.utils import parameter_helper
from alibabacloud_tea_openapi.utils import Utils as OpenApi
from freezegun import freeze_time

SCHEMES = ["rpc", "acs3", "oss-v1-header", "oss-v1-url", "oss-v4-header", "oss-v4-url"]


# --- the requests ---


def random_requests(rng, count):
    """Yields so many requests of each scheme."""
    for _ in range(count):
        for scheme in SCHEMES:
            yield random_request(rng, scheme)


def random_request(rng, scheme):
    request = {
        "scheme": scheme,
        "method": rng.choice(["GET", "PUT", "POST", "HEAD", "DELETE"]),
        "access_key_id": "LTAI" + word(rng, 16),
        "access_key_secret": secret(rng),
        "security_token": None,
        "timestamp": moment(rng).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "nonce": word(rng, 32),
        "action": "",
        "version": "",
        "params": [],
        "path": "",
        "host": "",
        "content_type": None,
        "body": "",
        "query": [],
        "headers": [],
        "bucket": None,
        "key": None,
        "expires": rng.randint(1, 43200),
        "additional_headers": [],
        "region": rng.choice(["cn-hangzhou", "ap-southeast-1", "us-west-1"]),
        "product": "oss",
    }
    if rng.random() < 0.6:
        request["access_key_id"] = "STS." + word(rng, 24)
        request["security_token"] = "CAIS" + secret(rng) + secret(rng)
    if scheme == "rpc":
        fill_rpc(rng, request)
    elif scheme == "acs3":
        fill_acs3(rng, request)
    else:
        fill_oss(rng, request)
    return request


def fill_rpc(rng, request):
    request["method"] = rng.choice(["GET", "POST"])
    request["action"] = rng.choice(["AssumeRole", "GetCallerIdentity", "DescribeRegions"])
    request["version"] = "2015-04-01"
    params = {text(rng, 1, 8): text(rng, 0, 12) for _ in range(rng.randint(0, 4))}
    params["RoleArn"] = "acs:ram::1234567890123456:role/" + word(rng, 6)
    if rng.random() < 0.5:
        params["Policy"] = json.dumps({"Version": "1", "Statement": [text(rng, 0, 30)]})
    # the SDK always sends this one
    params["SignatureType"] = ""
    request["params"] = pairs(rng, params)


def fill_acs3(rng, request):
    segments = [quote(text(rng, 1, 6), safe="~") for _ in range(rng.randint(0, 3))]
    request["path"] = "/" + "/".join(segments)
    request["action"] = rng.choice(["AssumeRole", "GetCallerIdentity", "ModifyClusterNodes"])
    request["version"] = "2015-04-01"
    request["host"] = "sts." + request["region"] + ".aliyuncs.com"
    # the SDK does not encode names
    request["query"] = pairs(rng, {plain_name(rng): text(rng, 0, 20) for _ in range(rng.randint(0, 5))})
    if rng.random() < 0.5:
        request["content_type"] = rng.choice(
            ["application/x-www-form-urlencoded", "application/json; charset=utf-8"]
        )
        request["body"] = text(rng, 0, 60)


def fill_oss(rng, request):
    v1 = request["scheme"].startswith("oss-v1")
    level = rng.choice(["object", "object", "object", "object", "bucket", "service"])
    if level != "service":
        request["bucket"] = word(rng, 10).lower()
    if level == "object":
        request["key"] = text(rng, 1, 30)

    query = {}
    if v1:
        # half of them sub-resources, from the SDK's own list
        known = sorted(oss2.auth.ProviderAuth._subresource_key_set - {"security-token"})
        for name in rng.sample(known, rng.randint(0, 4)):
            query[name] = text(rng, 0, 12) if rng.random() < 0.5 else ""
        for name in rng.sample(["prefix", "marker", "max-keys", "list-type"], rng.randint(0, 3)):
            query[name] = text(rng, 0, 12)
    else:
        for _ in range(rng.randint(0, 5)):
            query[text(rng, 1, 8)] = text(rng, 0, 12) if rng.random() < 0.7 else ""
        if rng.random() < 0.5:
            query["uploads"] = ""
    request["query"] = pairs(rng, query)

    headers = {}
    if rng.random() < 0.6:
        headers[spelt(rng, "content-type")] = rng.choice(["text/plain", "text/plain; charset=utf-8"])
    if rng.random() < 0.4:
        headers[spelt(rng, "content-md5")] = "XUFAKrxLKna5cZ2REBfFkg=="
    if rng.random() < 0.4:
        headers[spelt(rng, "range")] = "bytes=0-99"
    if rng.random() < 0.3:
        headers[spelt(rng, "if-modified-since")] = "Wed, 28 Dec 2022 10:27:41 GMT"
    for _ in range(rng.randint(0, 4)):
        name = "x-oss-meta-" + plain_name(rng).lower().replace("~", "-")
        headers[spelt(rng, name)] = header_value(rng)
    if rng.random() < 0.3:
        headers["x-oss-object-acl"] = "private"
    if v1 and request["scheme"] == "oss-v1-header" and rng.random() < 0.2:
        date = moment(rng).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers[spelt(rng, "x-oss-date")] = date
    # several spellings of one name are one header to the SDKs
    headers = {name.lower(): (name, value) for name, value in headers.items()}
    request["headers"] = pairs(rng, dict(headers.values()))

    if not v1 and rng.random() < 0.5:
        present = [name for name in ("range", "if-modified-since", "content-type") if name in headers]
        request["additional_headers"] = [spelt(rng, name) for name in present]


def moment(rng):
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    return start + timedelta(seconds=rng.randrange(5 * 365 * 86400))


def word(rng, length):
    return "".join(rng.choices(string.ascii_letters + string.digits, k=length))


def secret(rng):
    return "".join(rng.choices(string.ascii_letters + string.digits + "+/=%&;#~", k=30))


def plain_name(rng):
    return "".join(rng.choices(string.ascii_letters + string.digits + "-._~", k=rng.randint(1, 8)))


def text(rng, least, most):
    """What breaks encoders: reserved and unreserved marks, escapes, quotes, other scripts."""
    pieces = list("abzAZ019-_.~ +%/\\\"'!*()&=?#:;,@$[]{}|<>^`")
    pieces += ["%2F", "%7E", "+%20", "中文", "目录/", "é", "😀"]
    return "".join(rng.choices(pieces, k=rng.randint(least, most)))


def header_value(rng):
    """Printable ASCII without space at the ends, which HTTP does not carry."""
    return "".join(rng.choices(string.ascii_letters + "+%/=&;,:~ \"'", k=rng.randint(1, 20))).strip() or "v"


def spelt(rng, name):
    return rng.choice([name, name.title(), name.upper()])


def pairs(rng, mapping):
    items = [list(item) for item in mapping.items()]
    rng.shuffle(items)
    return items


# --- the SDKs' signers; each returns what the SDK adds, in a comparable form ---


def sign_with_sdk_core(request):
    params = dict(request["params"])
    params["Action"] = request["action"]
    params["Version"] = request["version"]
    if request["security_token"]:
        params["SecurityToken"] = request["security_token"]
    parameter_helper.get_uuid = lambda: request["nonce"]
    given = {name for name, _ in request["params"]}
    url, _ = rpc_signature_composer.get_signed_url(
        params, request["access_key_id"], request["access_key_secret"], "JSON", request["method"], {}
    )
    sent = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    return {name: value for name, value in sent if name not in given}


def sign_with_tea_openapi(request):
    body_hash = OpenApi.hash(request["body"].encode(), "ACS3-HMAC-SHA256").hex()
    added = {
        "x-acs-action": request["action"],
        "x-acs-version": request["version"],
        "x-acs-date": OpenApi.get_timestamp(),
        "x-acs-signature-nonce": request["nonce"],
        "x-acs-content-sha256": body_hash,
    }
    if request["security_token"]:
        added["x-acs-accesskey-id"] = request["access_key_id"]
        added["x-acs-security-token"] = request["security_token"]
    headers = {"host": request["host"], **added}
    if request["content_type"]:
        headers["content-type"] = request["content_type"]
    parts = types.SimpleNamespace(
        method=request["method"],
        pathname=request["path"],
        query=dict(request["query"]),
        headers=headers,
    )
    added["Authorization"] = OpenApi.get_authorization(
        parts, "ACS3-HMAC-SHA256", body_hash, request["access_key_id"], request["access_key_secret"]
    )
    return added


def sign_with_oss2(request):
    version = oss2.AUTH_VERSION_1 if request["scheme"].startswith("oss-v1") else oss2.AUTH_VERSION_4
    provider = oss2.credentials.StaticCredentialsProvider(
        request["access_key_id"], request["access_key_secret"], request["security_token"]
    )
    kind = oss2.auth.ProviderAuth if version == oss2.AUTH_VERSION_1 else oss2.auth.ProviderAuthV4
    sent = oss2.http.Request(
        request["method"],
        "http://h/",
        params=dict(request["query"]),
        headers=dict(request["headers"]),
        region=request["region"],
        product=request["product"],
    )
    auth = kind(provider)
    arguments = [sent, request["bucket"] or "", request["key"] or ""]
    if request["scheme"].endswith("-url"):
        arguments.append(request["expires"])
    if version == oss2.AUTH_VERSION_4:
        arguments.append(request["additional_headers"])
    if request["scheme"].endswith("-header"):
        auth._sign_request(*arguments)
        return added_headers(request, sent.headers)
    return added_parameters(request, auth._sign_url(*arguments))


def sign_with_oss_v2(request):
    query = "&".join(
        quote(name, safe="") + ("=" + quote(value, safe="") if value else "")
        for name, value in request["query"]
    )
    sent = v2_types.HttpRequest(
        request["method"], "http://h/" + ("?" + query if query else ""), dict(request["headers"])
    )
    at = datetime.strptime(request["timestamp"], "%Y-%m-%dT%H:%M:%S%z")
    context = v2_types.SigningContext(
        product=request["product"],
        region=request["region"],
        bucket=request["bucket"],
        # without a key it leaves `/bucket/` as it is
        key=request["key"],
        request=sent,
        credentials=v2_credentials.Credentials(
            request["access_key_id"], request["access_key_secret"], request["security_token"]
        ),
        signing_time=at,
        additional_headers=request["additional_headers"],
    )
    context.auth_method_query = request["scheme"].endswith("-url")
    if context.auth_method_query:
        context.expiration_time = at + timedelta(seconds=request["expires"])
    v2_signer.SignerV4().sign(context)
    if request["scheme"].endswith("-header"):
        return added_headers(request, sent.headers)
    return added_parameters(request, sent.url)


SDKS = {
    "rpc": {"aliyun-python-sdk-core": sign_with_sdk_core},
    "acs3": {"alibabacloud-tea-openapi": sign_with_tea_openapi},
    "oss-v1-header": {"oss2": sign_with_oss2},
    "oss-v1-url": {"oss2": sign_with_oss2},
    "oss-v4-header": {"oss2": sign_with_oss2, "alibabacloud-oss-v2": sign_with_oss_v2},
    "oss-v4-url": {"oss2": sign_with_oss2, "alibabacloud-oss-v2": sign_with_oss_v2},
}


# --- comparing ---


def added_headers(request, headers):
    given = {name.lower() for name, _ in request["headers"]}
    return {
        name.lower(): value
        for name, value in headers.items()
        # the SDKs add headers of their own that are no part of the signature
        if name.lower() not in given and name.lower() not in ("accept-encoding", "user-agent")
    }


def added_parameters(request, url):
    given = {name for name, _ in request["query"]}
    query = urlsplit(url).query
    sent = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    return {name: value for name, value in sent if name not in given}


def comparable(request, added):
    """Undoes the differences that no server minds."""
    if not request["scheme"].endswith("-header") and request["scheme"] != "acs3":
        return added
    added = {name.lower(): value for name, value in added.items()}
    if request["scheme"] == "oss-v4-header":
        # the parts of Authorization in any order, with or without a space; Date beside x-oss-date
        algorithm, parts = added["authorization"].split(" ", 1)
        added["authorization"] = [algorithm] + sorted(part.strip() for part in parts.split(","))
        added.pop("date", None)
    if any(name.lower() == "x-oss-date" for name, _ in request["headers"]):
        # in V1 it replaces Date, which oss2 sends all the same
        added.pop("date", None)
    return added


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SIGN_INTEROP")
    if not binary:
        sys.exit(__doc__)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20260102
    requests = list(random_requests(random.Random(seed), count))

    lines = "".join(json.dumps(request) + "\n" for request in requests)
    if binary == "-":
        sys.stdout.write(lines)
        return 0
    done = subprocess.run([binary], input=lines, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(requests):
        sys.exit(f"{len(answers)} answers to {len(requests)} requests")

    agreed, differed = collections.Counter(), collections.Counter()
    with freeze_time("2024-01-01") as clock:
        for request, answer in zip(requests, answers):
            clock.move_to(request["timestamp"])
            ours = comparable(request, answer)
            for sdk, sign in SDKS[request["scheme"]].items():
                theirs = comparable(request, sign(request))
                if ours == theirs:
                    agreed[request["scheme"], sdk] += 1
                    continue
                differed[request["scheme"], sdk] += 1
                if sum(differed.values()) <= 3:
                    shown = json.dumps(request, indent=1, ensure_ascii=False)
                    print(f"differs from {sdk}: {shown}", file=sys.stderr)
                    print(f"stsctl: {ours}", f"{sdk}: {theirs}", sep="\n", file=sys.stderr)

    digest = hashlib.sha256(lines.encode()).hexdigest()[:12]
    print(f"{len(requests)} requests, seed {seed} (digest {digest})")
    for scheme in SCHEMES:
        for sdk in SDKS[scheme]:
            key = scheme, sdk
            print(f"{scheme:14} {sdk:25} {agreed[key]:5} agree {differed[key]:5} differ")
    return 1 if differed or not requests else 0


if __name__ == "__main__":
    sys.exit(main())
