//! Places of which everybody may hold so many at a time: connections of an address, watches of a user.
//!
//! # Invariants
//! A place is free again when it is dropped; who holds none is not remembered.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many places everybody holds.
type Held<K> = Arc<Mutex<HashMap<K, usize>>>;

/// The places that are taken.
#[derive(Debug)]
pub struct Places<K> {
    held: Held<K>,
}

/// One place; dropping it frees it.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    who: K,
    held: Held<K>,
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self { held: Arc::new(Mutex::new(HashMap::new())) }
    }
}

impl<K: Eq + Hash + Clone> Places<K> {
    /// Takes a place for somebody; none if they hold `most` already.
    pub fn take(&self, who: K, most: usize) -> Option<Place<K>> {
        let mut held = lock(&self.held);
        let count = held.entry(who.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { who, held: Arc::clone(&self.held) })
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        if let Some(count) = held.get_mut(&self.who) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.who);
            }
        }
    }
}

fn lock<K>(held: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_places_of_their_own_and_gets_them_back() {
        let places = Places::default();
        let first = places.take("a", 2);
        let second = places.take("a", 2);
        assert!(first.is_some() && second.is_some());
        assert!(places.take("a", 2).is_none());
        assert!(places.take("b", 2).is_some());
        drop(first);
        assert!(places.take("a", 2).is_some());
        drop(second);
        assert!(lock(&places.held).is_empty());
    }
}
