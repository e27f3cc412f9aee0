//! The REST API of every JobManager of the machine, as the client of the product calls it.
//!
//! A process that does not answer yet, or not any more, refuses the connection; one without a leader refuses the
//! request.

mod asked;
mod jars;
mod jobs;
mod reply;
mod snapshots;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::pending;
use std::sync::Arc;

use hyper::Request;
use kobel_flink_client::{Carried, Failure, FlinkClient, Outgoing, Transport};
use kobel_model::deployment::Identity;

use self::asked::{Asked, Route};
use self::reply::{Reply, refusal};
use super::processes::Process;
use super::state::Machine;
use crate::call::{Call, Port};
use crate::gate::{Gate, Passed};
use crate::world::World;

/// What is said while no JobManager leads.
const ELECTION: &str = "Service temporarily unavailable due to an ongoing leader election. Please refresh.";

/// A client of every cluster of the machine, for one life of the controller.
pub fn flink(gate: &Gate) -> FlinkClient {
    FlinkClient::over(Arc::new(RestPort { gate: gate.clone() }))
}

struct RestPort {
    gate: Gate,
}

impl fmt::Debug for RestPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestPort").finish_non_exhaustive()
    }
}

impl Transport for RestPort {
    fn carry(&self, request: Request<Outgoing>) -> Carried<'_> {
        let asked = Asked::of(&request);
        let call = asked.route.as_ref().and_then(|route| Call::of(Port::Rest, route.name(), route.about()));
        Box::pin(async move {
            let Some(call) = call else {
                return refusal(404, format!("Unable to load requested file {}.", asked.path));
            };
            match self.gate.pass(call, move |world| serve(world, &asked)).await {
                Passed::Answered(reply) => reply,
                Passed::Lost | Passed::Broken => Err(Failure::Broken("connection reset by peer".to_owned())),
                Passed::Refused(status) => refusal(status, "the request was refused"),
                Passed::Silent | Passed::Dead => pending().await,
            }
        })
    }
}

/// Serves a request.
fn serve(world: &mut World, asked: &Asked) -> Reply {
    let Some(cluster) = listening(&world.machine, asked.port) else { return Err(Failure::Refused) };
    let leads = world.machine.launches.get(&cluster).is_some_and(|launched| launched.leader.is_some());
    let Some(route) = asked.route.as_ref().filter(|_| leads) else { return refusal(503, ELECTION) };
    let body = asked.body.as_slice();
    match route {
        Route::Config => jobs::config(world, &cluster),
        Route::Overview => jobs::overview(world, &cluster),
        Route::Exceptions(id) => jobs::exceptions(world, &cluster, id),
        Route::Result(id) => jobs::result(world, &cluster, id),
        Route::Metrics(id) => jobs::metrics(world, &cluster, id),
        Route::Cancel(id) => jobs::cancel(world, &cluster, id),
        Route::Statistics(id) => snapshots::statistics(world, &cluster, id),
        Route::SavepointStatus(id, trigger) => snapshots::savepoint(world, &cluster, (id, trigger)),
        Route::CheckpointStatus(id, trigger) => snapshots::checkpoint(world, &cluster, (id, trigger)),
        Route::Stop(id) => snapshots::stop(world, &cluster, id, body),
        Route::Savepoint(id) => snapshots::take_savepoint(world, &cluster, id, body),
        Route::Checkpoint(id) => snapshots::take_checkpoint(world, &cluster, id, body),
        Route::Upload => jars::upload(world, &cluster, body),
        Route::Run(jar) => jars::run(world, &cluster, jar, body),
        Route::Delete(jar) => jars::delete(world, &cluster, jar),
    }
}

/// The cluster of which a process listens on a port.
fn listening(machine: &Machine, port: u16) -> Option<Identity> {
    let listens = |process: &Process| process.rest_port == Some(port) && process.is_up();
    let (of, _) = machine.launches.iter().find(|(_, launched)| launched.processes.iter().any(listens))?;
    Some(of.clone())
}
