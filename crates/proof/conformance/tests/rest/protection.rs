//! Who may ask, over what, and what nobody is ever told.

use std::fs;
use std::process::Command;

use kobel_testkit::http::{Request, ask, get_json};
use kobel_testkit::{or_skip, process};
use tempfile::TempDir;

use crate::native::Native;

/// Rows for ever.
const FOREVER: &str = "CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '100'); \
    CREATE TABLE sunk (n INT) WITH ('connector' = 'blackhole'); \
    INSERT INTO sunk SELECT n FROM numbers;";

/// Secrets of a setting, and of a setting of the script.
const SECRETS: [&str; 2] = ["planted-5ecret-one", "planted-5ecret-two"];

#[test]
fn no_answer_and_no_log_holds_a_secret() {
    let folder = TempDir::new().unwrap();
    // The message of the failure quotes the path, and so the secret.
    let place = folder.path().join(SECRETS[0]);
    fs::create_dir(&place).unwrap();
    fs::write(place.join("numbers.csv"), "1\noops\n").unwrap();
    let script = format!(
        "SET 'sasl.password' = '{}'; \
         CREATE TABLE numbers (n INT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'); \
         CREATE TABLE sunk (n INT) WITH ('connector' = 'blackhole'); \
         INSERT INTO sunk SELECT n FROM numbers;",
        SECRETS[1],
        place.display()
    );
    let settings = [
        ("s3.secret-key", SECRETS[0]),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.attempts", "1"),
        ("restart-strategy.fixed-delay.delay", "10 ms"),
        ("metrics.reporter.prom.port", "0"),
    ];
    let native = Native::start(&script, &settings);
    let detail = native.wait_for_job("FAILED");
    let (job, vertex) = (native.job_id(), detail["vertices"][0]["id"].as_str().unwrap().to_owned());
    let worker = get_json(native.port, "/taskmanagers").unwrap()["taskmanagers"][0]["id"].as_str().unwrap().to_owned();
    let log = get_json(native.port, "/jobmanager/logs").unwrap()["logs"][0]["name"].as_str().unwrap().to_owned();
    let mut hidden = 0;
    for path in [
        "/config".to_owned(),
        "/applications/overview".to_owned(),
        "/jobmanager/config".to_owned(),
        "/jobmanager/environment".to_owned(),
        format!("/jobmanager/logs/{log}"),
        format!("/taskmanagers/{worker}/logs/{log}"),
        format!("/jobs/{job}"),
        format!("/jobs/{job}/config"),
        format!("/jobs/{job}/plan"),
        format!("/jobs/{job}/exceptions"),
        format!("/jobs/{job}/checkpoints"),
        format!("/jobs/{job}/checkpoints/config"),
        format!("/jobs/{job}/execution-result"),
        format!("/jobs/{job}/jobmanager/config"),
        format!("/jobs/{job}/vertices/{vertex}"),
    ] {
        let answer = ask(native.port, &Request::get(&path)).unwrap();
        assert_eq!(answer.status, 200, "{path}");
        let text = answer.text();
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{path}: {text}");
        hidden += usize::from(text.contains("******"));
    }
    assert!(hidden >= 5, "settings, log, exceptions and the result mention what they hide, {hidden} did");
}

#[test]
fn beyond_loopback_nothing_listens_without_a_token_or_tls() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("script.sql");
    fs::write(&script, FOREVER).unwrap();
    let short = folder.path().join("token");
    fs::write(&short, "short\n").unwrap();
    let token = format!("kobel.rest.token-file={}", short.display());
    for (settings, said) in [
        (vec!["rest.bind-address=0.0.0.0"], "kobel.rest.token-file"),
        (vec!["rest.bind-address=0.0.0.0", token.as_str()], "no token"),
        (vec!["kobel.rest.tls.key=key.pem"], "TLS needs both"),
        (vec!["rest.bind-port=8081-80"], "expected ports"),
    ] {
        let mut command = Command::new(crate::native::kobel());
        command.current_dir(folder.path()).arg("run").arg(&script).args(["--set", "rest.port=0"]);
        settings.iter().for_each(|setting| {
            command.args(["--set", setting]);
        });
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{settings:?}: {text}");
        assert!(text.contains(said), "{settings:?}: {text}");
    }
}

#[test]
fn a_token_is_asked_for_and_tls_is_spoken() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let token = "0123456789abcdef0123456789abcdef";
    fs::write(path("token"), token).unwrap();
    or_skip!(process::run(Command::new("openssl").args([
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        &path("key.pem"),
        "-out",
        &path("cert.pem"),
    ])));
    let native = Native::start(
        FOREVER,
        &[
            ("kobel.rest.token-file", &path("token")),
            ("kobel.rest.tls.certificate", &path("cert.pem")),
            ("kobel.rest.tls.key", &path("key.pem")),
        ],
    );
    let url = format!("https://localhost:{}/overview", native.port);
    let get = |header: &str| {
        let arguments = ["--silent", "--max-time", "60", "--cacert", &path("cert.pem"), "--header", header];
        process::run(Command::new("curl").args(arguments).args(["--write-out", " %{http_code}", &url]))
    };
    let answer = or_skip!(get(&format!("Authorization: Bearer {token}")));
    assert!(answer.contains("\"jobs-running\"") && answer.ends_with(" 200"), "{answer}");
    for header in ["Accept: */*", "Authorization: Bearer 0123456789abcdef", "Authorization: Basic a2V5"] {
        let answer = get(header).unwrap();
        assert!(answer.ends_with(" 401") && !answer.contains("jobs-running"), "{header}: {answer}");
    }
    let answer =
        process::run(Command::new("curl").args(["--silent", "--max-time", "60", &url.replace("https", "http")]));
    assert!(answer.is_err(), "no plain text is answered: {answer:?}");
}
