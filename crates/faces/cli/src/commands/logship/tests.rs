//! What the agent is told, as its container tells it.

use clap::Parser as _;

use super::*;
use crate::args::{Arguments, Command};

fn given(flags: &[&str]) -> Result<Settings> {
    let line = [&["kobel", "logship"][..], flags].concat();
    let Ok(Arguments { command: Command::Logship(arguments), .. }) = Arguments::try_parse_from(line) else {
        return Err(Error::invalid("no such command line"));
    };
    settings(&arguments, |name| {
        let value = match name {
            POD => "orders-1",
            "AWS_REGION" => "eu-west-1",
            _ => return None,
        };
        Some(value.to_owned())
    })
}

#[test]
fn the_agent_takes_what_its_container_is_started_with() {
    let settings = given(&[
        "--directory=/var/log/flink/user",
        "--rotation-size=2048",
        "--rotation-files=3",
        "--s3=s3a://b/c",
        "--s3-encryption-key=arn:aws:kms:eu-west-1:111122223333:key/0a",
        "--cloudwatch-group=-$(X)",
        "--cloudwatch-prefix=team",
    ])
    .unwrap();
    assert_eq!((settings.pod.as_str(), settings.rotation.size, settings.rotation.files), ("orders-1", 2048, 3));
    assert_eq!(settings.s3.unwrap().folder.to_string(), "s3://b/c/");
    assert_eq!(settings.cloudwatch.unwrap().prefix, "team");
}

#[test]
fn what_cannot_be_shipped_is_refused_before_anything_is_done() {
    let directory = "--directory=/logs";
    for flags in [
        &[directory][..],
        &["--s3=s3://b"],
        &[directory, "--s3=https://b"],
        &[directory, "--s3=s3://b", "--pod=a/b"],
        &[directory, "--s3=s3://b", "--rotation-files=0"],
        &[directory, "--s3=s3://b", "--rotation-size=0"],
        &[directory, "--cloudwatch-group=g", "--s3-encryption-key=a"],
    ] {
        assert!(given(flags).is_err(), "{flags:?}");
    }
    assert!(given(&[directory, "--s3=s3://b"]).is_ok());
}
