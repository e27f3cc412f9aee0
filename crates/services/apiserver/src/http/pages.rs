//! Pages of long lists: what a list was when its first page was given.
//!
//! # Invariants
//! All pages of a list are of one moment. What is kept is bounded in number, bytes and time, and who keeps much loses
//! their own lists before those of others; a token whose list is gone is refused with 410 and never answered with
//! something else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::status::{Answer, Status};
use crate::store::Stored;

/// Lists that are kept at most.
const KEPT_MAX: usize = 64;
/// Lists that are kept for one user at most.
const KEPT_PER_USER: usize = 16;
/// The most bytes of all lists that are kept; one that is larger is kept alone.
const BYTES_MAX: usize = 32 << 20;
/// How long a list is kept.
const KEPT_TIME: Duration = Duration::from_secs(300);
/// The format of tokens.
const FORMAT: &str = "kobel.dev/v1";
/// What the API server says of a token whose list is gone.
const EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can start a \
    new list without the continue parameter.";

/// A list of one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The revision of that moment.
    pub revision: u64,
    /// Everything that is listed.
    pub items: Arc<[Arc<Stored>]>,
}

#[derive(Debug)]
struct Kept {
    id: u64,
    /// Whose it is.
    user: String,
    /// What is listed; a token is good for that only.
    scope: String,
    snapshot: Snapshot,
    bytes: usize,
    made: Instant,
}

/// The lists that are kept.
#[derive(Debug, Default)]
pub struct Pages {
    kept: Mutex<VecDeque<Kept>>,
}

impl Pages {
    /// Keeps a list of a user, and answers its id.
    pub fn keep(&self, user: &str, scope: &str, snapshot: Snapshot) -> u64 {
        let id = rand::random();
        let bytes = snapshot.items.iter().map(|item| item.body.len()).sum();
        let mut kept = self.kept();
        while !has_room(&kept, user, bytes) {
            let own = kept.iter().position(|kept| kept.user == user);
            kept.remove(own.unwrap_or_default());
        }
        let (user, scope) = (user.to_owned(), scope.to_owned());
        kept.push_back(Kept { id, user, scope, snapshot, bytes, made: Instant::now() });
        id
    }

    /// Forgets the lists whose time is over.
    pub fn sweep(&self) {
        drop(self.kept());
    }

    /// The list of a token, its id, and where to go on; 400 if it is none of ours, 410 if the list is gone.
    pub fn find(&self, scope: &str, token: &str) -> Answer<(u64, Snapshot, usize)> {
        let (id, start) = decode(token).ok_or_else(|| {
            Status::bad_request("invalid continue token: continue key is not valid: it was not made by this server")
        })?;
        let kept = self.kept();
        let found = kept.iter().find(|kept| kept.id == id).ok_or_else(|| Status::expired(EXPIRED))?;
        if found.scope != scope || start >= found.snapshot.items.len() {
            return Err(Status::bad_request("invalid continue token: it belongs to another list"));
        }
        Ok((id, found.snapshot.clone(), start))
    }

    /// The lists that are kept, without those whose time is over.
    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.front().is_some_and(|oldest| oldest.made.elapsed() > KEPT_TIME) {
            kept.pop_front();
        }
        kept
    }
}

/// Whether one more list of a user and of so many bytes can be kept.
fn has_room(kept: &VecDeque<Kept>, user: &str, bytes: usize) -> bool {
    let own = kept.iter().filter(|kept| kept.user == user).count();
    let all: usize = kept.iter().map(|kept| kept.bytes).sum();
    kept.is_empty() || (kept.len() < KEPT_MAX && own < KEPT_PER_USER && all.saturating_add(bytes) <= BYTES_MAX)
}

/// Makes a token.
pub fn token(id: u64, start: usize) -> String {
    URL_SAFE_NO_PAD.encode(json!({"v": FORMAT, "id": id, "start": start}).to_string())
}

fn decode(token: &str) -> Option<(u64, usize)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let object: Value = serde_json::from_slice(&bytes).ok()?;
    if object.get("v")?.as_str()? != FORMAT {
        return None;
    }
    Some((object.get("id")?.as_u64()?, usize::try_from(object.get("start")?.as_u64()?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Key;

    fn list(bytes: usize) -> Snapshot {
        let object = json!({"data": "x".repeat(bytes)});
        let item = Arc::new(Stored::of(Key::new("configmaps", "default", "a"), 1, object));
        Snapshot { revision: 1, items: Arc::from(vec![item]) }
    }

    fn is_kept(pages: &Pages, id: u64) -> bool {
        pages.find("s", &token(id, 0)).is_ok()
    }

    #[test]
    fn who_keeps_much_loses_their_own_lists() {
        let pages = Pages::default();
        let other = pages.keep("other", "s", list(1));
        let own: Vec<u64> = (0..=KEPT_PER_USER).map(|_| pages.keep("own", "s", list(1))).collect();
        let found: Vec<bool> = own.iter().map(|id| is_kept(&pages, *id)).collect();
        assert!(!found[0] && found[1..].iter().all(|is_kept| *is_kept), "{found:?}");
        assert!(is_kept(&pages, other));
    }

    #[test]
    fn lists_are_bounded_in_bytes() {
        let pages = Pages::default();
        let other = pages.keep("other", "s", list(BYTES_MAX / 4));
        let first = pages.keep("own", "s", list(BYTES_MAX / 2));
        let second = pages.keep("own", "s", list(BYTES_MAX / 2));
        assert_eq!([other, first, second].map(|id| is_kept(&pages, id)), [true, false, true]);
        let large = pages.keep("own", "s", list(BYTES_MAX));
        assert_eq!([other, second, large].map(|id| is_kept(&pages, id)), [false, false, true]);
    }
}
