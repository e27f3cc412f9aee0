//! A server that signs what it is asked as AWS does, and compares.

use std::collections::HashMap;
use std::time::Instant;

use kobel_model::ErrorKind;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::artifacts::tests::gate;
use crate::artifacts::tests::server::{Asked, Names, Server, reply};
use crate::artifacts::web::Validators;

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "hunter2/hunter2";
const TOKEN: &str = "hunter3+token=";

/// HMAC (RFC 2104) with SHA-256, written here so that the server of the test shares nothing with the client.
fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    assert!(key.len() <= 64);
    let pad = |with: u8| (0..64).map(|place| key.get(place).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What AWS does with a signature in a query: takes it off, makes it again from what was asked, and compares.
fn is_signed(asked: &Asked, region: &str) -> bool {
    let (path, query) = asked.path.split_once('?').unwrap();
    let mut parts: Vec<&str> = query.split('&').collect();
    let value = |parts: &[&str], name: &str| {
        let part = parts.iter().find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        part.unwrap_or_default().to_owned()
    };
    let signature = value(&parts, "X-Amz-Signature");
    parts.retain(|part| !part.starts_with("X-Amz-Signature="));
    parts.sort_unstable();
    let time = value(&parts, "X-Amz-Date");
    let day = &time[..8];
    let scope = format!("{day}/{region}/s3/aws4_request");
    let is_scoped = value(&parts, "X-Amz-Credential") == format!("{KEY}/{scope}").replace('/', "%2F");
    let host = asked.header("host").unwrap();
    let request = format!("GET\n{path}\n{}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", parts.join("&"));
    let request = hex(&Sha256::digest(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request}");
    let key = hmac(format!("AWS4{SECRET}").as_bytes(), day);
    let key = [region, "s3", "aws4_request"].iter().fold(key, |key, part| hmac(&key, part));
    is_scoped && hex(&hmac(&key, &text)) == signature
}

/// Settings from names and values, all of them options of Apache Flink.
fn configured(options: &[(&str, &str)]) -> S3Settings {
    let options: HashMap<_, _> = options.iter().copied().collect();
    S3Settings::default().configured(|key| options.get(key).map(|value| (*value).to_owned()))
}

fn ask(settings: &S3Settings, uri: &str) -> Result<Answer> {
    let web = Web::new(gate(), Box::new(Names::leading(&[&["127.0.0.1"]])));
    let object = Object::parse(uri).unwrap();
    let call = Call {
        shown: &object.to_string(),
        validators: &Validators::default(),
        deadline: Instant::now() + Duration::from_secs(30),
        time_max: Duration::from_secs(30),
    };
    get(settings, &object, &web, &call)
}

/// A server of region `region` that sends what is signed well.
fn store(region: &'static str) -> Server {
    Server::start(move |asked, stream| {
        if is_signed(asked, region) {
            reply(stream, "200 OK", &[], b"PK jar");
        } else {
            let path = asked.path.clone();
            reply(stream, "400 Bad Request", &[("x-amz-bucket-region", region)], path.as_bytes());
        }
    })
}

#[test]
fn requests_are_signed_as_the_server_signs_them() {
    let server = store("us-east-1");
    let endpoint = format!("http://s3.example:{}", server.port);
    for (bucket, by_path, path, host) in [
        ("jars", "true", "/jars/a%20b/c%2Bd.jar?", "s3.example"),
        ("jars", "false", "/a%20b/c%2Bd.jar?", "jars.s3.example"),
        ("jars.of.us", "false", "/jars.of.us/a%20b/c%2Bd.jar?", "s3.example"),
    ] {
        let settings = configured(&[
            ("s3.endpoint", &endpoint),
            ("s3.access-key", KEY),
            ("fs.s3a.secret.key", SECRET),
            ("s3.session.token", TOKEN),
            ("s3.path.style.access", by_path),
        ]);
        let answer = ask(&settings, &format!("s3a://{bucket}/a b/c+d.jar"));
        assert!(matches!(answer, Ok(Answer::Content(_))), "for `{bucket}`, {by_path}: {:?}", answer.err());
        let asked = server.asked().pop().unwrap();
        assert!(asked.path.starts_with(path), "{}", asked.path);
        assert_eq!(asked.header("host"), Some(format!("{host}:{}", server.port).as_str()));
        assert!(asked.path.contains("X-Amz-Security-Token=hunter3%2Btoken%3D"), "{}", asked.path);
    }
}

#[test]
fn a_wrong_secret_is_refused_and_no_secret_is_shown() {
    let server = Server::start(|asked, stream| {
        let status = if is_signed(asked, "us-east-1") { "200 OK" } else { "403 Forbidden" };
        reply(stream, status, &[], asked.path.as_bytes());
    });
    let endpoint = format!("http://me:hunter4@s3.example:{}", server.port);
    let settings = configured(&[
        ("s3.endpoint", &endpoint),
        ("s3.access-key", KEY),
        ("s3.secret-key", "hunter5"),
        ("s3.session.token", TOKEN),
    ]);
    let error = ask(&settings, "s3://jars/a.jar").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let shown = format!("{error:?} {settings:?}");
    assert!(shown.contains("s3://jars/a.jar") && !shown.contains("hunter") && !shown.contains("X-Amz"), "{shown}");
    assert_eq!(server.asked()[0].header("authorization"), None, "the user of the endpoint is not sent");
}

#[test]
fn a_bucket_in_another_region_is_asked_for_there_once() {
    let server = store("eu-west-1");
    let endpoint = format!("http://s3.example:{}", server.port);
    let keys = [("s3.endpoint", endpoint.as_str()), ("s3.access-key", KEY), ("s3.secret-key", SECRET)];
    assert!(matches!(ask(&configured(&keys), "s3://jars/a.jar"), Ok(Answer::Content(_))));
    assert_eq!(server.asked().len(), 2);
    let named = [&keys[..], &[("s3.endpoint.region", "eu-west-1")]].concat();
    assert!(matches!(ask(&configured(&named), "s3://jars/a.jar"), Ok(Answer::Content(_))));
    assert_eq!(server.asked().len(), 3);
    let wrong = [&keys[..2], &[("s3.secret-key", "wrong")]].concat();
    assert_eq!(ask(&configured(&wrong), "s3://jars/a.jar").err().unwrap().kind(), ErrorKind::Invalid);
    assert_eq!(server.asked().len(), 5, "it is not asked for ever");
}

#[test]
fn without_keys_nothing_is_signed_and_with_one_nothing_is_asked() {
    let server = Server::start(|_, stream| reply(stream, "200 OK", &[], b"PK jar"));
    let endpoint = format!("http://s3.example:{}", server.port);
    assert!(ask(&configured(&[("s3.endpoint", &endpoint)]), "s3p://jars/a.jar").is_ok());
    assert_eq!(server.asked()[0].path, "/a.jar");
    let error =
        ask(&configured(&[("s3.endpoint", &endpoint), ("s3.access-key", KEY)]), "s3://jars/a.jar").err().unwrap();
    assert_eq!((error.kind(), server.asked().len()), (ErrorKind::Invalid, 1));
}

#[test]
fn redirects_are_not_followed_and_a_manifest_cannot_name_a_private_endpoint() {
    let server =
        Server::start(|_, stream| reply(stream, "307 Elsewhere", &[("location", "http://other.example/")], b""));
    let endpoint = format!("http://s3.example:{}", server.port);
    assert!(ask(&configured(&[("s3.endpoint", &endpoint)]), "s3://jars/a.jar").is_err());
    assert_eq!(server.asked().len(), 1);
    for endpoint in ["http://169.254.169.254", "http://localhost:9000", "http://[fd00:ec2::254]", "10.1.2.3:9000"] {
        let error = ask(&configured(&[("s3.endpoint", endpoint)]), "s3://jars/a.jar").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Denied, "for `{endpoint}`: {error:?}");
    }
}

#[test]
fn the_endpoint_follows_from_the_settings() {
    let keys = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some("http://minio.example:9000".to_owned()),
        "AWS_DEFAULT_REGION" => Some("eu-central-1".to_owned()),
        "AWS_ENDPOINT_URL_S3" | "AWS_REGION" => Some(" ".to_owned()),
        _ => None,
    };
    let environment = S3Settings::from_environment(keys);
    assert_eq!(environment.origin(), Some(Origin::Environment));
    assert_eq!(environment.region.as_deref(), Some("eu-central-1"));
    let unset = environment.configured(|_| None);
    assert_eq!(unset.origin(), Some(Origin::Environment));
    let object = Object::parse("s3://jars/a.jar").unwrap();
    for (settings, region, address) in [
        (&unset, "eu-central-1", "http://minio.example:9000/jars/a.jar"),
        (&S3Settings::default(), "us-east-1", "https://jars.s3.us-east-1.amazonaws.com/a.jar"),
        (&S3Settings::default(), "cn-north-1", "https://jars.s3.cn-north-1.amazonaws.com.cn/a.jar"),
        (&configured(&[("s3.endpoint", "minio.example")]), "us-east-1", "https://jars.minio.example/a.jar"),
        (&configured(&[("s3.endpoint", "http://203.0.113.9:9000")]), "us-east-1", "http://203.0.113.9:9000/jars/a.jar"),
        (
            &configured(&[("s3.path-style-access", "TRUE")]),
            "us-east-1",
            "https://s3.us-east-1.amazonaws.com/jars/a.jar",
        ),
    ] {
        assert_eq!(settings.address(&object, region).unwrap().as_str(), address);
    }
    assert!(S3Settings::default().address(&object, "evil.example/#").is_err());
    assert!(configured(&[("s3.endpoint", "ftp://h")]).address(&object, REGION).is_err());
}

#[test]
fn addresses_of_objects_are_taken_apart() {
    for (uri, shown) in [
        ("s3://jars/a.jar", "s3://jars/a.jar"),
        ("S3A://jars/a/b%20c.jar", "s3://jars/a/b%20c.jar"),
        ("s3p://My_Jars.1/a//b.jar", "s3://My_Jars.1/a//b.jar"),
    ] {
        assert_eq!(Object::parse(uri).unwrap().to_string(), shown);
    }
    for uri in [
        "s3:a.jar",
        "s3://jars",
        "s3://jars/",
        "s3:///a.jar",
        "s3://../a.jar",
        "s3://jars/../other/a.jar",
        "s3://jars/./a.jar",
        "s3://jars/a.jar?X-Amz-Signature=hunter2",
        "s3://key:hunter2@jars/a.jar",
        "s3://jars:80/a.jar",
    ] {
        let error = Object::parse(uri).err().unwrap_or_else(|| panic!("`{uri}` should be refused"));
        assert!(!format!("{error:?}").contains("hunter2"), "for `{uri}`");
    }
}
