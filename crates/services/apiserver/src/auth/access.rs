//! The guard at the door: who calls, and whether they may.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::{fmt, str};

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use kobel_model::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use crate::auth::attributes::Attributes;
use crate::auth::audit::{Recorder, Refused};
use crate::auth::caller::Caller;
use crate::auth::grants::{Grants, Keeper};
use crate::auth::throttle::Throttle;
use crate::auth::tokens::{self, Account};
use crate::auth::{escalation, impersonation};
use crate::auth::{roles, rules::PolicyRule};
use crate::status::{Answer, Resource, Status};
use crate::store::{Key, Store};
use crate::surroundings::{Surroundings, show_micros, show_seconds};

/// The file in the data directory that holds the administrator's token.
pub const TOKEN_FILE: &str = "token";
/// The longest token that is looked at.
const TOKEN_MAX: usize = 4096;

/// Decides who calls and what they may do. Clones share everything.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    surroundings: Arc<dyn Surroundings>,
    grants: Keeper,
    throttle: Throttle,
    recorder: Recorder,
}

impl Access {
    /// Makes a guard for a store.
    pub fn new(store: Store, surroundings: Arc<dyn Surroundings>) -> Self {
        let (grants, recorder) = (Keeper::new(store.clone()), Recorder::new(store.clone()));
        Self { inner: Arc::new(Inner { store, surroundings, grants, throttle: Throttle::default(), recorder }) }
    }

    /// Stores the built-in roles, and reads the administrator's token from the data directory or makes it. Answers the
    /// token.
    pub async fn start(&self, data: &Path) -> Result<String> {
        let seeded = roles::seed(&self.inner.store, &*self.inner.surroundings).await;
        seeded.map_err(|status| Error::new(ErrorKind::Unavailable, "cannot save the roles").with_source(*status))?;
        tokens::admin(&self.inner.store, &data.join(TOKEN_FILE)).await
    }

    /// Tells who calls: anonymous without a token, 401 for every wrong one, 429 after too many wrong ones of a peer; and
    /// as whom, if the headers ask for that.
    ///
    /// A peer that is held off is not heard, not even with the right token. On this machine itself the right token is
    /// always heard: there all programs share one address, and one of them with an old token must not lock out the rest.
    pub fn authenticate(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Answer<Caller> {
        let caller = self.holder(headers, peer)?;
        impersonation::acting(caller, headers)
    }

    /// Whose token it is.
    fn holder(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Answer<Caller> {
        let Some(token) = bearer(headers) else { return Ok(Caller::anonymous()) };
        let now = self.inner.surroundings.now();
        let is_held_off = peer.is_some_and(|peer| self.inner.throttle.holds_off(peer, now));
        if is_held_off && peer.is_some_and(|peer| !peer.to_canonical().is_loopback()) {
            return Err(held_off());
        }
        let holder = if token.len() > TOKEN_MAX { None } else { tokens::holder(&self.inner.store, token, now) };
        if let Some(caller) = holder {
            return Ok(caller);
        }
        if is_held_off {
            return Err(held_off());
        }
        if let Some(peer) = peer {
            self.inner.throttle.failed(peer, now);
        }
        Err(Status::unauthorized())
    }

    /// Whether the caller may do this; 403 in the words of Kubernetes if not.
    pub fn authorize(&self, caller: &Caller, asked: &Attributes<'_>) -> Answer<()> {
        if self.grants().decide(caller, asked).is_none() {
            return Err(asked.refusal(caller));
        }
        let is_change = matches!(asked.verb, "create" | "update" | "patch" | "delete" | "deletecollection");
        if is_change && escalation::is_built_in(asked.group, asked.resource) {
            let resource = Resource { group: asked.group, plural: asked.resource };
            let why = "the roles are built in and cannot be changed";
            return Err(Status::forbidden(&resource, asked.name.unwrap_or_default(), why));
        }
        Ok(())
    }

    /// Whether the caller may do this with a path that is no resource.
    pub fn authorize_path(&self, caller: &Caller, verb: &str, path: &str) -> Answer<()> {
        if self.grants().decide_path(caller, verb, path).is_some() {
            return Ok(());
        }
        let message = format!("forbidden: User {:?} cannot {verb} path {path:?}", caller.user);
        let mut status = Status::new(403, "Forbidden", message);
        status.details = Some(json!({}));
        Err(status)
    }

    /// Why the caller may do this; absent if they may not.
    pub fn decide(&self, caller: &Caller, asked: &Attributes<'_>) -> Option<String> {
        self.grants().decide(caller, asked)
    }

    /// Why the caller may do this with a path that is no resource; absent if they may not.
    pub fn decide_path(&self, caller: &Caller, verb: &str, path: &str) -> Option<String> {
        self.grants().decide_path(caller, verb, path)
    }

    /// Every rule that allows the caller something in a namespace.
    pub fn rules(&self, caller: &Caller, namespace: &str) -> Vec<&'static PolicyRule> {
        self.grants().rules(caller, Some(namespace))
    }

    /// Makes a token for a service account; answers the `TokenRequest`. The caller was authorized before.
    pub async fn issue_token(&self, caller: &Caller, account: Account, body: &Value) -> Answer<Value> {
        tokens::issue(&self.inner.store, &self.inner.surroundings, caller, account, body).await
    }

    /// Removes tokens that are over or whose account is gone; the server calls it now and then.
    pub async fn sweep(&self) -> Answer<usize> {
        tokens::sweep(&self.inner.store, self.inner.surroundings.now()).await
    }

    /// Records a refused mutation soon, without waiting.
    pub fn record(&self, refused: Refused<'_>) {
        self.inner.recorder.record(refused, &show_micros(self.inner.surroundings.now()));
    }

    /// The unique id of the service account that calls, if one does.
    pub fn uid_of(&self, caller: &Caller) -> Option<String> {
        let (namespace, name) = caller.account()?;
        self.inner.store.get(&Key::new("serviceaccounts", namespace, name)).map(|account| account.uid.clone())
    }

    /// The time now, as metadata shows it.
    pub fn now(&self) -> String {
        show_seconds(self.inner.surroundings.now())
    }

    fn grants(&self) -> Arc<Grants> {
        self.inner.grants.grants()
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

fn held_off() -> Box<Status> {
    let mut status = Status::too_many_requests("too many wrong tokens, please try again later");
    status.details = Some(json!({"retryAfterSeconds": 10}));
    status
}

/// The token of the `Authorization` header; absent if there is none or another scheme.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = str::from_utf8(headers.get(AUTHORIZATION)?.as_bytes()).ok()?;
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
