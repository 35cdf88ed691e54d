//! What is tried again, with what, and when it is not. Time is paused: no test waits.

use std::time::Duration;

use stsctl::http::{Body, HttpErrorKind};
use stsctl::model::Credentials;
use stsctl::oss::{self, PutOptions};
use stsctl::transfer::{Error, Need, Settings};
use tokio::time::Instant;

use super::fake::{
    Act, Fake, act, broken, crc64, file, head, lost, ok, put, put_as, refusal, refused, session,
    stored, stream,
};

const DATA: &[u8] = b"some data";

fn no_overwrite() -> PutOptions {
    PutOptions {
        forbid_overwrite: true,
        ..PutOptions::default()
    }
}

fn wrong_crc() -> Act {
    act(|_| Ok(ok(Some(1))))
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again_and_signed_anew() {
    for failure in [
        refused(503, "ServiceUnavailable"),
        refused(500, "InternalError"),
        refused(503, "UploadTrafficRateLimitExceeded"),
        refused(400, "RequestTimeout"),
        broken(HttpErrorKind::Connect),
        broken(HttpErrorKind::Timeout),
        lost(),
        wrong_crc(),
    ] {
        let fake = Fake::new([failure, refused(503, "ServiceUnavailable"), stored()]);
        let (_dir, source) = file(DATA);
        let transfer = put(&fake, source, &PutOptions::default()).await;
        assert_eq!(transfer.outcome.unwrap().attempts, 3);
        assert_eq!(transfer.needs, [Need::Current; 3]);
        let seen = fake.seen();
        assert_eq!(seen.len(), 3);
        assert_eq!((&seen[2].body[..], seen[2].whole), (DATA, true));
    }
}

#[tokio::test(start_paused = true)]
async fn four_attempts_are_enough() {
    let fake = Fake::new((0..4).map(|_| refused(503, "ServiceUnavailable")));
    let (_dir, source) = file(DATA);
    let error = put(&fake, source, &PutOptions::default())
        .await
        .outcome
        .unwrap_err();
    assert_eq!(error.to_string(), "the transfer failed after 4 attempts");
    assert!(matches!(&error, Error::Oss { attempts: 4, source } if source.is_unavailable()));
    assert!(fake.is_done());
}

#[tokio::test(start_paused = true)]
async fn what_is_final_is_not_tried_again() {
    for failure in [
        refused(403, "AccessDenied"),
        refused(404, "NoSuchBucket"),
        refused(403, "SignatureDoesNotMatch"),
        refused(409, "FileAlreadyExists"),
        broken(HttpErrorKind::Tls),
        act(|_| {
            Ok(http::Response::new(Body::from(
                "<html>hello</html>".to_owned(),
            )))
        }),
    ] {
        let fake = Fake::new([failure]);
        let (_dir, source) = file(DATA);
        let error = put(&fake, source, &no_overwrite())
            .await
            .outcome
            .unwrap_err();
        assert!(matches!(error, Error::Oss { attempts: 1, .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_sent_once() {
    for failure in [
        refused(503, "ServiceUnavailable"),
        refused(403, "SecurityTokenExpired"),
        refused(403, "RequestTimeTooSkewed"),
        lost(),
        wrong_crc(),
    ] {
        let fake = Fake::new([failure]);
        let transfer = put(&fake, stream(DATA), &PutOptions::default()).await;
        assert!(transfer.outcome.is_err());
        assert_eq!(fake.seen().len(), 1);
        // Asked again when the first bytes are there: they may have been long in coming.
        assert_eq!(transfer.needs, [Need::Current, Need::Current]);
    }
}

#[tokio::test(start_paused = true)]
async fn oss_is_left_alone_for_as_long_as_it_asks() {
    let busy = |delay: &'static str| {
        act(move |_| {
            let mut answer = refusal(503, "<Code>DownloadTrafficRateLimitExceeded</Code>");
            answer
                .headers_mut()
                .insert("x-oss-qos-delay-time", delay.parse().unwrap());
            Ok(answer)
        })
    };
    let start = Instant::now();
    let fake = Fake::new([busy("7000"), stored()]);
    let (_dir, source) = file(DATA);
    put(&fake, source, &PutOptions::default())
        .await
        .outcome
        .unwrap();
    assert_eq!(start.elapsed().as_secs(), 7);

    let fake = Fake::new([busy("3600000")]);
    let (_dir, source) = file(DATA);
    let error = put(&fake, source, &PutOptions::default())
        .await
        .outcome
        .unwrap_err();
    assert!(matches!(&error, Error::Oss { source, .. } if source.is_throttled()));
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_is_replaced_once() {
    for code in [
        "SecurityTokenExpired",
        "InvalidSecurityToken",
        "InvalidAccessKeyId",
    ] {
        let fake = Fake::new([refused(403, code), stored()]);
        let (_dir, source) = file(DATA);
        let transfer = put(&fake, source, &PutOptions::default()).await;
        assert_eq!(transfer.outcome.unwrap().attempts, 2);
        assert_eq!(transfer.needs, [Need::Current, Need::Fresh]);

        let fake = Fake::new([refused(403, code), refused(403, code)]);
        let (_dir, source) = file(DATA);
        let transfer = put(&fake, source, &PutOptions::default()).await;
        let error = transfer.outcome.unwrap_err();
        assert!(matches!(&error, Error::Oss { source, .. } if source.is_bad_credentials()));
        assert_eq!(transfer.needs, [Need::Current, Need::Fresh]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_lived_access_key_has_no_replacement() {
    let credentials = Credentials {
        security_token: None,
        ..session()
    };
    let fake = Fake::new([refused(403, "InvalidAccessKeyId")]);
    let (_dir, source) = file(DATA);
    let settings = Settings::default();
    let transfer = put_as(
        credentials,
        &fake,
        source,
        &PutOptions::default(),
        &settings,
    )
    .await;
    assert!(transfer.outcome.is_err());
    assert_eq!(transfer.needs, [Need::Current]);
}

#[tokio::test(start_paused = true)]
async fn a_skewed_clock_is_corrected_once() {
    let fake = Fake::new([
        refused(403, "RequestTimeTooSkewed"),
        refused(503, "ServiceUnavailable"),
        stored(),
    ]);
    let (_dir, source) = file(DATA);
    put(&fake, source, &PutOptions::default())
        .await
        .outcome
        .unwrap();
    let dates: Vec<_> = fake
        .seen()
        .iter()
        .map(|seen| seen.header("x-oss-date").unwrap()[9..13].to_owned())
        .collect();
    assert_eq!(dates, ["0304", "0404", "0404"]);

    let skewed = || refused(403, "RequestTimeTooSkewed");
    let fake = Fake::new([skewed(), skewed()]);
    let (_dir, source) = file(DATA);
    let error = put(&fake, source, &PutOptions::default())
        .await
        .outcome
        .unwrap_err();
    assert!(matches!(&error, Error::Oss { attempts: 2, source } if source.is_skewed()));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_checksum_never_passes() {
    let fake = Fake::new((0..4).map(|_| wrong_crc()));
    let (_dir, source) = file(DATA);
    let error = put(&fake, source, &PutOptions::default())
        .await
        .outcome
        .unwrap_err();
    let ours = crc64(DATA);
    assert!(
        matches!(error, Error::Checksum { ours: o, theirs: 1 } if o == ours),
        "{error:?}"
    );
    assert!(fake.is_done());

    // The damaged object is in the way of another attempt.
    let fake = Fake::new([wrong_crc()]);
    let (_dir, source) = file(DATA);
    let error = put(&fake, source, &no_overwrite())
        .await
        .outcome
        .unwrap_err();
    assert!(matches!(error, Error::Checksum { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_settled_by_looking() {
    let conflict = || refused(409, "FileAlreadyExists");
    let crc = crc64(DATA);

    // The first attempt stored it.
    let fake = Fake::new([lost(), conflict(), head(DATA.len(), Some(crc))]);
    let (_dir, source) = file(DATA);
    let done = put(&fake, source, &no_overwrite()).await.outcome.unwrap();
    assert_eq!((done.size, done.crc64, done.attempts), (9, crc, 2));
    assert!(done.crc64_checked);

    // A gateway gave up on it, and looking takes two tries.
    let unavailable = refused(503, "ServiceUnavailable");
    let looked = head(DATA.len(), Some(crc));
    let fake = Fake::new([
        refused(504, "GatewayTimeout"),
        conflict(),
        unavailable,
        looked,
    ]);
    let (_dir, source) = file(DATA);
    put(&fake, source, &no_overwrite()).await.outcome.unwrap();

    // It is somebody else's.
    for other in [
        head(DATA.len(), Some(1)),
        head(10, Some(crc)),
        head(10, None),
    ] {
        let fake = Fake::new([lost(), conflict(), other]);
        let (_dir, source) = file(DATA);
        let error = put(&fake, source, &no_overwrite())
            .await
            .outcome
            .unwrap_err();
        assert!(
            matches!(&error, Error::Oss { source, .. } if source.code() == Some("FileAlreadyExists")),
            "{error:?}"
        );
    }

    // It cannot be told.
    for unknown in [head(DATA.len(), None), refused(403, "AccessDenied")] {
        let fake = Fake::new([lost(), conflict(), unknown]);
        let (_dir, source) = file(DATA);
        let error = put(&fake, source, &no_overwrite())
            .await
            .outcome
            .unwrap_err();
        assert!(matches!(error, Error::Unsettled { .. }), "{error:?}");
    }

    // Nothing was lost: the connection never stood.
    let fake = Fake::new([broken(HttpErrorKind::Connect), conflict()]);
    let (_dir, source) = file(DATA);
    let error = put(&fake, source, &no_overwrite())
        .await
        .outcome
        .unwrap_err();
    assert!(
        matches!(&error, Error::Oss { source, .. } if source.code() == Some("FileAlreadyExists")),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_read_whole_before_is_read_to_settle() {
    let fake = Fake::new([
        broken(HttpErrorKind::Interrupted),
        act(|_| Ok(refusal(409, "<Code>FileAlreadyExists</Code>"))),
        head(1 << 22, Some(crc64(&vec![7; 1 << 22]))),
    ]);
    let (_dir, source) = file(&vec![7; 1 << 22]);
    put(&fake, source, &no_overwrite()).await.outcome.unwrap();
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let fake = Fake::new([]);
    let (bucket, key) = ("demo-bucket".parse().unwrap(), "k".parse().unwrap());
    let options = PutOptions::default();
    let request = oss::PutObject {
        bucket: &bucket,
        key: &key,
        options: &options,
    };
    let (_dir, source) = file(DATA);
    let error = stsctl::transfer::put(
        &super::fake::client(&fake),
        &request,
        source,
        async |_| Err(std::io::Error::other("none found")),
        &Settings::default(),
        std::sync::Arc::new(super::fake::Unwatched),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error:?}");
    assert!(fake.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn bandwidth_is_kept_to() {
    let data = vec![1; 600 << 10];
    let settings = Settings {
        bandwidth_limit: std::num::NonZeroU64::new(100 << 10),
        ..Settings::default()
    };
    let fake = Fake::new([stored()]);
    let (_dir, source) = file(&data);
    let start = Instant::now();
    let done = put_as(session(), &fake, source, &PutOptions::default(), &settings).await;
    // The last eighth of a second's worth need not be waited out.
    let expected = Duration::from_millis(5875);
    assert!(
        start.elapsed() >= expected && start.elapsed() < expected * 2,
        "{:?}",
        start.elapsed()
    );
    assert_eq!(done.outcome.unwrap().elapsed, start.elapsed());
    assert_eq!(fake.seen()[0].body, data);
}
