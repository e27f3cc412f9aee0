//! Processes as the machine runs them: spawned, come to answer, ended by others or by asking, and who leads.

use std::time::Duration;

use kobel_manifest::launch::Launch;
use kobel_model::deployment::Identity;
use kobel_model::{Error, ErrorKind, Result};
use kobel_processes::Label;

use super::job::Birth;
use super::jobs::{self, Loss};
use super::processes::{Launched, Process, Run, conflict};
use super::schedule::{dispose, later};
use super::state::Due;
use crate::entry::{Entry, Who};
use crate::world::World;

/// Where everything lies.
pub const ROOT: &str = "/kobel/applications";
/// How long an election is put off while there is no store to hold it in.
const NO_STORE_MS: i64 = 1_000;

/// The folder of a deployment.
pub fn folder(of: &Identity) -> String {
    format!("{ROOT}/{}/{}", of.namespace, of.name)
}

/// Starts a launch. To start one of the same label again does what is left to do of it, and most often nothing.
pub fn start(world: &mut World, of: &Identity, label: &Label, launch: &Launch) -> Result<()> {
    let name = name(of);
    let there = world.machine.launches.get(of);
    let beside_living = there.is_some_and(|there| there.label != *label && !there.living().is_empty());
    let goes_on = there.map_or(Ok(false), |there| there.meets(&name, label));
    let (generation, job) = (label.generation, label.job_id.clone());
    world.tell(Entry::StartAsked { of: of.clone(), generation, job, beside_living });
    if !goes_on? {
        let machine = &mut world.machine;
        let number = machine.draw();
        machine.disk.clear(&format!("{}/tmp", folder(of)));
        machine.launches.insert(of.clone(), Launched::intend(number, label, launch));
    }
    let intended = world.machine.launches.get(of).map(Launched::intended).unwrap_or_default();
    let mut is_first = world.machine.launches.get(of).is_some_and(|launched| !launched.is_begun());
    for role in intended {
        if !world.spawns_one_more() {
            return Ok(());
        }
        if std::mem::take(&mut is_first) {
            world.machine.note_start(of);
        }
        spawn(world, of, &role);
    }
    Ok(())
}

/// Starts a process of a launch again if it has ended.
pub fn revive(world: &mut World, of: &Identity, role: &str) -> Result<()> {
    let name = name(of);
    let missing = || Error::new(ErrorKind::Missing, format!("`{name}` has no process `{role}`"));
    let launched = world.machine.launches.get(of).ok_or_else(missing)?;
    if launched.ending_ms.is_some() || !launched.is_of_this_boot {
        return Err(conflict(&format!("cannot start `{role}` again"), &name, "its launch is over"));
    }
    if launched.process(role).ok_or_else(missing)?.pid().is_none() {
        spawn(world, of, role);
    }
    Ok(())
}

fn spawn(world: &mut World, of: &Identity, role: &str) {
    let pid = world.machine.draw();
    let process = world.machine.launches.get_mut(of).and_then(|launched| launched.process_mut(role));
    let Some(process) = process else { return };
    process.run = Run::Running { pid, is_up: false };
    world.tell(Entry::Spawned { of: of.clone(), role: role.to_owned() });
    let half = world.knobs.start_ms / 2;
    later(world, half, Due::Up { of: of.clone(), role: role.to_owned(), pid });
}

/// A process has come so far that it answers, or registers.
pub fn up(world: &mut World, of: &Identity, role: &str, pid: u32) {
    let Some(launched) = world.machine.launches.get_mut(of) else { return };
    let Some(process) = launched.process_mut(role).filter(|process| process.pid() == Some(pid)) else { return };
    process.run = Run::Running { pid, is_up: true };
    let (answers, works) = (process.answers(), process.works());
    let is_leaderless = launched.leader.is_none() && !launched.is_electing;
    if answers && is_leaderless {
        lead(world, of, role);
    } else if works && launched.can_work() {
        jobs::go_on(world, of);
    }
}

/// A JobManager leads: it takes up the jobs that another one has lost, or begins the one of the launch.
fn lead(world: &mut World, of: &Identity, role: &str) {
    let machine = &mut world.machine;
    let Some(launched) = machine.launches.get_mut(of) else { return };
    launched.leader = Some(role.to_owned());
    let (number, started) = (launched.number, launched.started.clone());
    let of_launch = |id: &str| machine.jobs.get(id).is_some_and(|job| job.launch == number && job.cluster == *of);
    match &started.job {
        // Without a store nothing is known of what was before.
        Some(job) if started.takeover_ms.is_none() || !of_launch(&job.id) => {
            let (id, name, restore) = (job.id.clone(), job.name.clone(), job.restore.clone());
            let settings = started.settings.clone();
            let (lineage, cluster) = (of.clone(), of.clone());
            jobs::begin(world, Birth { id, name, lineage, cluster, launch: number, settings, restore });
        }
        _ if started.takeover_ms.is_some() => jobs::take_up(world, of, number),
        _ => {}
    }
}

/// The time has come at which another JobManager is elected.
pub fn elect(world: &mut World, of: &Identity, number: u32) {
    let Some(launched) = world.machine.launches.get_mut(of).filter(|launched| launched.number == number) else {
        return;
    };
    if launched.process("zookeeper").is_some_and(|store| store.pid().is_none()) {
        later(world, NO_STORE_MS, Due::Elected { of: of.clone(), launch: number });
        return;
    }
    launched.is_electing = false;
    let next = launched.processes.iter().find(|process| process.answers() && process.is_up());
    if let Some(role) = next.map(|process| process.role.clone()) {
        lead(world, of, &role);
    }
}

/// Asks every process of a deployment to end, and kills what is left after `grace`; says whether nothing is left.
pub fn end(world: &mut World, of: &Identity, grace: Duration) -> bool {
    let now_ms = world.now_ms;
    let Some(launched) = world.machine.launches.get_mut(of) else { return true };
    let living = launched.living();
    if living.is_empty() {
        world.machine.launches.remove(of);
        world.machine.jars.retain(|(cluster, _)| cluster != of);
        return true;
    }
    let is_first = launched.ending_ms.is_none();
    let asked = *launched.ending_ms.get_or_insert(now_ms);
    let is_late = u128::try_from(now_ms.saturating_sub(asked)).unwrap_or(0) >= grace.as_millis();
    let pids = living.into_iter().filter_map(|role| launched.process(&role)?.pid().map(|pid| (role, pid)));
    let pids: Vec<(String, u32)> = pids.collect();
    let end_ms = world.knobs.end_ms;
    for (role, pid) in pids {
        if is_late {
            exit(world, of, (role.as_str(), "killed by SIGKILL"), Who::Controller);
        } else if is_first {
            later(world, end_ms, Due::Exits { of: of.clone(), role, pid });
        }
    }
    false
}

/// A process that was asked to end has done so.
pub fn exit_as_asked(world: &mut World, of: &Identity, role: &str, pid: u32) {
    let process = world.machine.launches.get(of).and_then(|launched| launched.process(role));
    if process.and_then(Process::pid) == Some(pid) {
        let how = if role == "application" { "killed by SIGTERM" } else { "exit code 143" };
        exit(world, of, (role, how), Who::Controller);
    }
}

/// A process has ended, and with it what it did for others.
pub fn exit(world: &mut World, of: &Identity, (role, how): (&str, &str), by: Who) {
    let Some(launched) = world.machine.launches.get_mut(of) else { return };
    let Some(process) = launched.process_mut(role) else { return };
    let Some(pid) = process.pid() else { return };
    process.run = Run::Ended { pid, how: how.to_owned(), last_words: String::new() };
    let works = process.works();
    let led = launched.leader.as_deref() == Some(role);
    let is_ending = launched.ending_ms.is_some();
    let takeover_ms = launched.started.takeover_ms.filter(|_| !is_ending);
    let number = launched.number;
    if led {
        (launched.leader, launched.is_electing) = (None, takeover_ms.is_some());
    }
    world.tell(Entry::Exited { of: of.clone(), role: role.to_owned(), how: how.to_owned(), by });
    world.machine.listeners.tell(of);
    if led {
        let is_orderly = is_ending && how != "killed by SIGKILL";
        jobs::lose(world, of, if is_orderly { Loss::Orderly } else { Loss::Sudden });
    }
    if let Some(takeover_ms) = takeover_ms.filter(|_| led) {
        later(world, takeover_ms, Due::Elected { of: of.clone(), launch: number });
    }
    if works && !is_ending {
        let why = format!("org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager `{role}` is gone.");
        jobs::lose_tasks(world, of, &why);
    }
}

/// Removes the files of a deployment, except its checkpoints, its savepoints and those of its session jobs.
pub fn forget(world: &mut World, of: &Identity) -> Result<()> {
    if world.machine.launches.get(of).is_some_and(Launched::is_begun) {
        return Err(conflict("cannot remove the files", &name(of), "its launch was not ended"));
    }
    world.machine.launches.remove(of);
    let folder = folder(of);
    let kept = ["checkpoints", "savepoints", "jobs"].map(|kept| format!("{folder}/{kept}/"));
    let is_kept = |place: &str| kept.iter().any(|kept| place.starts_with(kept.as_str()));
    let below = world.machine.disk.below(&folder).map(|(place, _)| place);
    let gone: Vec<String> = below.filter(|place| !is_kept(place)).map(str::to_owned).collect();
    for place in gone {
        dispose(world, &place, Who::Controller);
    }
    Ok(())
}

/// A deployment for a person.
pub fn name(of: &Identity) -> String {
    format!("{}/{}", of.namespace, of.name)
}
