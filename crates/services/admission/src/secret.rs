//! The Secret in which replicas keep the certificates of the webhook: how they stand there.
//!
//! `tls.crt`, `tls.key` and `ca.crt` are what the type `kubernetes.io/tls` and its users have; `next.*` and `former.*`
//! are the steps from one certificate to another. The dates stand beside the certificates, because nothing here reads
//! those.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::certificates::{Former, Kept, Pair};

/// The certificates of all authorities that are trusted.
const BUNDLE: &str = "ca.crt";
/// What is served.
const CURRENT: &str = "tls";
/// What will be served.
const NEXT: &str = "next";
/// What was served before.
const FORMER: &str = "former";

/// What a Secret holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Certificates of the webhook.
    Kept(Box<Kept>),
    /// Nothing, or what is left of that and is of no use.
    Nothing,
    /// Something of somebody else.
    Foreign,
}

/// Reads a Secret.
pub(crate) fn read(secret: &Value) -> Found {
    let data = Data::of(secret);
    if data.0.is_empty() {
        return Found::Nothing;
    }
    if !data.0.contains_key(&facts_of(CURRENT)) {
        return Found::Foreign;
    }
    let Some(current) = data.pair(CURRENT) else { return Found::Nothing };
    Found::Kept(Box::new(Kept { current, next: data.pair(NEXT), former: data.former() }))
}

/// The Secret that holds `kept`: the one that was read, with other data, or a new one of this namespace and name.
pub(crate) fn written(kept: &Kept, read: Option<&Value>, namespace: &str, name: &str) -> Value {
    let mut secret = read.cloned().unwrap_or_else(|| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "kobel"}},
        })
    });
    let mut data = BTreeMap::from([(BUNDLE.to_owned(), kept.bundle())]);
    put(&mut data, CURRENT, &kept.current);
    if let Some(next) = &kept.next {
        put(&mut data, NEXT, next);
    }
    if let Some(former) = &kept.former {
        data.insert(format!("{FORMER}.ca"), former.authority.clone());
        data.insert(facts_of(FORMER), json!({"until": former.until.to_string()}).to_string());
    }
    let data: Map<String, Value> = data.into_iter().map(|(key, text)| (key, json!(STANDARD.encode(text)))).collect();
    secret["data"] = Value::Object(data);
    secret
}

fn put(data: &mut BTreeMap<String, String>, which: &str, pair: &Pair) {
    let facts = json!({"names": pair.names, "from": pair.from.to_string(), "until": pair.until.to_string()});
    let parts = [("ca", &pair.authority), ("crt", &pair.certificate), ("key", &pair.key)];
    data.extend(parts.map(|(part, text)| (format!("{which}.{part}"), text.clone())));
    data.insert(facts_of(which), facts.to_string());
}

fn facts_of(which: &str) -> String {
    format!("{which}.facts")
}

/// The texts of a Secret, by key. It has no `Debug`: there are keys in it.
struct Data(BTreeMap<String, String>);

impl Data {
    fn of(secret: &Value) -> Self {
        let entries = secret.get("data").and_then(Value::as_object).into_iter().flatten();
        let text = |value: &Value| String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok();
        // What is no text is nothing of ours, and still something.
        Self(entries.map(|(key, value)| (key.clone(), text(value).unwrap_or_default())).collect())
    }

    fn part(&self, which: &str, part: &str) -> Option<String> {
        self.0.get(&format!("{which}.{part}")).filter(|text| !text.is_empty()).cloned()
    }

    fn facts(&self, which: &str) -> Option<Value> {
        serde_json::from_str(self.0.get(&facts_of(which))?).ok()
    }

    fn pair(&self, which: &str) -> Option<Pair> {
        let facts = self.facts(which)?;
        let names = facts.get("names")?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Pair {
            authority: self.part(which, "ca")?,
            certificate: self.part(which, "crt")?,
            key: self.part(which, "key")?,
            names,
            from: time(&facts, "from")?,
            until: time(&facts, "until")?,
        })
    }

    fn former(&self) -> Option<Former> {
        Some(Former { authority: self.part(FORMER, "ca")?, until: time(&self.facts(FORMER)?, "until")? })
    }
}

fn time(facts: &Value, field: &str) -> Option<Timestamp> {
    facts.get(field)?.as_str()?.parse().ok()
}
