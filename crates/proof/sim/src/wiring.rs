//! What the parts of a world do, said to the world: it is made of them, and they act on it.

use crate::fault::Fault;
use crate::world::{Due, Rules, World};
use crate::{api, invariants, machine};

impl Rules for World {
    fn fire(&mut self, due: Due) {
        match due {
            Due::Machine(due) => machine::fire(self, due),
            Due::Api(due) => api::fire(self, due),
        }
    }

    fn touch(&mut self, about: &str) {
        api::touch(self, about);
    }

    fn hit_watches(&mut self, fault: &Fault) {
        api::watch_fault(self, fault);
    }

    fn look_through(&mut self) {
        invariants::check(self);
    }
}
