//! Acting: what was decided, done. Each act may be done twice, and ends by itself if nobody answers.

use std::time::Duration;

use kobel_flink_client::{Endpoint, RunJar, SavepointRequest};
use kobel_lifecycle::decision::{Act, Savepoint, Start};
use kobel_model::deployment::{Deployment, SessionJob};
use kobel_model::{Error, ErrorKind, Result};
use kobel_processes::Label;
use serde_json::Value;

use crate::declared::{What, listed, with_spec};
use crate::key::Key;
use crate::launching::Launching;
use crate::objects::Written;
use crate::round::Subject;
use crate::surroundings::apart;
use crate::world::World;

/// How soon it is looked at what came of an act.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// What an act is, for a person.
pub(crate) fn name(act: &Act) -> &'static str {
    match act {
        Act::Start(_) => "start",
        Act::Remove => "end the processes of",
        Act::StopWithSavepoint(_) => "stop with a savepoint",
        Act::Cancel { .. } => "cancel",
        Act::TakeSavepoint(_) => "take a savepoint of",
        Act::TakeCheckpoint { .. } => "take a checkpoint of",
        Act::Dispose { .. } => "dispose of a savepoint of",
        Act::Release => "let go of",
    }
}

/// Does what was decided about an object.
///
/// # Errors
/// Why it could not be done.
pub(crate) async fn act(world: &World, subject: &Subject<'_>, object: &Value, act: Act) -> Result<()> {
    let flink = &world.flink;
    match act {
        Act::Start(start) => start_it(world, subject, object, *start).await,
        Act::Remove => world.substrate.end(&subject.key.identity()).await.map(drop),
        Act::StopWithSavepoint(savepoint) => {
            flink.stop_with_savepoint(endpoint(subject)?, asked(&savepoint, subject.savepoint_directory())).await
        }
        Act::TakeSavepoint(savepoint) => {
            flink.take_savepoint(endpoint(subject)?, asked(&savepoint, subject.savepoint_directory())).await
        }
        Act::TakeCheckpoint { job_id, trigger_id } => {
            flink.take_checkpoint(endpoint(subject)?, &job_id, &trigger_id).await
        }
        Act::Cancel { job_id } => flink.cancel(endpoint(subject)?, &job_id).await.map(drop),
        Act::Dispose { path } => world.substrate.dispose(path).await,
        Act::Release => {
            if matches!(subject.declaration.what, What::Deployment(_)) {
                world.substrate.forget(&subject.key.identity()).await?;
            }
            release(world, subject.key, object).await.map(drop)
        }
    }
}

/// Takes our finalizer away; those of others stay.
///
/// # Errors
/// Unavailable if the API does not answer, or refuses.
pub(crate) async fn release(world: &World, key: &Key, object: &Value) -> Result<Written> {
    let listed = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    let others = listed.into_iter().flatten().filter_map(Value::as_str).filter(|name| *name != key.kind.finalizer());
    let others: Vec<String> = others.map(str::to_owned).collect();
    world.objects.put_finalizers(key, object, &others).await
}

fn endpoint<'a>(subject: &'a Subject<'_>) -> Result<&'a Endpoint> {
    subject.gathered.endpoint.as_ref().ok_or_else(|| Error::new(ErrorKind::Unavailable, "the REST API does not answer"))
}

/// A savepoint as the client asks for it; where nothing was said it goes where the job was told at its start.
pub(crate) fn asked<'a>(savepoint: &'a Savepoint, usual: Option<&'a str>) -> SavepointRequest<'a> {
    SavepointRequest {
        job_id: &savepoint.job_id,
        trigger_id: &savepoint.trigger_id,
        directory: savepoint.directory.as_deref().or(usual),
        format: savepoint.format,
        drain: savepoint.drain,
    }
}

/// Starts the spec that was decided on, which need not be the one that the object has now.
async fn start_it(world: &World, subject: &Subject<'_>, object: &Value, start: Start) -> Result<()> {
    let declared = world.declarations.read(subject.key, &with_spec(object, &start.spec));
    let declaration =
        declared.map_err(|problems| Error::invalid(format!("the spec is not valid: {}", listed(&problems))))?;
    let Some(declaration) = declaration else { return Err(Error::bug("what is to be started declares nothing")) };
    let label = Label { generation: start.generation, job_id: start.job_id.clone() };
    match &declaration.what {
        What::Deployment(deployment) => {
            let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
            let launching = Launching { label, restore: start.restore, uid };
            world.turn.slowly(world.substrate.start(deployment, launching)).await
        }
        What::SessionJob(job) => {
            let Some(session) = &subject.gathered.session else {
                return Err(Error::new(ErrorKind::Unavailable, "its session cluster is not there"));
            };
            let What::Deployment(cluster) = &session.declaration.what else {
                return Err(Error::bug("a session cluster is no deployment"));
            };
            submit(world, subject, job, cluster, &start).await
        }
    }
}

/// Submits a session job: its program is uploaded, run, and taken away again.
async fn submit(
    world: &World,
    subject: &Subject<'_>,
    job: &SessionJob,
    cluster: &Deployment,
    start: &Start,
) -> Result<()> {
    let at = endpoint(subject)?;
    let flink = &world.flink;
    let job_id = start.job_id.as_deref().unwrap_or_default();
    if flink.job(at, job_id).await?.is_some() {
        // It was submitted before, and the answer was lost.
        return Ok(());
    }
    let (run, fetched) = world.turn.slowly(world.substrate.jar_run(job, cluster, start)).await?;
    let jar = match &run.jar {
        Some(jar) => flink.upload_jar(at, jar).await?,
        None => return Err(Error::unsupported("a session job without a program does not run on this machine yet")),
    };
    if let Some(fetched) = fetched {
        let remove = move || {
            drop(fetched);
            Ok(())
        };
        apart(&*world.surroundings, "removing a program", remove).await?;
    }
    let request = RunJar {
        entry_class: run.entry_class,
        args: run.arguments,
        parallelism: Some(run.parallelism),
        job_id: Some(run.job_id),
        allow_non_restored: run.allow_non_restored_state,
        savepoint_path: run.savepoint_path,
        configuration: run.configuration,
    };
    let ran = flink.run_jar(at, &jar, &request).await;
    // What was uploaded is not needed any more; if it cannot be deleted it goes with the cluster.
    let _ = flink.delete_jar(at, &jar).await;
    ran.map(drop)
}
