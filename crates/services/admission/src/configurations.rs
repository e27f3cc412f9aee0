//! The configurations that make API servers call the webhook: whom they are told to trust.
//!
//! Only `caBundle` is written, of webhooks that call our Service; everything else belongs to whoever made a
//! configuration.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kobel_model::{Error, Result, chain};
use serde_json::{Value, json};

use crate::api::{Api, Place, Written};
use crate::service::Service;

/// The configurations of a Service.
pub(crate) struct Configurations {
    service: Service,
    places: [Place; 2],
}

/// A configuration as it was read.
pub(crate) struct Seen {
    place: Place,
    configuration: Result<Option<Value>>,
}

/// What was found, and done, about the configurations.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// How many did not hold the bundle when they were read.
    pub(crate) lacking: usize,
    /// What is wrong, for a person.
    pub(crate) complaints: Vec<String>,
}

/// How a configuration is.
#[derive(Debug, PartialEq)]
enum Fit {
    /// Every webhook of ours holds the bundle.
    Trusts,
    /// This patch gives it to those that do not.
    Lacks(Value),
    /// No webhook in it calls our Service.
    Foreign,
}

impl Configurations {
    /// Those of a Service.
    pub(crate) fn of(service: &Service, validating: &str, mutating: &str) -> Self {
        Self { service: service.clone(), places: [Place::validating(validating), Place::mutating(mutating)] }
    }

    /// Reads them all.
    pub(crate) async fn look(&self, api: &Api) -> Vec<Seen> {
        let mut seen = Vec::new();
        for place in &self.places {
            seen.push(Seen { place: place.clone(), configuration: api.get(place).await });
        }
        seen
    }

    /// Gives the bundle to those that were seen without it and have not changed since.
    pub(crate) async fn tell(&self, api: &Api, seen: Vec<Seen>, bundle: &str) -> Report {
        let mut report = Report::default();
        for Seen { place, configuration } in seen {
            let fit = match configuration {
                Ok(Some(configuration)) => fit(&configuration, &self.service, bundle),
                Ok(None) => {
                    // Nobody calls through it, so nobody has to trust.
                    report
                        .complaints
                        .push(format!("there is no {place}, so API servers do not call the webhook by it"));
                    continue;
                }
                Err(error) => {
                    report.lacking += 1;
                    report.complaints.push(told(&error));
                    continue;
                }
            };
            match fit {
                Fit::Trusts => {}
                Fit::Foreign => report.complaints.push(format!("{place} has no webhook that calls `{}`", self.service)),
                Fit::Lacks(patch) => {
                    report.lacking += 1;
                    match api.patch(&place, &patch).await {
                        Ok(Written::Done) => {
                            tracing::info!(target: "kobel.webhook", configuration = %place, "the bundle was written");
                        }
                        Ok(Written::Stale) => {}
                        Err(error) => report.complaints.push(told(&error)),
                    }
                }
            }
        }
        report
    }
}

/// An error with its advice, on one line.
pub(crate) fn told(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}{hint}", chain(error))
}

/// How a configuration is.
fn fit(configuration: &Value, service: &Service, bundle: &str) -> Fit {
    let wanted = STANDARD.encode(bundle);
    let listed = configuration.get("webhooks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let ours: Vec<&Value> = listed.iter().filter(|webhook| service.is_called_by(webhook)).collect();
    if ours.is_empty() {
        return Fit::Foreign;
    }
    let held =
        |webhook: &Value| webhook.pointer("/clientConfig/caBundle").and_then(Value::as_str) == Some(wanted.as_str());
    let lacking = ours.into_iter().filter(|webhook| !held(webhook));
    let changes: Vec<Value> =
        lacking.map(|webhook| json!({"name": webhook.get("name"), "clientConfig": {"caBundle": wanted}})).collect();
    if changes.is_empty() {
        return Fit::Trusts;
    }
    // With the version that was read: what was decided on something older is not written over something newer.
    let version = configuration.pointer("/metadata/resourceVersion");
    Fit::Lacks(json!({"metadata": {"resourceVersion": version}, "webhooks": changes}))
}
