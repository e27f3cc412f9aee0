//! Programs of a session cluster: taken in, run, removed.
//!
//! Whoever runs one chooses the id of its job, so that running it twice starts one job.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;

use hyper::Method;
use kobel_model::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::body::Outgoing;
use crate::call::{Call, segment};
use crate::endpoint::Endpoint;
use crate::failure::Failure;
use crate::transport::FlinkClient;

/// Bytes of a request that Flink takes unless it is configured to take more.
const REQUEST_MAX: u64 = 100 << 20;

/// How a program is run.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct RunJar {
    /// The class whose `main` is run; absent for the one that the program names.
    #[serde(rename = "entryClass", skip_serializing_if = "Option::is_none")]
    pub entry_class: Option<String>,
    /// The arguments of `main`.
    #[serde(rename = "programArgsList", skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The parallelism; absent for the default of the cluster.
    #[serde(rename = "parallelism", skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<u32>,
    /// The id of the job: 32 hexadecimal digits; absent for one that the cluster chooses.
    #[serde(rename = "jobId", skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Whether state that the program has no place for is dropped.
    #[serde(rename = "allowNonRestoredState")]
    pub allow_non_restored: bool,
    /// The snapshot that the job starts from; absent for none.
    #[serde(rename = "savepointPath", skip_serializing_if = "Option::is_none")]
    pub savepoint_path: Option<String>,
    /// Options of the job.
    #[serde(rename = "flinkConfiguration", skip_serializing_if = "BTreeMap::is_empty")]
    pub configuration: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct UploadAnswer {
    filename: String,
}

#[derive(Deserialize)]
struct RunAnswer {
    jobid: String,
}

impl FlinkClient {
    /// Sends a program to a session cluster and returns the id with which it is run.
    ///
    /// # Errors
    /// As reading the file fails; invalid if the cluster takes no file so large; unavailable if there is no answer.
    pub async fn upload_jar(&self, at: &Endpoint, path: &Path) -> Result<String> {
        let shown = path.display();
        let unread = |error| Error::io(format!("cannot read `{shown}`"), error);
        let file = File::open(path).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        let body = form(&file_name(path), (file, length));
        let call = Call { body, ..Call::new(Method::POST, "/jars/upload") }.patient();
        match self.ask::<UploadAnswer>(at, call).await {
            Ok(answer) => Ok(answer.filename.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()),
            Err(failure) => {
                let is_cut_off = matches!(failure, Failure::Broken(_)) && length > REQUEST_MAX;
                let error = failure.about(&format!("send `{shown}`"), at.shown());
                let hint = "raise `rest.server.max-content-length` of the cluster, whose default is 100 MiB";
                Err(if is_cut_off { error.with_hint(hint) } else { error })
            }
        }
    }

    /// Runs a program and returns the id of its job. A job of the same id that was submitted before is that job.
    ///
    /// # Errors
    /// Invalid if the program fails before it submits a job; missing if the cluster does not have the program;
    /// unavailable if there is no answer, after which the job may have been submitted or not.
    pub async fn run_jar(&self, at: &Endpoint, jar_id: &str, run: &RunJar) -> Result<String> {
        let what = || format!("run program `{jar_id}`");
        let call = Call::json(Method::POST, format!("/jars/{}/run", segment(jar_id)), run);
        let call = call.map_err(|failure| failure.about(&what(), at.shown()))?.patient();
        match (self.ask::<RunAnswer>(at, call).await, &run.job_id) {
            (Ok(answer), _) => Ok(answer.jobid),
            (Err(Failure::Duplicate), Some(job_id)) => Ok(job_id.clone()),
            (Err(failure), _) => Err(failure.about(&what(), at.shown())),
        }
    }

    /// Removes a program from a session cluster; one that is not there is removed already.
    ///
    /// # Errors
    /// Unavailable if there is no answer.
    pub async fn delete_jar(&self, at: &Endpoint, jar_id: &str) -> Result<()> {
        match self.send(at, Call::new(Method::DELETE, format!("/jars/{}", segment(jar_id)))).await {
            Ok(_) => Ok(()),
            Err(Failure::Answered { status: 400, reason }) if reason.contains("does not exist") => Ok(()),
            Err(failure) => Err(failure.about(&format!("remove program `{jar_id}`"), at.shown())),
        }
    }
}

/// The name of a file as Flink takes it: it must end in `.jar` and must not break the header that it stands in.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    if name.ends_with(".jar") { name } else { format!("{name}.jar") }
}

/// The file as the only part of a form.
fn form(name: &str, file: (File, u64)) -> Outgoing {
    // A boundary that cannot be guessed cannot stand in the file.
    let random = || RandomState::new().build_hasher().finish();
    let boundary = format!("kobel-{:016x}{:016x}", random(), random());
    let front = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"{name}\"\r\n\
         Content-Type: application/x-java-archive\r\n\r\n"
    );
    let back = format!("\r\n--{boundary}--\r\n");
    Outgoing::upload(format!("multipart/form-data; boundary={boundary}"), front, file, back)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use kobel_model::ErrorKind;
    use serde_json::{Value, json};

    use super::RunJar;
    use crate::playback::{Playback, Reply};
    use crate::transport::FlinkClient;

    const JAR: &str = "ec389d65-b944-4614-9573-2016d89fe8e3_a.jar";
    const JOB: &str = "d6ebe40fb3e2262b88121e25031759c0";

    #[tokio::test]
    async fn a_program_is_sent_whole_as_a_form() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my \"program\"");
        let content: Vec<u8> = (0..200_000_u32).map(|byte| (byte % 251) as u8).collect();
        fs::write(&path, &content).unwrap();
        let answer = json!({"filename": format!("/tmp/flink-web-upload/{JAR}"), "status": "success"});
        let server = Playback::of(vec![("POST /v1/jars/upload", Reply::ok(&answer.to_string()))]);
        let id = FlinkClient::new().upload_jar(&server.endpoint(), &path).await.unwrap();
        assert_eq!(id, JAR);
        let heard = server.heard().remove(0);
        let boundary = heard.head.lines().find_map(|line| line.split_once("boundary=")).unwrap().1;
        let front = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"my__program_.jar\"\r\n\
             Content-Type: application/x-java-archive\r\n\r\n"
        );
        let back = format!("\r\n--{boundary}--\r\n");
        assert!(heard.body == [front.as_bytes(), content.as_slice(), back.as_bytes()].concat());
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_not_sent() {
        let server = Playback::of(vec![("POST /v1/jars/upload", Reply::ok("{}"))]);
        let sent = FlinkClient::new().upload_jar(&server.endpoint(), Path::new("/no/such.jar")).await;
        assert_eq!(sent.unwrap_err().kind(), ErrorKind::Missing);
        assert!(server.heard().is_empty());
    }

    #[tokio::test]
    async fn a_run_says_what_was_asked_for_and_nothing_else() {
        let line = format!("POST /v1/jars/{JAR}/run");
        let server = Playback::of(vec![(line, Reply::ok(&json!({"jobid": JOB, "applicationId": JOB}).to_string()))]);
        let run = RunJar {
            entry_class: Some("a.Main".to_owned()),
            args: vec!["--a".to_owned(), "b c".to_owned()],
            job_id: Some(JOB.to_owned()),
            configuration: BTreeMap::from([("pipeline.name".to_owned(), "n".to_owned())]),
            ..RunJar::default()
        };
        assert_eq!(FlinkClient::new().run_jar(&server.endpoint(), JAR, &run).await.unwrap(), JOB);
        let body: Value = serde_json::from_slice(&server.heard().remove(0).body).unwrap();
        let asked = json!({"entryClass": "a.Main", "programArgsList": ["--a", "b c"], "jobId": JOB,
            "allowNonRestoredState": false, "flinkConfiguration": {"pipeline.name": "n"}});
        assert_eq!(body, asked);
    }

    #[tokio::test]
    async fn a_job_that_was_submitted_before_is_that_job() {
        let line = format!("POST /v1/jars/{JAR}/run");
        let before = "org.apache.flink.runtime.rest.handler.RestHandlerException: Could not execute application.\n\
             Caused by: org.apache.flink.runtime.client.DuplicateJobSubmissionException: Job was submitted.";
        let server = Playback::of(vec![(line, Reply::refusal(400, before))]);
        let client = FlinkClient::new();
        let run = RunJar { job_id: Some(JOB.to_owned()), ..RunJar::default() };
        assert_eq!(client.run_jar(&server.endpoint(), JAR, &run).await.unwrap(), JOB);
        let error = client.run_jar(&server.endpoint(), JAR, &RunJar::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }

    #[tokio::test]
    async fn a_program_that_is_gone_is_removed() {
        let line = format!("DELETE /v1/jars/{JAR}");
        let gone =
            format!("org.apache.flink.runtime.rest.handler.RestHandlerException: File {JAR} does not exist in /a.");
        let server = Playback::of(vec![
            (&line, Reply::refusal(400, &gone)),
            (&line, Reply::ok("{}")),
            (&line, Reply::refusal(500, "no")),
        ]);
        let client = FlinkClient::new();
        client.delete_jar(&server.endpoint(), JAR).await.unwrap();
        client.delete_jar(&server.endpoint(), JAR).await.unwrap();
        assert!(client.delete_jar(&server.endpoint(), JAR).await.is_err());
    }
}
