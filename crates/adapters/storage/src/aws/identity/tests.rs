//! Where keys come from. A role is taken on for real in the tests of the log agent.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::artifacts::tests::server::{Server, reply};

fn from(variables: &[(&str, &str)]) -> Identity {
    Identity::from_environment(|name| {
        variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn keys_of_the_environment_come_first_and_half_a_pair_is_refused() {
    let keys = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "hunter2"), ("AWS_SESSION_TOKEN", " ")];
    let role = [("AWS_ROLE_ARN", "arn"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/none")];
    let found = from(&[&keys[..], &role].concat()).keys().unwrap().unwrap();
    assert_eq!((found.access_key.as_str(), found.secret_key.as_str()), ("AKIA", "hunter2"));
    assert_eq!(found.session_token, None);
    assert_eq!(from(&keys[..1]).keys().err().unwrap().kind(), ErrorKind::Invalid);
    assert!(from(&[]).keys().unwrap().is_none());
    assert!(from(&role[..1]).keys().unwrap().is_none(), "a role without a token is none");
    assert!(!format!("{:?}", from(&keys)).contains("hunter"));
}

#[test]
fn a_token_that_is_not_there_is_named() {
    let error = from(&[("AWS_ROLE_ARN", "arn"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/token")]).keys().err().unwrap();
    assert!(error.to_string().contains("/no/token"), "{error}");
}

#[test]
fn a_role_is_asked_for_in_its_region() {
    for (region, expected) in [
        ("eu-west-1", "https://sts.eu-west-1.amazonaws.com"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
        ("evil.example/", "https://sts.amazonaws.com"),
        ("", "https://sts.amazonaws.com"),
    ] {
        let source = role(&|name: &str| match name {
            "AWS_REGION" => given(Some(region.to_owned())),
            "AWS_ROLE_ARN" | "AWS_WEB_IDENTITY_TOKEN_FILE" => Some("a".to_owned()),
            _ => None,
        });
        assert!(matches!(source, Some(Source::Role { address, .. }) if address == expected), "{region}");
    }
}

/// A server that lends keys which end when `end` says, a new pair each time.
fn lending(end: &'static str) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |asked, stream| {
        let count = count.fetch_add(1, Ordering::SeqCst);
        let is_known = asked.header("authorization") == Some("hunter2");
        let text = format!(
            r#"{{"AccessKeyId":"A{count}","SecretAccessKey":"hunter3","Token":"hunter4","Expiration":"{end}"}}"#
        );
        let status = if is_known { "200 OK" } else { "403 Forbidden" };
        reply(stream, status, &[], text.as_bytes());
    })
}

#[test]
fn lent_keys_are_kept_until_shortly_before_their_end() {
    for (end, asked) in [("2999-01-01T00:00:00Z", 1), ("2020-01-01T00:00:00Z", 2)] {
        let server = lending(end);
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, "hunter2\n").unwrap();
        let identity = from(&[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &server.at("127.0.0.1", "/v1/credentials")),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
        ]);
        for _ in 0..2 {
            let keys = identity.keys().unwrap().unwrap();
            assert_eq!(keys.session_token.as_deref(), Some("hunter4"));
        }
        assert_eq!(server.asked().len(), asked, "{end}");
    }
}

#[test]
fn who_is_not_known_is_lent_nothing_and_no_token_is_shown() {
    let server = lending("2999-01-01T00:00:00Z");
    let identity = from(&[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &server.at("127.0.0.1", "/")),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "hunter9"),
    ]);
    let error = identity.keys().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let shown = format!("{error:?} {identity:?}");
    assert!(shown.contains("403") && !shown.contains("hunter"), "{shown}");
}
