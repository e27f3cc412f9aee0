//! What people and misfortune do to a world: a script says it, this does it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::api::{self, Write};
use crate::call::Call;
use crate::entry::{Entry, Happened, ObjectKey, Who};
use crate::fault::{Aim, At, Fault};
use crate::machine::{self, Then, What};
use crate::script::claims::identity;
use crate::script::command::{About, Command, Deletion, Ending, Held, Knob, Lost, Place, Setting};
use crate::script::seen::find;
use crate::world::World;

/// The path of the configuration of a pair's deployments, and of everything else's.
const CONFIGURATION: [&[&str]; 2] =
    [&["spec", "template", "spec", "flinkConfiguration"], &["spec", "flinkConfiguration"]];
/// The plural name of pairs.
const PAIRS: &str = "flinkbluegreendeployments";

/// Does what a command says; one that only waits or looks does nothing.
///
/// # Errors
/// Why it cannot be done now. It may become possible, and then is done as a whole.
pub fn act(world: &mut World, command: &Command) -> Result<(), String> {
    match command {
        Command::World(settings) => settings.iter().for_each(|setting| set(world, *setting)),
        Command::Create(object) => {
            write(world, Write::Create((**object).clone()))?;
        }
        Command::Edit { name, patch } => {
            let (key, _) = there(world, name)?;
            write(world, Write::Merge(key, (**patch).clone()))?;
        }
        Command::EditStatus { name, patch } => {
            let (key, _) = there(world, name)?;
            write(world, Write::MergeStatus(key, (**patch).clone()))?;
        }
        Command::Configure { name, key, value } => configure(world, name, key, value)?,
        Command::Redeploy { name, nonce } => redeploy(world, name, *nonce)?,
        Command::Delete { name, deletion } => {
            let (key, _) = there(world, name)?;
            let request = match deletion {
                Deletion::Asked => Write::Delete(key),
                Deletion::Forced => Write::ForceDelete(key),
            };
            write(world, request)?;
        }
        Command::Kill { name, role } => machine::kill(world, &identity(name), role)?,
        Command::Fail { name, ending, why } => {
            let then = match ending {
                Ending::Restarts => Then::Restarts,
                Ending::ForGood => Then::FailsForGood,
            };
            runs(world, name)?;
            machine::fail_job(world, &identity(name), why, then);
        }
        Command::Finish { name } => {
            runs(world, name)?;
            machine::finish_job(world, &identity(name));
        }
        Command::Hold(held) => machine::hold(world, what(*held)),
        Command::Release(held) => machine::release(world, what(*held)),
        Command::DiskFails(ms) => machine::break_disk(world, *ms),
        Command::Lose { name, lost } => lose(world, name, *lost)?,
        Command::LoseNode => machine::lose_node(world),
        Command::Fault { fault, place } => aim(world, fault, place)?,
        Command::Refused(_)
        | Command::Await { .. }
        | Command::Run(_)
        | Command::RestartController
        | Command::Unreadable(_)
        | Command::Show { .. }
        | Command::Expect { .. } => {}
    }
    Ok(())
}

fn set(world: &mut World, setting: Setting) {
    let knobs = &mut world.knobs;
    let place = match setting.knob {
        Knob::Latency => {
            knobs.latency_ms = (setting.low, setting.high);
            return;
        }
        Knob::Start => &mut knobs.start_ms,
        Knob::Savepoint => &mut knobs.savepoint_ms,
        Knob::Checkpoint => &mut knobs.checkpoint_ms,
        Knob::Cancel => &mut knobs.cancel_ms,
        Knob::End => &mut knobs.end_ms,
        Knob::DiskSkew => &mut knobs.disk_skew_ms,
        Knob::StatisticsBehind => &mut knobs.statistics_behind_ms,
    };
    *place = setting.high;
}

fn write(world: &mut World, request: Write) -> Result<Arc<Value>, String> {
    api::write(world, Who::User, request)
}

fn there(world: &World, name: &str) -> Result<(ObjectKey, Arc<Value>), String> {
    find(world, name).ok_or_else(|| format!("there is no `{name}`"))
}

fn configure(world: &mut World, name: &str, option: &str, value: &Value) -> Result<(), String> {
    let (key, _) = there(world, name)?;
    let [of_pair, of_others] = CONFIGURATION;
    let path = if key.resource == PAIRS { of_pair } else { of_others };
    let parts = path.iter().copied().chain([option]).rev();
    let patch = parts.fold(value.clone(), |inner, part| Value::Object(Map::from_iter([(part.to_owned(), inner)])));
    write(world, Write::Merge(key, patch)).map(drop)
}

fn redeploy(world: &mut World, name: &str, nonce: i64) -> Result<(), String> {
    let (key, _) = there(world, name)?;
    let newest = by_count(world, name).pop().ok_or_else(|| format!("`{name}` has no snapshot"))?;
    let patch = json!({"spec": {"job": {"initialSavepointPath": newest, "savepointRedeployNonce": nonce}}});
    write(world, Write::Merge(key, patch)).map(drop)
}

/// The places of the snapshots of this name, that with the most records last.
fn by_count(world: &World, name: &str) -> Vec<String> {
    let mut snapshots = world.machine.snapshots(&identity(name));
    snapshots.retain(|(path, ..)| !machine::is_scratch(path));
    snapshots.sort_by_key(|(path, count, _)| (*count, path.clone()));
    snapshots.into_iter().map(|(path, ..)| path).collect()
}

/// Whether the job of this name runs, so that something can become of it.
fn runs(world: &World, name: &str) -> Result<(), String> {
    match world.machine.job_of(&identity(name)) {
        Some(job) if job.state == "RUNNING" => Ok(()),
        Some(job) => Err(format!("the job of `{name}` is {}", job.state)),
        None => Err(format!("`{name}` has no job")),
    }
}

fn what(held: Held) -> What {
    match held {
        Held::Savepoints => What::Savepoints,
        Held::Checkpoints => What::Checkpoints,
        Held::Starts => What::Starts,
        Held::Ends => What::Ends,
        Held::Restarts => What::Restarts,
    }
}

fn lose(world: &mut World, name: &str, lost: Lost) -> Result<(), String> {
    let mut rest = by_count(world, name);
    let newest = rest.pop().ok_or_else(|| format!("`{name}` has no snapshot"))?;
    if lost == Lost::Newest {
        rest.clear();
    }
    for path in rest.into_iter().chain([newest]) {
        machine::lose(world, &path);
    }
    Ok(())
}

fn aim(world: &mut World, fault: &Fault, place: &Place) -> Result<(), String> {
    let at = match place {
        Place::Now => {
            world.tell(Entry::Fault { n: 0, fault: fault.clone() });
            world.strike(fault);
            return Ok(());
        }
        Place::Number(n) => At::Call(*n),
        Place::Event(ahead) => At::Event { rev: world.api.revision().saturating_add(*ahead) },
        Place::Call { port, name, about, nth } => {
            let about = match about {
                About::Exactly(about) => about.clone(),
                About::JobOf(name) => {
                    let job = world.machine.job_of(&identity(name));
                    job.map(|job| job.id.clone()).ok_or_else(|| format!("`{name}` has no job"))?
                }
            };
            let call = Call { port: *port, name, about };
            let made = world.history.iter().filter(|happened| is_of(happened, &call)).count();
            At::Nth { nth: nth.saturating_add(u32::try_from(made).unwrap_or(u32::MAX)), call }
        }
    };
    world.aims.push(Aim { at, fault: fault.clone() });
    Ok(())
}

/// Whether a call was made that is aimed at; `*` stands for whatever it is about.
fn is_of(happened: &Happened, aimed: &Call) -> bool {
    let Entry::Called(made) = &happened.entry else { return false };
    let call = &made.call;
    (call.port, call.name) == (aimed.port, aimed.name) && (aimed.about == "*" || call.about == aimed.about)
}
