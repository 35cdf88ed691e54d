"""Assumes the sandbox's role with the official SDK and its newest signature, for the scripts that
are about OSS."""

from alibabacloud_sts20150401 import models
from alibabacloud_sts20150401.client import Client
from alibabacloud_tea_openapi.models import Config

from common import ACCESS_KEY_ID, ACCESS_KEY_SECRET, REGION, ROLE_ARN, sts_host


def client(access_key_id, access_key_secret, security_token=None):
    """Returns an STS client that signs by ACS3-HMAC-SHA256."""
    return Client(
        Config(
            access_key_id=access_key_id,
            access_key_secret=access_key_secret,
            security_token=security_token,
            endpoint=sts_host(),
            protocol="http",
            region_id=REGION,
        )
    )


def assume(name="interop"):
    """Returns the session's AccessKeyId, AccessKeySecret and SecurityToken."""
    request = models.AssumeRoleRequest(role_arn=ROLE_ARN, role_session_name=name)
    credentials = client(ACCESS_KEY_ID, ACCESS_KEY_SECRET).assume_role(request).body.credentials
    return credentials.access_key_id, credentials.access_key_secret, credentials.security_token
