#!/usr/bin/env python3
"""Puts the same questions to the real cloud and to the sandbox, and prints where they differ.

Started by tests/live.sh, which says what it needs. Each probe is one server fact that stsctl or its
sandbox assumes without a document that is beyond doubt. A probe answers with a dictionary; what two
clouds must differ in (ids, times, names) is replaced by a name first.
"""

import argparse
import os
import sys
import time
import uuid
import xml.etree.ElementTree as ET

from target import Keys, Target, pe, stamp

PROBES = []


def probe(name, *, cloud_only=False, slow=False):
    """Registers a probe under its name. `cloud_only`: the sandbox cannot be asked; `slow`: it waits
    for a session to end."""

    def register(ask):
        PROBES.append((name, ask, cloud_only, slow))
        return ask

    return register


def said(t, answer, *headers):
    """Returns what an answer says, and whether it has each of the headers."""
    found = {"status": answer.status, "code": answer.code}
    if answer.message:
        # The strings to sign are compared by their own probes.
        found["message"] = t.neutral(answer.message.split("is:")[0].split("is [")[0])
    if answer.element("EC"):
        found["EC"] = answer.element("EC")
    for name in headers:
        found[name] = name in answer.headers
    return found


def each(t, cases, ask):
    """Asks once for each case; returns the answers by the cases' names."""
    return {name: said(t, ask(*case)) for name, *case in cases}


# --- STS ---


@probe("STS: where the parameters may go")
def _(t):
    ask = lambda method, place: t.rpc(
        t.user, "GetCallerIdentity", {"Ignored": "ä +~*"}, method=method, place=place
    )
    return each(
        t,
        [
            ("POST, form", "POST", "body"),
            ("POST, query", "POST", "query"),
            ("POST, both", "POST", "split"),
            ("GET, query", "GET", "query"),
        ],
        ask,
    )


@probe("STS: the answer of AssumeRole")
def _(t):
    answer = t.assume(DurationSeconds=900, SourceIdentity="live")
    found = answer.json
    return {
        **said(t, answer, "date", "x-acs-request-id"),
        "keys": sorted(found),
        "user": t.neutral(found["AssumedRoleUser"]["Arn"]),
        "id": t.neutral(found["AssumedRoleUser"]["AssumedRoleId"]),
        "credentials": sorted(found["Credentials"]),
        "AccessKeyId": found["Credentials"]["AccessKeyId"][:4],
        "AccessKeyId length": len(found["Credentials"]["AccessKeyId"]),
        "AccessKeySecret length": len(found["Credentials"]["AccessKeySecret"]),
        "token starts": found["Credentials"]["SecurityToken"][:3],
        "Expiration": t.neutral(found["Credentials"]["Expiration"]),
    }


@probe("STS: the answers of GetCallerIdentity")
def _(t):
    found = {}
    for name, keys in (("user", t.user), ("session", t.session)):
        answer = t.rpc(keys, "GetCallerIdentity").json
        # The name of the user who runs this is no fact of the server's.
        arn = t.neutral(answer["Arn"]) if keys.token else "…"
        found[name] = {"keys": sorted(answer), "type": answer["IdentityType"], "Arn": arn}
    return found


@probe("STS: the shape of an error, and its Date")
def _(t):
    answer = t.rpc(t.user.but(id_="LTAIunknown"), "GetCallerIdentity")
    return {"keys": sorted(answer.json), "Date": "date" in answer.headers}


@probe("STS: wrong credentials, RPC")
def _(t):
    return each(t, wrong_keys(t), lambda keys: t.rpc(keys, "GetCallerIdentity"))


@probe("STS: wrong credentials, ACS3")
def _(t):
    return each(t, wrong_keys(t), lambda keys: t.acs3(keys, "GetCallerIdentity"))


def wrong_keys(t):
    """Returns a name and wrong keys for each way to be wrong."""
    wrong = "x" * 30
    return [
        ("unknown AccessKeyId", t.user.but(id_="LTAIunknown")),
        ("wrong secret", t.user.but(secret=wrong)),
        ("session, wrong secret", t.session.but(secret=wrong)),
        ("session without its token", t.session.but(token=None)),
        ("session, made-up token", t.session.but(token="CAIS" + "A" * 200 + "==")),
        ("session, another's token", t.session.but(token=t.other.token)),
        ("session, its token cut", t.session.but(token=t.session.token[:-8])),
        ("user with a session's token", t.user.but(token=t.session.token)),
        ("unknown STS AccessKeyId", t.session.but(id_="STS.unknown")),
    ]


@probe("STS: the string to sign that a mismatch shows")
def _(t):
    wrong = t.user.but(secret="x" * 30)
    rpc = t.rpc(wrong, "GetCallerIdentity")
    acs3 = t.acs3(wrong, "GetCallerIdentity")
    return {
        "RPC: ends with ours after `server string to sign is:`": rpc.message.endswith(
            "server string to sign is:" + rpc.to_sign
        ),
        "ACS3: ours is in it": acs3.to_sign in acs3.message,
        "ACS3: its canonical request is ours": acs3.canonical in acs3.message,
        "ACS3: the words": t.neutral(
            acs3.message.replace(acs3.to_sign, "<ours>").replace(acs3.canonical, "<canonical>")
        ),
    }


@probe("STS: time stamps")
def _(t):
    found = each(
        t,
        [("14 minutes old", 840), ("16 minutes old", 960), ("14 ahead", -840), ("16 ahead", -960)],
        lambda age: t.rpc(t.user, "GetCallerIdentity", age=age),
    )
    found["ACS3, 16 minutes old"] = said(t, t.acs3(t.user, "GetCallerIdentity", age=960))
    for name, text in (("milliseconds", stamp(0)[:-1] + ".123Z"), ("no form", "yesterday")):
        found[name] = said(t, t.rpc(t.user, "GetCallerIdentity", Timestamp=text))
    return found


@probe("STS: a nonce used twice")
def _(t):
    nonce = str(uuid.uuid4())
    ask = lambda: t.rpc(t.user, "GetCallerIdentity", SignatureNonce=nonce)
    found = {"RPC first": said(t, ask()), "RPC again": said(t, ask())}
    found["ACS3 after RPC"] = said(t, t.acs3(t.user, "GetCallerIdentity", nonce=nonce))
    nonce = str(uuid.uuid4())
    t.acs3(t.user, "GetCallerIdentity", nonce=nonce)
    found["ACS3 again"] = said(t, t.acs3(t.user, "GetCallerIdentity", nonce=nonce))
    nonce = str(uuid.uuid4())
    t.rpc(t.user.but(secret="x" * 30), "GetCallerIdentity", SignatureNonce=nonce)
    found["after a wrong signature"] = said(
        t, t.rpc(t.user, "GetCallerIdentity", SignatureNonce=nonce)
    )
    return found


@probe("STS: what is checked first")
def _(t):
    unknown, wrong = t.user.but(id_="LTAIunknown"), t.user.but(secret="x" * 30)
    nonce = str(uuid.uuid4())
    t.rpc(t.user, "GetCallerIdentity", SignatureNonce=nonce)
    bad = {"RoleArn": "bad", "RoleSessionName": "a b"}
    return {
        "unknown key, old": said(t, t.rpc(unknown, "GetCallerIdentity", age=3600)),
        "wrong secret, old": said(t, t.rpc(wrong, "GetCallerIdentity", age=3600)),
        "wrong secret, used nonce": said(
            t, t.rpc(wrong, "GetCallerIdentity", SignatureNonce=nonce)
        ),
        "old, used nonce": said(
            t, t.rpc(t.user, "GetCallerIdentity", SignatureNonce=nonce, age=3600)
        ),
        "wrong secret, no RoleArn": said(t, t.rpc(wrong, "AssumeRole")),
        "wrong secret, unknown action": said(t, t.rpc(wrong, "NoSuchAction")),
        "bad RoleArn and session name": said(t, t.rpc(t.user, "AssumeRole", bad)),
    }


@probe("STS: parameters of AssumeRole")
def _(t):
    # In a statement, so that the grammar is right whatever its length.
    policy = '{"Version":"1","Statement":[{"Effect":"Deny","Action":"oss:*","Resource":"%s"}]}'
    sized = lambda n, c="x": policy % (c * (n - len(policy) + 2))
    cases = [
        ("no RoleArn", {"RoleArn": None}),
        ("no RoleSessionName", {"RoleSessionName": None}),
        ("malformed RoleArn", {"RoleArn": "role/dev"}),
        ("absent role", {"RoleArn": t.role_arn + "-absent"}),
        ("another account's role", {"RoleArn": "acs:ram::1000000000000001:role/absent"}),
        ("session name of 1", {"RoleSessionName": "a"}),
        ("session name of 65", {"RoleSessionName": "a" * 65}),
        ("session name with a space", {"RoleSessionName": "a b"}),
        ("899 s", {"DurationSeconds": 899}),
        ("43201 s", {"DurationSeconds": 43201}),
        ("duration that is no number", {"DurationSeconds": "1h"}),
        ("policy that is no JSON", {"Policy": "{"}),
        ("policy without Version", {"Policy": "{}"}),
        ("policy of 2048", {"Policy": sized(2048)}),
        ("policy of 2049", {"Policy": sized(2049)}),
        ("policy of 2048 characters, more bytes", {"Policy": sized(2048, "中")}),
        ("external id of 1", {"ExternalId": "a"}),
        ("external id with a space", {"ExternalId": "a b"}),
        ("source identity acs:x", {"SourceIdentity": "acs:x"}),
        ("unknown parameter", {"NoSuchParameter": "x"}),
    ]
    return each(t, cases, lambda change: t.assume(**change))


@probe("STS: the protocol's parameters")
def _(t):
    call = lambda **protocol: said(t, t.rpc(t.user, "GetCallerIdentity", **protocol))
    bare = t.rpc(t.user, "GetCallerIdentity", Format=None)
    return {
        "unknown Action": said(t, t.rpc(t.user, "NoSuchAction")),
        "unknown Version": call(Version="2001-01-01"),
        "no SignatureMethod": call(SignatureMethod=None),
        "unknown SignatureMethod": call(SignatureMethod="HMAC-MD5"),
        "unknown SignatureVersion": call(SignatureVersion="2.0"),
        "no nonce": call(SignatureNonce=None),
        "unknown Format": call(Format="YAML"),
        "no Format": {"status": bare.status, "type": bare.headers.get("content-type")},
        "XML": t.rpc(t.user, "GetCallerIdentity", Format="XML").text.split("<")[1:3],
    }


@probe("STS: leniency of ACS3")
def _(t):
    call = lambda **how: said(t, t.acs3(t.user, "GetCallerIdentity", **how))
    role = {"RoleArn": t.role_arn, "RoleSessionName": "live"}
    return {
        "`, ` between fields": call(joint=", "),
        "more headers signed": call(more=[("accept", "application/json"), ("x-live", " a  b ")]),
        "form body": said(t, t.acs3(t.user, "AssumeRole", role, body=True)),
    }


@probe("STS: plain HTTP", cloud_only=True)
def _(t):
    plain = Target(
        t.name, f"http://{t.sts.netloc}", t.oss.geturl(), t.region, t.bucket, t.prefix, t.user,
        t.role_arn,
    )
    # Signed with made-up keys: nothing that matters crosses in the clear.
    return said(t, plain.rpc(Keys("LTAIunknown", "x"), "GetCallerIdentity"))


@probe("STS and OSS: a session that has ended", slow=True)
def _(t):
    ended = t.ended
    return {
        "RPC": said(t, t.rpc(ended, "GetCallerIdentity")),
        "ACS3": said(t, t.acs3(ended, "GetCallerIdentity")),
        "OSS V4": said(t, t.oss_v4(ended, "GET", t.prefix + "absent")),
        "OSS V4 URL": said(t, t.oss_v4_url(ended, "GET", t.prefix + "absent")),
        "OSS V1": said(t, t.oss_v1(ended, "GET", t.prefix + "absent")),
        "OSS wrong secret": said(
            t, t.oss_v4(ended.but(secret="x" * 30), "GET", t.prefix + "absent")
        ),
    }


# --- OSS ---


@probe("OSS: PutObject and GetObject")
def _(t):
    key = t.prefix + "object"
    headers = {"Content-Type": "text/plain", "x-oss-meta-a": "b"}
    put = t.oss_v4(t.session, "PUT", key, headers=headers, body=b"123456789")
    get = t.oss_v4(t.session, "GET", key)
    hide = ("date", "x-oss-request-id", "x-oss-server-time", "last-modified", "connection")
    shown = lambda a: {k: v if k not in hide else "…" for k, v in sorted(a.headers.items())}
    return {"put": (put.status, shown(put)), "get": (get.status, shown(get))}


@probe("OSS: how the body may come")
def _(t):
    key = t.prefix + "body"
    put = lambda **how: said(t, t.oss_v4(t.session, "PUT", key, **how), "x-oss-hash-crc64ecma")
    return {
        "chunked": put(body=b"x", chunked=True),
        "empty": put(),
        "wrong Content-MD5": put(body=b"x", headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
        "malformed Content-MD5": put(body=b"x", headers={"Content-MD5": "x"}),
        "wrong x-oss-hash-crc64ecma": put(body=b"x", headers={"x-oss-hash-crc64ecma": "1"}),
        "forbid-overwrite": put(body=b"x", headers={"x-oss-forbid-overwrite": "true"}),
        "forbid-overwrite of nonsense": put(body=b"x", headers={"x-oss-forbid-overwrite": "yes"}),
    }


@probe("OSS: keys")
def _(t):
    put = lambda key, **how: said(t, t.oss_v4(t.session, "PUT", key, body=b"x", **how))
    p = t.prefix
    found = {
        "1023 bytes": put(p + "k" * (1023 - len(p))),
        "1024 bytes": put(p + "k" * (1024 - len(p))),
        "starts with a slash": put("/" + p + "x"),
        "starts with a backslash": put("\\" + p + "x"),
        "a//b": put(p + "a//b"),
        "slash as %2F": put(p + "a/b", raw_path=pe(p + "a/b")),
        "plus as itself": put(p + "a+b", raw_path=pe(p).replace("%2F", "/") + "a+b"),
        ". segment": put(p + "a/./b"),
        ".. segment": put(p + "a/../b"),
        ".. segment, encoded": put(p + "a/../b", raw_path=pe(p) + "a/%2E%2E/b"),
    }
    listed = t.oss_v4(t.session, "GET", "", {"list-type": "2", "prefix": p + "a"})
    names = [e.text for e in ET.fromstring(listed.body).iter("Key")]
    found["keys that came of it"] = [t.neutral(name) for name in names]
    return found


@probe("OSS: metadata and header values")
def _(t):
    put = lambda **headers: said(
        t,
        t.oss_v4(
            t.session,
            "PUT",
            t.prefix + "meta",
            headers={k.replace("__", "-"): v for k, v in headers.items()},
            body=b"x",
        ),
    )
    return {
        "underscore": put(x__oss__meta__a_b="x"),
        "over 8 KB": put(x__oss__meta__a="x" * 8200),
        "unknown ACL": put(x__oss__object__acl="nobody"),
        "unknown storage class": put(x__oss__storage__class="Attic"),
        "unknown x-oss header": put(x__oss__nonsense="x"),
        "11 tags": put(x__oss__tagging="&".join(f"k{i}=v" for i in range(11))),
        "tag twice": put(x__oss__tagging="k=v&k=w"),
    }


@probe("OSS: ranges")
def _(t):
    key = t.prefix + "range"
    t.oss_v4(t.session, "PUT", key, body=b"0123456789")

    def get(text, behaviour=None):
        headers = {"Range": text}
        if behaviour:
            headers["x-oss-range-behavior"] = behaviour
        answer = t.oss_v4(t.session, "GET", key, headers=headers)
        return answer.status, answer.headers.get("content-range"), answer.code or answer.text

    texts = ["0-0", "-3", "-0", "-20", "7-", "10-", "5-2", "0-99", "0-1,3-4", "x"]
    found = {text: get("bytes=" + text) for text in texts}
    found["10-, standard"] = get("bytes=10-", "standard")
    found["0-99, standard"] = get("bytes=0-99", "standard")
    return found


@probe("OSS: what is not there")
def _(t):
    key = t.prefix + "absent"
    nowhere = "stsctl-live-" + uuid.uuid4().hex[:20]
    head = t.oss_v4(t.session, "HEAD", key)
    found = {
        "GET": said(t, t.oss_v4(t.session, "GET", key), "x-oss-ec"),
        "HEAD": said(t, head, "x-oss-err", "x-oss-ec", "x-oss-request-id", "date"),
        "DELETE": said(t, t.oss_v4(t.session, "DELETE", key)),
        "bucket": said(t, t.oss_v4(t.session, "GET", key, bucket=nowhere)),
    }
    error = t.oss_v4(t.session, "GET", key)
    found["elements"] = [child.tag for child in ET.fromstring(error.body)]
    return found


@probe("OSS: wrong credentials")
def _(t):
    key = t.prefix + "absent"
    ways = [
        ("V4", lambda keys: t.oss_v4(keys, "GET", key)),
        ("V4 URL", lambda keys: t.oss_v4_url(keys, "GET", key)),
        ("V1", lambda keys: t.oss_v1(keys, "GET", key)),
        ("V1 URL", lambda keys: t.oss_v1_url(keys, "GET", key)),
    ]
    found = {}
    for way, ask in ways:
        found.update({f"{way}: {k}": v for k, v in each(t, wrong_keys(t), ask).items()})
    found["V1: token in an unsigned header"] = said(
        t, t.oss_v1(t.session, "GET", key, token="security-token")
    )
    found["anonymous"] = said(t, t.anonymous("GET", key))
    return found


@probe("OSS: the string to sign that a mismatch shows")
def _(t):
    wrong = t.session.but(secret="x" * 30)
    found = {}
    for way, ask in (("V4", t.oss_v4), ("V1", t.oss_v1)):
        answer = ask(wrong, "GET", t.prefix + "absent")
        found[way] = {
            "it is ours": answer.element("StringToSign") == answer.to_sign,
            "elements": [child.tag for child in ET.fromstring(answer.body)],
        }
    return found


@probe("OSS: the form of a V4 signature")
def _(t):
    key = t.prefix + "absent"
    get = lambda **how: said(t, t.oss_v4(t.session, "GET", key, **how))
    both = "Credential={credential}%sSignature={signature}"
    return {
        "`, ` between fields": get(fields=both % ", "),
        "Signature first": get(fields="Signature={signature},Credential={credential}"),
        "empty AdditionalHeaders": get(fields=both % ",AdditionalHeaders=,"),
        "AdditionalHeaders with an empty name": get(fields=both % ",AdditionalHeaders=host;,"),
        "no signature": get(fields="Credential={credential}"),
        "wrong region": get(region="us-nowhere-1"),
        "region with oss-": get(region="oss-" + t.region),
        "wrong product": get(product="ecs"),
        "wrong day": get(day="20200101"),
        "no x-oss-content-sha256": get(headers={"x-oss-content-sha256": None}),
        "a digest as x-oss-content-sha256": get(sha256="0" * 64),
        "14 minutes old": get(age=840),
        "16 minutes old": get(age=960),
        "16 minutes ahead": get(age=-960),
        "V1, 16 minutes old": said(t, t.oss_v1(t.session, "GET", key, age=960)),
    }


@probe("OSS: signed URLs")
def _(t):
    key = t.prefix + "absent"
    get = lambda **how: said(t, t.oss_v4_url(t.session, "GET", key, **how))
    return {
        "0 s": get(expires=0),
        "43200 s": get(expires=43200),
        "43201 s with a session": get(expires=43201),
        "604801 s": get(expires=604801),
        "no number": get(expires="1h"),
        "over": get(expires=60, age=600),
        "16 minutes ahead": get(expires=60, age=-960),
        "V1, over": said(t, t.oss_v1_url(t.session, "GET", key, lasts=-60)),
        "V1": said(t, t.oss_v1_url(t.session, "GET", key)),
        "with Authorization too": get(headers={"Authorization": "OSS a:b"}),
        "the token in a header too": get(headers={"x-oss-security-token": t.session.token}),
    }


@probe("OSS: ListObjectsV2")
def _(t):
    for name in ("list/a b", "list/b+c/d", "list/e"):
        t.oss_v4(t.session, "PUT", t.prefix + name, body=b"x")

    def ask(**query):
        query = {k.replace("_", "-"): v for k, v in query.items()}
        given = {"list-type": "2", "prefix": t.prefix + "list/", **query}
        answer = t.oss_v4(t.session, "GET", "", given)
        if answer.code:
            return said(t, answer)
        hide = ("LastModified", "ID", "DisplayName", "NextContinuationToken", "StorageClass")
        root = ET.fromstring(answer.body)
        return [
            (e.tag, "…" if e.tag in hide else t.neutral((e.text or "").strip()))
            for e in root.iter()
        ]

    return {
        "plain": ask(),
        "encoding-type": ask(encoding_type="url"),
        "unknown encoding-type": ask(encoding_type="hex"),
        "delimiter": ask(delimiter="/"),
        "max-keys=1": ask(max_keys="1"),
        "max-keys=0": ask(max_keys="0"),
        "max-keys=1001": ask(max_keys="1001"),
        "start-after": ask(start_after=t.prefix + "list/b"),
        "made-up continuation-token": ask(continuation_token="x"),
        "fetch-owner": ask(fetch_owner="true"),
    }


# --- running ---


def prepare(t, wait):
    """Gets the sessions that the probes use."""
    if wait:
        t.ended = t.assumed(900)
        print("  waiting for its session to end", flush=True)
        until = time.monotonic() + 1800
        while t.rpc(t.ended, "GetCallerIdentity").status == 200:
            if time.monotonic() > until:
                sys.exit(f"{t.name}: a session of 15 minutes has not ended after 30")
            time.sleep(5)
    t.session, t.other = t.assumed(3600), t.assumed(3600)


def ask_all(t, wait):
    """Returns every probe's answer by its name. One that cannot make sense of the answers says so
    in a way that differs between the two."""
    found = {}
    for name, ask, cloud_only, slow in PROBES:
        if (cloud_only and t.name != "cloud") or (slow and not wait):
            continue
        try:
            found[name] = ask(t)
        except Exception as error:  # pylint: disable=broad-except
            found[name] = f"the probe failed on the {t.name}: {type(error).__name__}: {error}"
    return found


def clear(t):
    """Deletes every object below the prefix."""
    while True:
        listed = t.oss_v4(t.session, "GET", "", {"list-type": "2", "prefix": t.prefix})
        keys = [e.text for e in ET.fromstring(listed.body).iter("Key")]
        for key in keys:
            status = t.oss_v4(t.session, "DELETE", key).status
            if status != 204:
                sys.exit(f"{t.name}: cannot delete {key}: status {status}")
        if not keys:
            return


def differences(cloud, sandbox, path=""):
    """Yields where two answers differ: the way to the place, and both values."""
    if isinstance(cloud, dict) and isinstance(sandbox, dict):
        for key in {**cloud, **sandbox}:
            there = f"{path} › {key}" if path else str(key)
            yield from differences(cloud.get(key), sandbox.get(key), there)
    elif cloud != sandbox:
        yield path, cloud, sandbox


def targets():
    """Builds both clouds from the environment that tests/live.sh makes."""
    for name, prefix in (("cloud", "STSCTL_LIVE_"), ("sandbox", "STSCTL_LIVE_SANDBOX_")):
        env = lambda key, prefix=prefix: os.environ[prefix + key]
        yield Target(
            name,
            env("STS_ENDPOINT"),
            env("OSS_ENDPOINT"),
            env("REGION"),
            env("BUCKET"),
            env("PREFIX"),
            Keys(env("ACCESS_KEY_ID"), env("ACCESS_KEY_SECRET")),
            env("ROLE_ARN"),
        )


def main():
    parser = argparse.ArgumentParser(description="Compares the cloud with the sandbox.")
    parser.add_argument("--wait", action="store_true", help="wait for a session to end (15 min)")
    wait = parser.parse_args().wait
    answers = []
    for t in targets():
        print(f"asking the {t.name} ({t.sts.netloc}, {t.oss.netloc})", flush=True)
        prepare(t, wait)
        try:
            answers.append(ask_all(t, wait))
        finally:
            clear(t)
    cloud, sandbox = answers
    differing = 0
    for name, _, cloud_only, slow in PROBES:
        if slow and not wait:
            print(f"\n{name}: NOT ASKED (--wait)")
            continue
        if cloud_only:
            print(f"\n{name}: the cloud alone\n  {cloud[name]}")
            continue
        found = list(differences(cloud[name], sandbox[name]))
        print(f"\n{name}: " + (f"{len(found)} DIFFER" if found else "the same"))
        differing += len(found)
        for path, ours, theirs in found:
            print(f"  {path or 'answer'}\n    cloud:   {ours}\n    sandbox: {theirs}")
    print(f"\n{differing} differences in {len(PROBES)} probes")


if __name__ == "__main__":
    main()
