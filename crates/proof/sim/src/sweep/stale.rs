//! The sweep of stale reads: the controller is killed after each write to the API, and the next life reads what was
//! there some revisions before.
//!
//! It is more than Kubernetes allows: there a read that names no revision is never stale, only a watch may be late.

use super::outcome::{Case, Depth, Since, Sweep, broken, place};
use crate::call::Port;
use crate::fault::{Aim, At, Fault, Side};
use crate::life::{self, Mark, Record};
use crate::script::Script;
use crate::world::World;

/// How many revisions back is read.
const BACK: [u64; 3] = [1, 2, 3];
/// For how long: until two seconds into the next life, which begins half a second after the crash.
const FOR_MS: i64 = 2_500;

/// Lets every life of a script that begins after a write read what was there before.
pub fn staleness(script: &Script, depth: Depth) -> Sweep {
    let case = Case::of(script);
    let (mut sweep, begun) = Sweep::begin(&case, Record::Marks);
    let Some(run) = begun else { return sweep };
    for (place, mark) in run.marks.iter().filter(|mark| is_write(mark)).enumerate() {
        for back in depth.ways(&BACK, place) {
            if sweep.is_enough() {
                return sweep;
            }
            go_on(&mut sweep, &case, mark, back, &run.world);
        }
    }
    sweep
}

/// Whether the world is that after a write of an object. Nobody reads events.
fn is_write(mark: &Mark) -> bool {
    mark.side == Side::After && mark.call.port == Port::Api && mark.call.changes() && mark.call.name != "POST events"
}

fn go_on(sweep: &mut Sweep, case: &Case, mark: &Mark, back: u64, faultless: &World) {
    let mut world = mark.world.clone();
    let from = Since::here(&world);
    let stale = Aim { at: At::Time(world.now_ms + 1), fault: Fault::Stale { for_ms: FOR_MS, back } };
    world.aims.push(stale.clone());
    let crash = Fault::Crash(mark.side);
    sweep.injected(&crash);
    let world = life::resume(world).world;
    sweep.count(&world, from);
    if let Some(broken) = broken(&world, case.compared_with(faultless)) {
        let at = place(&faultless.history, mark.n, &mark.call);
        sweep.fail(case.with(Aim { at, fault: crash }).with(stale), broken, &world);
    }
}
