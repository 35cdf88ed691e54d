//! ACS3-HMAC-SHA256 at the gateway.

use super::*;

/// Builds a call signed by ACS3, with Accept among the signed headers.
pub(super) fn acs3(
    cloud: &Cloud,
    who: &Credentials,
    accept: &str,
    query: Pairs<'_>,
    body: &[u8],
) -> Request<Body> {
    let digest = sha256_hex(body);
    let at = cloud.now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let nonce = cloud.nonce();
    let token = who
        .security_token
        .as_ref()
        .map(secrecy::ExposeSecret::expose_secret);
    let mut headers = vec![
        ("accept", accept),
        ("host", "127.0.0.1:9000"),
        ("x-acs-action", "AssumeRole"),
        ("x-acs-content-sha256", digest.as_str()),
        ("x-acs-date", at.as_str()),
        ("x-acs-signature-nonce", nonce.as_str()),
        ("x-acs-version", "2015-04-01"),
    ];
    headers.extend(token.map(|token| ("x-acs-security-token", token)));
    let canonical = sign::acs3::canonical_request("POST", "/", query, &headers, &digest);
    let to_sign = sign::acs3::string_to_sign(&canonical);
    let authorization = format!(
        "ACS3-HMAC-SHA256 Credential={},SignedHeaders={},Signature={}",
        who.access_key_id,
        sign::acs3::signed_headers(&headers),
        sign::acs3::signature(&to_sign, &who.access_key_secret)
    );
    let query: Vec<_> = owned(query).collect();
    let mut request = Request::post(format!("http://127.0.0.1:9000/?{}", encoded(&query)));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
        .header("authorization", authorization)
        .body(Body::from(Bytes::copy_from_slice(body)))
        .unwrap()
}

fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[tokio::test]
async fn acs3_is_rebuilt_from_the_headers_that_were_signed() {
    let cloud = Cloud::new();
    let alice = cloud.alice();
    let ok = cloud
        .send(acs3(&cloud, &alice, "application/json", ROLE, b""))
        .await;
    let session = ok.credentials();
    let chained = cloud
        .send(acs3(&cloud, &session, "application/json", ROLE, b"{}"))
        .await;
    assert_eq!(chained.status, 200, "{chained:?}");

    let mut replay = acs3(&cloud, &alice, "application/json", ROLE, b"");
    replay
        .headers_mut()
        .insert("accept", "text/plain".parse().unwrap());
    let refused = cloud.send(replay).await;
    assert_eq!(refused.fault(), (400, "SignatureDoesNotMatch".to_owned()));
    let message = refused.message();
    for phrase in [
        "server StringToSign is [ACS3-HMAC-SHA256\n",
        "server CanonicalRequest is [POST\n/\n",
        "Specified signature is not matched with our calculation. server string to sign is:ACS3-",
    ] {
        assert!(message.contains(phrase), "{message}");
    }
    assert!(message.contains("\naccept:text/plain\n"), "{message}");
    let (_, to_sign) = message.split_once("server string to sign is:").unwrap();
    assert!(message.contains(&format!("[{to_sign}]")));
}

#[tokio::test]
async fn acs3_signs_the_body_and_the_token() {
    let cloud = Cloud::new();
    let alice = cloud.alice();
    let tampered = acs3(&cloud, &alice, "application/json", ROLE, b"a")
        .map(|_| Body::from(Bytes::from_static(b"b")));
    assert_eq!(
        cloud.send(tampered).await.fault().1,
        "SignatureDoesNotMatch"
    );

    let edit = |from: &str, to: &str| {
        let mut request = acs3(&cloud, &alice, "application/json", ROLE, b"");
        let text = request.headers()["authorization"]
            .to_str()
            .unwrap()
            .replace(from, to);
        request
            .headers_mut()
            .insert("authorization", text.parse().unwrap());
        request
    };
    for (from, to, code) in [
        (";host", "", "IncompleteSignature"),
        ("x-acs-date;", "", "IncompleteSignature"),
        ("Credential=", "Creden=", "IncompleteSignature"),
        ("HMAC-SHA256", "RSA-SHA256", "InvalidSignatureMethod"),
        ("LTAIalice", "LTAInobody", "InvalidAccessKeyId.NotFound"),
    ] {
        assert_eq!(cloud.send(edit(from, to)).await.fault().1, code, "{from}");
    }
    let mut unsigned_token = acs3(&cloud, &alice, "application/json", ROLE, b"");
    unsigned_token
        .headers_mut()
        .insert("x-acs-security-token", "CAIS".parse().unwrap());
    assert_eq!(
        cloud.send(unsigned_token).await.fault().1,
        "IncompleteSignature"
    );
}
