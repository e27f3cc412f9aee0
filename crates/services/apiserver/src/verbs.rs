//! The acts that change objects: create, update, patch, delete; of whole objects, of their status, of their scale.
//!
//! Each is one act of the store with everything that follows from it, so it happens whole or not at all, and a
//! refusal leaves nothing.

pub mod change;
pub mod create;
pub mod delete;
pub mod request;
pub mod scale;
pub mod site;
pub mod store_rules;
pub mod update;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use self::request::{
    DeleteOptions, DryRun, FieldValidation, Outcome, Propagation, Selection, Subresource, Target, WriteOptions,
};
use self::site::Site;
use crate::auth::Caller;
use crate::kinds::Kinds;
use crate::patch::PatchKind;
use crate::status::{Answer, Status};
use crate::store::Store;
use crate::surroundings::Surroundings;

/// Does acts on a store. Clones share it.
#[derive(Clone)]
pub struct Engine {
    store: Store,
    kinds: Arc<Kinds>,
    surroundings: Arc<dyn Surroundings>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// Makes an engine for the kinds on a store.
    pub fn new(store: Store, kinds: Arc<Kinds>, surroundings: Arc<dyn Surroundings>) -> Self {
        Self { store, kinds, surroundings }
    }

    /// Creates an object in a collection.
    pub async fn create(&self, caller: Caller, target: Target, body: Value, options: WriteOptions) -> Answer<Outcome> {
        self.act(caller, move |site| create::create(site, &target, body, &options)).await
    }

    /// Replaces an object, its status or its scale.
    pub async fn update(&self, caller: Caller, target: Target, body: Value, options: WriteOptions) -> Answer<Outcome> {
        self.act(caller, move |site| {
            check_subresource(&target)?;
            match target.subresource {
                Some(Subresource::Scale) => scale::update(site, &target, body, &options),
                _ => update::update(site, &target, body, &options),
            }
        })
        .await
    }

    /// Patches an object, its status or its scale; an applied object is created if it is not there.
    pub async fn patch(
        &self,
        caller: Caller,
        target: Target,
        patch: (PatchKind, Value),
        options: WriteOptions,
    ) -> Answer<Outcome> {
        self.act(caller, move |site| {
            check_subresource(&target)?;
            let (kind, body) = patch;
            match target.subresource {
                Some(Subresource::Scale) => scale::patch(site, &target, kind, body, &options),
                _ => change::change(site, &target, kind, body, &options),
            }
        })
        .await
    }

    /// Deletes an object, or begins to.
    pub async fn delete(&self, caller: Caller, target: Target, options: DeleteOptions) -> Answer<Outcome> {
        self.act(caller, move |site| delete::delete(site, &target, &options)).await
    }

    /// Deletes the selected objects of a collection.
    pub async fn delete_collection(
        &self,
        caller: Caller,
        target: Target,
        selection: Selection,
        options: DeleteOptions,
    ) -> Answer<Outcome> {
        self.act(caller, move |site| delete::delete_collection(site, &target, &selection, &options)).await
    }

    async fn act(
        &self,
        caller: Caller,
        act: impl FnOnce(&mut Site<'_, '_>) -> Answer<Outcome> + Send + 'static,
    ) -> Answer<Outcome> {
        let (kinds, surroundings) = (Arc::clone(&self.kinds), Arc::clone(&self.surroundings));
        self.store
            .write(move |tx| act(&mut Site { tx, kinds: &kinds, surroundings: &*surroundings, caller: &caller }))
            .await
    }
}

/// Refuses a subresource that the kind does not have.
fn check_subresource(target: &Target) -> Answer<()> {
    let is_there = match target.subresource {
        None => true,
        Some(Subresource::Status) => target.kind.has_status,
        Some(Subresource::Scale) => target.kind.scale.is_some(),
    };
    if is_there { Ok(()) } else { Err(Status::no_such_path()) }
}
