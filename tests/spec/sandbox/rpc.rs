//! The RPC gateway: both signatures, the order and the wording of its refusals.

use super::acs3::acs3;
use super::*;

/// Replaces a parameter, or with `None` removes it.
fn change(params: &mut Vec<(String, String)>, name: &str, value: Option<&str>) {
    params.retain(|(n, _)| n != name);
    params.extend(value.map(|value| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn each_check_of_the_gateway_has_its_code_and_text() {
    let cloud = Cloud::new();
    for &(name, value, status, code, message) in CHECKS {
        let mut params = cloud.signed(&cloud.alice(), "AssumeRole", ROLE);
        change(&mut params, name, value);
        // Before the form is recognised, only its type tells where it belongs.
        let answer = cloud.send(form(&params)).await;
        assert_eq!(
            answer.fault(),
            (status, code.to_owned()),
            "{name}={value:?}"
        );
        assert_eq!(answer.message(), message, "{name}={value:?}");
        let error = answer.json();
        assert_eq!(error["HostId"], "127.0.0.1:9000");
        assert_eq!(
            answer.header("x-acs-request-id"),
            error["RequestId"].as_str()
        );
        assert!(error["Recommend"].as_str().unwrap().contains(code));
    }
    assert_eq!(cloud.sandbox.calls("AssumeRole"), 14);
}

#[tokio::test]
async fn a_wrong_secret_is_told_by_the_very_string_that_the_server_signed() {
    let cloud = Cloud::new();
    let imposter = Credentials {
        access_key_secret: "wrong".into(),
        ..cloud.alice()
    };
    let call = sign::rpc::Request {
        method: "POST",
        action: "AssumeRole",
        version: "2015-04-01",
        params: ROLE,
    };
    let signed = sign::rpc::sign(&call, &imposter, cloud.now(), "n");
    let params: Vec<_> = headers_of(&signed).into_iter().chain(owned(ROLE)).collect();
    let answer = cloud.send(form(&params)).await;
    assert_eq!(answer.fault(), (400, "SignatureDoesNotMatch".to_owned()));
    let expected = format!(
        "Specified signature is not matched with our calculation. server string to sign is:{}",
        signed.string_to_sign.as_str()
    );
    assert_eq!(answer.message(), expected);
    assert_eq!(cloud.sandbox.calls("AssumeRole"), 1);
}

#[tokio::test]
async fn parameters_count_in_query_and_form_alike_and_empty_ones_are_signed() {
    let cloud = Cloud::new();
    let params = [ROLE, &[("SignatureType", ""), ("RegionId", "cn-hangzhou")]].concat();
    let signed = cloud.signed(&cloud.alice(), "AssumeRole", &params);
    let (query, body) = signed.split_at(4);
    let split = Request::post(format!("http://h/?{}", encoded(query)))
        .header(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .body(Body::from(encoded(body)))
        .unwrap();
    assert_eq!(cloud.send(split).await.status, 200);

    let mut signed = cloud.signed(&cloud.alice(), "AssumeRole", &params);
    change(&mut signed, "SignatureType", None);
    assert_eq!(
        cloud.send(form(&signed)).await.fault().1,
        "SignatureDoesNotMatch"
    );
}

#[tokio::test]
async fn get_is_signed_as_get() {
    let cloud = Cloud::new();
    let call = sign::rpc::Request {
        method: "GET",
        action: "GetCallerIdentity",
        version: "2015-04-01",
        params: &[],
    };
    let params = headers_of(&sign::rpc::sign(&call, &cloud.alice(), cloud.now(), "n"));
    let uri = format!("http://h/?{}", encoded(&params));
    let put = Request::put(&uri).body(Body::empty()).unwrap();
    assert_eq!(cloud.send(put).await.fault().1, "UnsupportedHTTPMethod");
    let get = Request::get(&uri).body(Body::empty()).unwrap();
    assert_eq!(cloud.send(get).await.status, 200);
}

#[tokio::test]
async fn a_nonce_is_good_once_in_15_minutes() {
    let cloud = Cloud::new();
    let params = cloud.signed(&cloud.alice(), "GetCallerIdentity", &[]);
    let mut forged = params.clone();
    change(&mut forged, "Signature", Some("forged"));
    assert_eq!(
        cloud.send(form(&forged)).await.fault().1,
        "SignatureDoesNotMatch"
    );
    assert_eq!(
        cloud.send(form(&params)).await.status,
        200,
        "a forger does not use it up"
    );
    let again = cloud.send(form(&params)).await;
    assert_eq!(again.fault(), (400, "SignatureNonceUsed".to_owned()));
    assert_eq!(
        again.message(),
        "Specified signature nonce was used already."
    );
    cloud.advance(900);
    assert_eq!(cloud.send(form(&params)).await.status, 200);
}

#[tokio::test]
async fn answers_are_xml_if_asked_for() {
    let cloud = Cloud::new();
    let params = [ROLE, &[("Format", "xml")]].concat();
    let mut signed = cloud.signed(&cloud.alice(), "AssumeRole", &params);
    // The signer asks for JSON; the first of two counts, so this is another signature.
    change(&mut signed, "Format", Some("XML"));
    let answer = cloud.send(form(&signed)).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/xml;charset=utf-8")
    );
    assert_eq!(
        answer.element("Code").as_deref(),
        Some("SignatureDoesNotMatch")
    );
    assert!(answer.text().contains("<Error>"));

    let answer = cloud
        .send(acs3(&cloud, &cloud.alice(), "application/xml", ROLE, b""))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text().contains("<AssumeRoleResponse>"));
    assert!(answer.element("AccessKeyId").unwrap().starts_with("STS."));
}

#[tokio::test]
async fn a_body_over_10_mb_is_refused() {
    let cloud = Cloud::new();
    let request = Request::post("http://h/?Action=AssumeRole")
        .body(Body::from(Bytes::from(vec![b'x'; (10 << 20) + 1])))
        .unwrap();
    assert_eq!(
        cloud.send(request).await.fault(),
        (400, "InvalidParameter".to_owned())
    );
}

/// A parameter, what it is changed to, and the answer.
type Check = (
    &'static str,
    Option<&'static str>,
    u16,
    &'static str,
    &'static str,
);

const CHECKS: &[Check] = &[
    (
        "Timestamp",
        Some("+2026-01-02T03:04:5Z"),
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    ),
    (
        "Timestamp",
        Some("2026-1-02T03:04:005Z"),
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    ),
    (
        "Action",
        None,
        400,
        "MissingAction",
        "Action is mandatory for this action.",
    ),
    (
        "Version",
        None,
        400,
        "MissingVersion",
        "Version is mandatory for this action.",
    ),
    (
        "Version",
        Some("2014-05-26"),
        404,
        "InvalidApi.NotFound",
        "Specified api is not found,please check your url and method.",
    ),
    (
        "Action",
        Some("assumerole"),
        404,
        "InvalidApi.NotFound",
        "Specified api is not found,please check your url and method.",
    ),
    (
        "RoleArn",
        None,
        400,
        "MissingRoleArn",
        "RoleArn is mandatory for this action.",
    ),
    (
        "RoleSessionName",
        Some(""),
        400,
        "MissingRoleSessionName",
        "RoleSessionName is mandatory for this action.",
    ),
    (
        "AccessKeyId",
        None,
        400,
        "MissingAccessKeyId",
        "AccessKeyId is mandatory for this action.",
    ),
    (
        "Signature",
        None,
        400,
        "MissingSignature",
        "Signature is mandatory for this action.",
    ),
    (
        "SignatureNonce",
        None,
        400,
        "MissingSignatureNonce",
        "SignatureNonce is mandatory for this action.",
    ),
    (
        "Timestamp",
        None,
        400,
        "MissingTimestamp",
        "Timestamp is mandatory for this action.",
    ),
    (
        "SignatureMethod",
        Some("HMAC-MD5"),
        400,
        "InvalidSignatureMethod",
        "Specified signature method is not valid.",
    ),
    (
        "Format",
        Some("YAML"),
        400,
        "InvalidParameter.Format",
        "Specified parameter format is not valid.",
    ),
    (
        "AccessKeyId",
        Some("LTAInobody"),
        404,
        "InvalidAccessKeyId.NotFound",
        "Specified access key is not found.",
    ),
    (
        "AccessKeyId",
        Some("STS.nobody"),
        400,
        "MissingSecurityToken",
        "SecurityToken is mandatory for this action.",
    ),
    (
        "Timestamp",
        Some("2026-01-02 03:04:05"),
        400,
        "InvalidTimeStamp.Format",
        "Specified time stamp or date value is not well formatted.",
    ),
    (
        "Timestamp",
        Some("2026-01-02T02:49:04Z"),
        400,
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    ),
    (
        "Timestamp",
        Some("2026-01-02T03:19:06Z"),
        400,
        "InvalidTimeStamp.Expired",
        "Specified time stamp or date value is expired.",
    ),
];
