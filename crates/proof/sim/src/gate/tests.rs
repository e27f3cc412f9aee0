//! Tests of the gate: what each fault does to a call, and what of a life is kept when it is over.

use tokio::time::timeout;

use super::*;
use crate::fault::{Aim, At};
use crate::script::Script;

const LONG: Duration = Duration::from_secs(60);

/// A life in which the first call is hit by this, if by anything.
fn life(fault: Option<Fault>, marks: Option<Vec<Mark>>) -> (Shared, Gate) {
    let mut world = World::new(Script { name: "nothing".to_owned(), steps: Arc::new([]) }, 7);
    world.aims.extend(fault.map(|fault| Aim { at: At::Call(1), fault }));
    let shared = Shared::of(Left::new(world, marks));
    let gate = Gate::new(&shared, shared.with(World::begin_life));
    (shared, gate)
}

fn call(name: &str) -> Call {
    Call::of(Port::Host, name, "default/a").unwrap()
}

fn effect(world: &mut World) -> u32 {
    world.tell(Entry::User("effect".to_owned()));
    7
}

/// When there was an effect.
fn effects(world: &World) -> Vec<i64> {
    let entries = world.history.iter();
    entries.filter(|happened| happened.entry == Entry::User("effect".to_owned())).map(|effect| effect.at_ms).collect()
}

#[tokio::test(start_paused = true)]
async fn each_fault_leaves_its_own_trace() {
    for (fault, passed, count, is_up) in [
        (None, Passed::Answered(7), 1, true),
        (Some(Fault::Crash(Side::Before)), Passed::Dead, 0, false),
        (Some(Fault::Crash(Side::After)), Passed::Dead, 1, false),
        (Some(Fault::Ghost { ms: 9 }), Passed::Dead, 0, false),
        (Some(Fault::Lost), Passed::Lost, 1, true),
        (Some(Fault::Silent(Side::Before)), Passed::Silent, 0, true),
        (Some(Fault::Silent(Side::After)), Passed::Silent, 1, true),
        (Some(Fault::Refuse(503)), Passed::Refused(503), 0, true),
        (Some(Fault::DiskError), Passed::Broken, 0, true),
        (Some(Fault::Conflict), Passed::Answered(7), 1, true),
        (Some(Fault::Stale { for_ms: 5, back: 1 }), Passed::Answered(7), 1, true),
    ] {
        let (shared, gate) = life(fault.clone(), None);
        assert_eq!(gate.pass_now(call("end"), effect), passed, "{fault:?}");
        let world = shared.take();
        let told = world.history.iter().any(|happened| matches!(happened.entry, Entry::Fault { n: 1, .. }));
        assert_eq!((effects(&world).len(), world.is_up(), told), (count, is_up, fault.is_some()), "{fault:?}");
        assert!(world.aims.is_empty(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_over_a_wire_takes_its_time_and_who_is_not_answered_waits_for_ever() {
    for (fault, answer_ms) in [
        (None, Some(2..=6)),
        (Some(Fault::Lost), Some(2..=6)),
        (Some(Fault::Late { ms: 1_000 }), Some(1_002..=1_006)),
        (Some(Fault::Silent(Side::After)), None),
        (Some(Fault::Crash(Side::After)), None),
    ] {
        let (shared, gate) = life(fault.clone(), None);
        let answered = timeout(LONG, gate.pass(call("end"), effect)).await.is_ok();
        assert_eq!(answered, answer_ms.is_some(), "{fault:?}");
        let now = shared.now_ms();
        assert!(answer_ms.is_none_or(|range| range.contains(&now)), "{fault:?} after {now} ms");
        assert_eq!(effects(&shared.take()).len(), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_dead_has_no_effect() {
    let (shared, gate) = life(None, None);
    let under_way = gate.pass(call("end"), effect);
    shared.with(World::end_life);
    shared.with(World::begin_life);
    assert!(timeout(LONG, under_way).await.is_err());
    assert_eq!(gate.pass_now(call("end"), effect), Passed::Dead);
    let world = shared.take();
    assert_eq!((effects(&world).len(), world.calls, world.life), (0, 0, 2));
    assert!(!gate.is_alive());
}

#[tokio::test(start_paused = true)]
async fn what_happens_behind_a_crash_is_not_kept() {
    let (shared, gate) = life(Some(Fault::Crash(Side::Before)), None);
    assert_eq!(gate.pass_now(call("end"), effect), Passed::Dead);
    shared.with(effect);
    assert_eq!((effects(&shared.take()).len(), shared.halted().await), (1, Halt::Crashed));
    drop(gate);
    let world = shared.into_world();
    assert_eq!((effects(&world).len(), world.is_up()), (0, false));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_on_the_wire_at_the_crash_has_its_effect_in_the_next_life() {
    let (shared, gate) = life(Some(Fault::Ghost { ms: 700 }), Some(Vec::new()));
    assert!(timeout(LONG, gate.pass(call("end"), effect)).await.is_err());
    drop(gate);
    // It came where the clock went on; the stretch behind the crash has it still before it.
    let (shared, gate) = {
        let (again, other) = life(Some(Fault::Ghost { ms: 700 }), Some(Vec::new()));
        assert_eq!(effects(&shared.take()).len(), 1);
        tokio::select! {
            biased;
            halt = again.halted() => assert_eq!(halt, Halt::Crashed),
            _ = other.pass(call("end"), effect) => unreachable!("it is dead"),
        }
        drop(other);
        let shared = Shared::of(again.into_left());
        let gate = Gate::new(&shared, shared.with(World::begin_life));
        (shared, gate)
    };
    let crashed_ms = shared.now_ms();
    assert_eq!(gate.pass_now(call("end"), |_| 1), Passed::Answered(1));
    tokio::select! {
        biased;
        () = tokio::time::sleep(LONG) => {}
        never = shared.tick() => match never {},
    }
    assert_eq!(effects(&shared.take()), [crashed_ms + 700]);
    assert_eq!(gate.pass_now(call("end"), |_| 1), Passed::Answered(1));
    drop(gate);
    let marks = shared.into_left().marks.unwrap_or_default();
    assert_eq!(marks.iter().map(|mark| mark.n).collect::<Vec<_>>(), [3, 3], "none while it is on the wire");
}

#[tokio::test(start_paused = true)]
async fn a_mark_is_the_world_as_a_crash_leaves_it() {
    let (shared, gate) = life(None, Some(Vec::new()));
    assert_eq!(gate.pass_now(call("end"), effect), Passed::Answered(7));
    let start = |world: &mut World| {
        while effects(world).len() < 3 && world.spawns_one_more() {
            effect(world);
        }
    };
    assert_eq!(gate.pass_now(call("start"), start), Passed::Answered(()));
    drop(gate);
    let marks = shared.into_left().marks.unwrap_or_default();
    let told: Vec<_> = marks.iter().map(|mark| (mark.n, mark.side, effects(&mark.world).len())).collect();
    let (before, after) = (Side::Before, Side::After);
    let within = [(2, Side::Within(0), 1), (2, Side::Within(1), 2)];
    assert_eq!(
        told,
        [vec![(1, before, 0), (1, after, 1), (2, before, 1)], within.to_vec(), vec![(2, after, 3)]].concat()
    );
    for mark in marks {
        let last = mark.world.history.last().map(|happened| happened.entry.clone());
        assert_eq!(last, Some(Entry::Life { number: 1, began: false }));
        assert!(!mark.world.is_up());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_happens_though_nobody_looks() {
    let (shared, _gate) = life(None, None);
    let other = shared.clone();
    let later = async move {
        sleep(Duration::from_millis(10)).await;
        other.with(|world| world.aims.push(Aim { at: At::Time(30), fault: Fault::Crash(Side::Before) }));
        pending::<()>().await;
    };
    tokio::select! {
        biased;
        halt = shared.halted() => assert_eq!(halt, Halt::Crashed),
        never = shared.tick() => match never {},
        () = later => {}
    }
    assert_eq!(shared.now_ms(), 30);
}
