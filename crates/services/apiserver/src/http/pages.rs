//! Pages of long lists: what a list was when its first page was given.
//!
//! # Invariants
//! All pages of a list are of one moment. What is kept is bounded in number and in time; a token whose list is gone is
//! refused with 410 and never answered with something else.

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
    /// What is listed; a token is good for that only.
    scope: String,
    snapshot: Snapshot,
    made: Instant,
}

/// The lists that are kept.
#[derive(Debug, Default)]
pub struct Pages {
    kept: Mutex<VecDeque<Kept>>,
}

impl Pages {
    /// Keeps a list, and answers its id.
    pub fn keep(&self, scope: &str, snapshot: Snapshot) -> u64 {
        let id = rand::random();
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Kept { id, scope: scope.to_owned(), snapshot, made: Instant::now() });
        id
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
