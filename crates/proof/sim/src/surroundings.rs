//! The clock, chance and threads of a simulated world, for one life of the controller.
//!
//! What would be done on another thread is done on the spot, after a moment and before another one. So it is never
//! under way while something else happens, and whoever died meanwhile does not get its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use kobel_controller::{Apart, Surroundings};
use kobel_model::Error;

use crate::gate::Gate;

/// The surroundings of the life that has this gate.
pub fn surroundings(gate: &Gate) -> Arc<dyn Surroundings> {
    Arc::new(Simulated { gate: gate.clone() })
}

struct Simulated {
    gate: Gate,
}

impl Surroundings for Simulated {
    fn now(&self) -> Timestamp {
        self.gate.shared().timestamp()
    }

    fn fresh(&self) -> u128 {
        self.gate.fresh()
    }

    fn apart(&self, work: Box<dyn FnOnce() + Send>) -> Apart {
        let gate = self.gate.clone();
        Box::pin(async move {
            gate.rest(0).await;
            let done = catch_unwind(AssertUnwindSafe(work));
            gate.rest(0).await;
            done.map_err(|_| Error::bug("what was done apart panicked"))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::entry::Entry;
    use crate::gate::Shared;
    use crate::script::Script;
    use crate::world::World;

    fn life() -> (Shared, Gate) {
        let shared = Shared::new(World::new(Script { name: "nothing".to_owned(), steps: Arc::new([]) }, 7));
        let life = shared.with(World::begin_life);
        let gate = Gate::new(&shared, life);
        (shared, gate)
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_done_apart_after_a_moment_and_its_end_is_told_after_another() {
        let (shared, gate) = life();
        let inside = shared.clone();
        let work = move || inside.with(|world| world.tell(Entry::User("work".to_owned())));
        surroundings(&gate).apart(Box::new(work)).await.unwrap();
        let world = shared.take();
        let at_ms = world.history.last().unwrap().at_ms;
        assert!((1..=3).contains(&at_ms) && (1..=3).contains(&(world.now_ms - at_ms)), "{at_ms} of {}", world.now_ms);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_dies_over_its_work_never_hears_of_it() {
        let (shared, gate) = life();
        let inside = shared.clone();
        let work = surroundings(&gate).apart(Box::new(move || inside.with(World::end_life)));
        assert!(timeout(Duration::from_secs(60), work).await.is_err());
        let late = surroundings(&gate).apart(Box::new(move || shared.with(|_| unreachable!("it is dead"))));
        assert!(timeout(Duration::from_secs(60), late).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_is_never_given_twice_and_the_same_in_the_same_world() {
        let drawn = || {
            let (shared, gate) = life();
            let surroundings = surroundings(&gate);
            let ids = [surroundings.fresh(), surroundings.fresh()];
            shared.with(World::end_life);
            (ids, surroundings.fresh())
        };
        let (ids, dead) = drawn();
        assert_ne!(ids[0], ids[1]);
        assert_eq!((ids, dead), drawn());
        assert_eq!(dead, 0);
    }
}
