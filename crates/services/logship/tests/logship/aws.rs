//! Amazon S3, STS and CloudWatch on this machine.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use kobel_testkit::http::{Request, Response, ask};
use kobel_testkit::packages::{AWS_PACKAGES, python_environment};
use kobel_testkit::process::Running;
use serde_json::{Value, json};

/// The bucket.
pub const BUCKET: &str = "archive";
/// The key that objects are encrypted under.
pub const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// How long the services may take to start.
const SOON: Duration = Duration::from_secs(300);

/// The services, which end with this value.
pub struct Aws {
    port: u16,
    _process: Running,
    _folder: tempfile::TempDir,
}

impl Aws {
    /// Starts the services, with an empty bucket.
    pub fn start(port: u16) -> Result<Self, String> {
        let python = python_environment("aws", &AWS_PACKAGES)?;
        let folder = tempfile::tempdir().map_err(|error| format!("no directory: {error}"))?;
        let mut command = Command::new(python);
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        let mut process = Running::start(&mut command, folder.path(), "aws")?;
        process.wait_for_port(port, SOON)?;
        let aws = Self { port, _process: process, _folder: folder };
        match aws.ask("s3", Request::new("PUT", &format!("/{BUCKET}"))) {
            response if response.status == 200 => Ok(aws),
            response => Err(format!("no bucket: status {}, {}", response.status, response.text())),
        }
    }

    /// The port of all of them.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What an agent is told that has keys.
    pub fn keys(&self) -> Vec<(&'static str, String)> {
        let mut variables = endpoint(self.port);
        variables.push(("AWS_ACCESS_KEY_ID", "AKIA".to_owned()));
        variables.push(("AWS_SECRET_ACCESS_KEY", "hunter2".to_owned()));
        variables
    }

    /// What an object holds, unpacked; nothing if it is not there.
    pub fn object(&self, name: &str) -> Option<String> {
        let response = self.ask("s3", Request::get(&format!("/{BUCKET}/{name}")));
        let mut text = String::new();
        let unpacked = MultiGzDecoder::new(response.body.as_slice()).read_to_string(&mut text);
        (response.status == 200).then(|| unpacked.map(|_| text).expect("an object of gzip"))
    }

    /// The key that an object is encrypted under.
    pub fn key_of(&self, name: &str) -> Option<String> {
        let response = self.ask("s3", Request::get(&format!("/{BUCKET}/{name}")));
        response.header("x-amz-server-side-encryption-aws-kms-key-id").map(str::to_owned)
    }

    /// The objects whose names begin with `prefix`.
    pub fn objects(&self, prefix: &str) -> Vec<String> {
        let text = self.ask("s3", Request::get(&format!("/{BUCKET}?list-type=2&prefix={prefix}"))).text();
        let keys = text.split("<Key>").skip(1);
        keys.filter_map(|key| Some(key.split_once("</Key>")?.0.to_owned())).collect()
    }

    /// Puts an object.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let request =
            Request::new("PUT", &format!("/{BUCKET}/{name}")).header("Content-Type", "application/java-archive");
        assert_eq!(self.ask("s3", request.body(bytes.to_vec())).status, 200);
    }

    /// What the events of a log stream say; nothing if it is not there.
    pub fn events(&self, stream: &str) -> Vec<String> {
        let body = json!({ "logGroupName": "/flink", "logStreamName": stream, "startFromHead": true });
        let request = Request::new("POST", "/").header("X-Amz-Target", "Logs_20140328.GetLogEvents");
        let request = request.header("Content-Type", "application/x-amz-json-1.1").body(body.to_string().into_bytes());
        let answer = self.ask("logs", request).json().unwrap_or(Value::Null);
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        events.iter().filter_map(|event| Some(event["message"].as_str()?.to_owned())).collect()
    }

    /// Asks one of the services as somebody who may do all.
    fn ask(&self, service: &str, request: Request) -> Response {
        // A bucket is made without more words in this region alone.
        let region = if service == "s3" { "us-east-1" } else { "eu-west-1" };
        let scope = format!("AKIA/20260901/{region}/{service}/aws4_request");
        let authorization = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        ask(self.port, &request.header("Authorization", &authorization)).expect("the services answer")
    }
}

/// What an agent is told that may take on a role.
pub fn role(port: u16, token: &Path) -> Vec<(&'static str, String)> {
    let mut variables = endpoint(port);
    // The account of those who ask without a role, else log groups are made in another one.
    variables.push(("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/job".to_owned()));
    variables.push(("AWS_WEB_IDENTITY_TOKEN_FILE", token.display().to_string()));
    variables
}

fn endpoint(port: u16) -> Vec<(&'static str, String)> {
    vec![("AWS_REGION", "eu-west-1".to_owned()), ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))]
}
