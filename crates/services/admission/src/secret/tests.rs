//! What is kept comes back as it was, and nothing of others is taken for ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Found, read, written};
use crate::certificates::{Kept, Pace, Step};

fn kept(steps: &[Step]) -> Kept {
    let (names, now, pace) = (["hook.team.svc".to_owned()], Timestamp::UNIX_EPOCH, Pace::default());
    let first = Kept::first(&names, now, &pace).unwrap();
    steps.iter().fold(first, |kept, step| kept.after(*step, &names, now, &pace).unwrap().unwrap())
}

#[test]
fn what_is_kept_comes_back_as_it_was() {
    let all = [Step::Announce, Step::Serve, Step::Announce];
    for steps in [&all[..0], &all[..1], &all[..2], &all[..]] {
        let kept = kept(steps);
        let secret = written(&kept, None, "team", "hook-tls");
        assert_eq!(secret["type"], "kubernetes.io/tls");
        let text = |key: &str| {
            let encoded = secret["data"][key].as_str().unwrap();
            String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
        };
        assert_eq!((text("ca.crt"), text("tls.crt")), (kept.bundle(), kept.current.certificate.clone()));
        assert_eq!(read(&secret), Found::Kept(Box::new(kept)), "{steps:?}");
    }
}

#[test]
fn what_was_read_is_written_with_its_version_and_its_labels() {
    let mut secret = written(&kept(&[Step::Announce]), None, "team", "hook-tls");
    secret["metadata"]["resourceVersion"] = json!("7");
    secret["metadata"]["labels"]["team"] = json!("blue");
    let later = written(&kept(&[]), Some(&secret), "team", "hook-tls");
    assert_eq!(later["metadata"], secret["metadata"]);
    assert_eq!(later["data"].get("next.key"), None);
}

#[test]
fn what_is_somebody_elses_is_told_from_what_is_nothing() {
    let whole = written(&kept(&[]), None, "team", "hook-tls");
    let without = |key: &str| {
        let mut secret = whole.clone();
        secret["data"].as_object_mut().unwrap().remove(key);
        secret
    };
    let with = |key: &str, value: Value| {
        let mut secret = whole.clone();
        secret["data"][key] = value;
        secret
    };
    assert_eq!(read(&without("tls.facts")), Found::Foreign);
    for secret in [
        json!({"metadata": {"name": "x"}}),
        json!({"data": {}}),
        without("tls.key"),
        with("tls.facts", json!(STANDARD.encode("{}"))),
        with("tls.crt", json!("no base64!")),
        with("tls.ca", json!(STANDARD.encode([0xff_u8]))),
    ] {
        assert_eq!(read(&secret), Found::Nothing);
    }
    assert_eq!(read(&json!({"data": {"password": STANDARD.encode("x")}})), Found::Foreign);
}
