#!/usr/bin/env python3
"""Assumes roles in the sandbox with the official STS SDKs: aliyun-python-sdk-sts, which signs by
RPC V1, and alibabacloud-sts20150401, which signs by ACS3-HMAC-SHA256.

`sts_interop.py expired` is for a sandbox whose sessions last a second.
"""

import json
import sys

from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest
from aliyunsdksts.request.v20150401.GetCallerIdentityRequest import GetCallerIdentityRequest
from alibabacloud_sts20150401 import models

import session
from common import (
    ACCESS_KEY_ID,
    ACCESS_KEY_SECRET,
    MADE_UP_TOKEN,
    REGION,
    ROLE_ARN,
    Tally,
    equal,
    sts_host,
    until_refused,
)

ACCOUNT = ROLE_ARN.split(":")[3]
ROLE = ROLE_ARN.split("/", 1)[1]
# White space, non-ASCII and what the two percent-encodings differ in.
POLICY = json.dumps(
    {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["oss:*"],
                "Resource": ["acs:oss:*:*:b/中文 ~*'()!+%/"],
            }
        ],
    },
    ensure_ascii=False,
    indent=1,
)


class Rpc:
    """aliyun-python-sdk-core: RPC V1, parameters where the method puts them."""

    title = "aliyun-python-sdk-sts"
    wrong_secret = "InvalidAccessKeySecret"

    def __init__(self, access_key_id, access_key_secret, security_token=None, method="POST"):
        self.method = method
        credential = None
        if security_token:
            credential = StsTokenCredential(access_key_id, access_key_secret, security_token)
            access_key_id = access_key_secret = None
        self.client = AcsClient(
            access_key_id,
            access_key_secret,
            REGION,
            auto_retry=False,
            credential=credential,
        )

    def _do(self, request):
        request.set_endpoint(sts_host())
        request.set_protocol_type("http")
        request.set_method(self.method)
        return json.loads(self.client.do_action_with_exception(request))

    def assume(self, **params):
        """Calls AssumeRole; returns its answer as the wire has it."""
        request = AssumeRoleRequest()
        for name, value in params.items():
            getattr(request, f"set_{name}")(value)
        return self._do(request)

    def identity(self):
        """Calls GetCallerIdentity."""
        return self._do(GetCallerIdentityRequest())

    @staticmethod
    def code(error):
        """Returns the service's code, or the SDK's own finding."""
        return error.get_error_code()


class Acs3:
    """alibabacloud-sts20150401: ACS3-HMAC-SHA256, all in headers and query."""

    title = "alibabacloud-sts20150401"
    wrong_secret = "SignatureDoesNotMatch"

    def __init__(self, access_key_id, access_key_secret, security_token=None):
        self.client = session.client(access_key_id, access_key_secret, security_token)

    def assume(self, **params):
        """Calls AssumeRole; returns its answer as the wire has it."""
        names = {
            "RoleArn": "role_arn",
            "RoleSessionName": "role_session_name",
            "DurationSeconds": "duration_seconds",
            "Policy": "policy",
            "ExternalId": "external_id",
        }
        request = models.AssumeRoleRequest(**{names[k]: v for k, v in params.items()})
        return self.client.assume_role(request).body.to_map()

    def identity(self):
        """Calls GetCallerIdentity."""
        return self.client.get_caller_identity().body.to_map()

    @staticmethod
    def code(error):
        """Returns the service's code."""
        return error.code


def works(tally, make):
    """Assumes the role as the user, then again as the session, and asks who is calling."""
    answer = {}
    with tally.check("AssumeRole"):
        user = make(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
        answer = user.assume(
            RoleArn=ROLE_ARN, RoleSessionName="alice@example.com", DurationSeconds=900
        )
        equal(answer["AssumedRoleUser"]["Arn"], f"{ROLE_ARN}/alice@example.com")
        equal(answer["Credentials"]["AccessKeyId"].startswith("STS."), True)
        equal(answer["Credentials"]["Expiration"][-1], "Z")
    with tally.check("AssumeRole with a policy and an external id"):
        make(ACCESS_KEY_ID, ACCESS_KEY_SECRET).assume(
            RoleArn=ROLE_ARN,
            RoleSessionName="policy",
            Policy=POLICY,
            ExternalId="abcd1234=,.@:/-_",
        )
    with tally.check("GetCallerIdentity as the user"):
        identity = make(ACCESS_KEY_ID, ACCESS_KEY_SECRET).identity()
        equal((identity["IdentityType"], identity["AccountId"]), ("RAMUser", ACCOUNT))
    with tally.check("GetCallerIdentity as the session"):
        identity = make(*keys(answer)).identity()
        arn = f"acs:ram::{ACCOUNT}:assumed-role/{ROLE}/alice@example.com"
        equal((identity["IdentityType"], identity["Arn"]), ("AssumedRoleUser", arn))
    with tally.check("AssumeRole as the session"):
        make(*keys(answer)).assume(RoleArn=ROLE_ARN, RoleSessionName="chained")


def refuses(tally, make):
    """Checks that each wrong credential, and a few wrong parameters, have their own code."""
    params = {"RoleArn": ROLE_ARN, "RoleSessionName": "refused"}
    good = keys(make(ACCESS_KEY_ID, ACCESS_KEY_SECRET).assume(**params))
    other = keys(make(ACCESS_KEY_ID, ACCESS_KEY_SECRET).assume(**params))
    wrong = "wrong" + ACCESS_KEY_SECRET[5:]
    for name, code, credentials in [
        ("a wrong secret", make.wrong_secret, (ACCESS_KEY_ID, wrong)),
        ("a session's wrong secret", make.wrong_secret, (good[0], wrong, good[2])),
        ("a made-up token", "InvalidSecurityToken.Malformed", (*good[:2], MADE_UP_TOKEN)),
        (
            "another session's token",
            "InvalidSecurityToken.MismatchWithAccessKey",
            (*good[:2], other[2]),
        ),
        ("a session without its token", "MissingSecurityToken", good[:2]),
        ("an unknown AccessKeyId", "InvalidAccessKeyId.NotFound", ("LTAIunknown", wrong)),
    ]:
        call = make(*credentials).identity
        tally.refused(name, [code], call, make.code)
    user = make(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    for name, code, change in [
        ("an unknown role", "EntityNotExist.Role", {"RoleArn": ROLE_ARN + "-absent"}),
        ("a malformed RoleArn", "InvalidParameter.RoleArn", {"RoleArn": "role/dev"}),
        (
            "a session name with a space",
            "InvalidParameter.RoleSessionName",
            {"RoleSessionName": "a b"},
        ),
        ("a duration of a minute", "InvalidParameter.DurationSeconds", {"DurationSeconds": 60}),
        ("a policy that is no JSON", "InvalidParameter.PolicyGrammar", {"Policy": "{"}),
    ]:
        call = lambda change=change: user.assume(**{**params, **change})
        tally.refused(name, [code], call, make.code)


def expired(tally, make):
    """Checks that a session ends."""
    with tally.check("a session that has ended is refused"):
        user = make(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
        short = keys(user.assume(RoleArn=ROLE_ARN, RoleSessionName="short"))
        error = until_refused(make(*short).identity)
        equal(make.code(error), "InvalidSecurityToken.Expired")


def keys(answer):
    """Returns the three parts of an answer's credentials."""
    credentials = answer["Credentials"]
    return tuple(credentials[k] for k in ("AccessKeyId", "AccessKeySecret", "SecurityToken"))


class RpcGet(Rpc):
    """The same SDK with GET, whose string to sign differs."""

    def __init__(self, *credentials):
        super().__init__(*credentials, method="GET")


def main():
    tally = Tally("STS SDKs")
    for make in (Rpc, RpcGet, Acs3):
        if sys.argv[1:] == ["expired"]:
            expired(tally, make)
        else:
            works(tally, make)
            refuses(tally, make)
    tally.close()


if __name__ == "__main__":
    main()
