//! What to do next, by the service's Code. Must not know commands.

/// Returns advice for an STS Code, if there is any.
pub(crate) fn sts(code: &str) -> Option<&'static str> {
    Some(match code {
        "NoPermission" => {
            "attach AliyunSTSAssumeRoleAccess to the caller, and name the caller in the role's trust policy; the account's own AccessKey can't assume a role"
        }
        "EntityNotExist.Role" => {
            "check the account id and the role's name in the RoleArn; the role must exist in that account"
        }
        "InvalidParameter.DurationSeconds" => {
            "ask for less with --duration, or raise the role's MaxSessionDuration (3600 s to 43200 s)"
        }
        "InvalidParameter.PolicyGrammar" => {
            "check the session policy: Version \"1\", Statement with Effect, Action and Resource"
        }
        "MissingSecurityToken" => {
            "the AccessKeyId is a temporary one: set ALIBABA_CLOUD_SECURITY_TOKEN beside it"
        }
        code if code.starts_with("InvalidAccessKeyId.Inactive") => {
            "the AccessKey is disabled: enable it in the RAM console, or use another"
        }
        code if code.starts_with("InvalidAccessKeyId") => {
            "the AccessKey does not exist (any more), or belongs to another site (China, international): check ALIBABA_CLOUD_ACCESS_KEY_ID or the profile's access_key_id"
        }
        code if code.starts_with("InvalidSecurityToken") => {
            "the SecurityToken is expired or is not of this AccessKeyId: get a new session with --refresh, or unset the old one with `stsctl env --unset`"
        }
        "InvalidTimeStamp.Expired" => {
            "this machine's clock is off by more than 15 minutes: set it, for example with timedatectl"
        }
        code if code.starts_with("Throttling") => {
            "too many calls: try again in a moment; STS allows 100 a second for an account"
        }
        "InternalError" | "ServiceUnavailable" => AILING,
        _ => return None,
    })
}

/// Returns advice for an OSS Code, if there is any.
pub(crate) fn oss(code: &str) -> Option<&'static str> {
    Some(match code {
        "NoSuchBucket" => {
            "check the bucket's name, and that --endpoint or --region is the bucket's"
        }
        "AccessDenied" => {
            "the session may not do this: check the role's policies, the session policy and the bucket policy"
        }
        "FileAlreadyExists" => {
            "the object exists and --no-overwrite was given: nothing was changed"
        }
        "InvalidAccessKeyId" => {
            "the AccessKey does not exist, or the session it belongs to is over: try --refresh"
        }
        "SecurityTokenExpired" | "InvalidSecurityToken" | "AccessKeyIdAndSecurityTokenNotMatch" => {
            "get a new session: run it again with --refresh, or unset the old one with `stsctl env --unset`"
        }
        "SecondLevelDomainForbidden" => {
            "use --addressing virtual: this endpoint takes no path style"
        }
        "PublicEndpointForbidden" => {
            "this account may not use the default public endpoint: pass a CNAME or internal --endpoint"
        }
        "RequestTimeTooSkewed" => {
            "this machine's clock is off by more than 15 minutes: set it, for example with timedatectl"
        }
        "InvalidArgument" => "check --region: signature version 4 needs the bucket's own region",
        "InternalError" | "ServiceUnavailable" => AILING,
        "InvalidObjectState" => "the object is archived: restore it first",
        _ => return None,
    })
}

/// For a failure of the service itself, after all attempts.
const AILING: &str = "the service itself fails: try again in a while";
