//! Bearer tokens: 256 random bits each, of which only the digest is stored.
//!
//! A record is found by the first half of the digest, and the whole digest is compared in constant time. A token of a
//! service account is bound to the account's unique id, so it dies with it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use kobel_model::{Error, ErrorKind, Result};
use kobel_resources::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::auth::caller::Caller;
use crate::auth::secret_file;
use crate::status::{Answer, Resource, Status};
use crate::store::{Key, Store, Transaction};
use crate::surroundings::{Surroundings, show_micros, show_seconds};

/// The table of records.
const TABLE: &str = "tokens";
/// The characters of a digest by which its record is found.
const ID_LENGTH: usize = 21;
/// The resource of service accounts.
const ACCOUNTS: Resource<'static> = Resource { group: "", plural: "serviceaccounts" };
/// The least characters of a token that somebody wrote into the file.
const TOKEN_MIN: usize = 32;
/// How long a token lives when nobody asked for a time.
const LIFE_DEFAULT: i64 = 3600;
/// The shortest life that can be asked for.
const LIFE_MIN: i64 = 600;
/// The longest life that can be asked for.
const LIFE_MAX: i64 = 1 << 32;
/// What tokens are for: this API.
const AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";

/// What is stored of a token.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    digest: String,
    holder: Holder,
}

/// Whose token it is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Holder {
    Admin,
    Account { namespace: String, name: String, uid: String, expires: i64 },
}

/// A service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A new token.
fn new_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// The key of a digest's record.
fn id_of(digest: &str) -> &str {
    digest.get(..ID_LENGTH).unwrap_or(digest)
}

fn record(digest: &str, holder: Holder) -> String {
    let record = Record { digest: digest.to_owned(), holder };
    serde_json::to_string(&record).unwrap_or_default()
}

/// Who has this token; nobody if it is wrong, over, or of an account that is gone.
pub fn holder(store: &Store, token: &str, now: Timestamp) -> Option<Caller> {
    let digest = digest(token);
    let record: Record = serde_json::from_str(&store.record(TABLE, id_of(&digest))?).ok()?;
    if !bool::from(record.digest.as_bytes().ct_eq(digest.as_bytes())) || !is_alive(store, &record.holder, now) {
        return None;
    }
    Some(match record.holder {
        Holder::Admin => Caller::admin(),
        Holder::Account { namespace, name, .. } => Caller::service_account(&namespace, &name),
    })
}

fn is_alive(store: &Store, holder: &Holder, now: Timestamp) -> bool {
    match holder {
        Holder::Admin => true,
        Holder::Account { namespace, name, uid, expires } => {
            let account = store.get(&Key::new(ACCOUNTS.plural, namespace, name));
            now.as_second() < *expires && account.is_some_and(|account| account.uid == *uid)
        }
    }
}

/// Reads the administrator's token from its file, or makes one; it is then the only one of its kind.
pub async fn admin(store: &Store, path: &Path) -> Result<String> {
    let token = match secret_file::read(path)? {
        Some(text) => text.trim().to_owned(),
        None => {
            let token = new_token();
            secret_file::write(path, &format!("{token}\n"))?;
            token
        }
    };
    if token.len() < TOKEN_MIN || token.contains(char::is_whitespace) {
        let message = format!("the file `{}` holds no token of at least {TOKEN_MIN} characters", path.display());
        return Err(Error::invalid(message).with_hint("remove the file: a new token is made at the next start"));
    }
    let digest = digest(&token);
    let wanted = (id_of(&digest).to_owned(), record(&digest, Holder::Admin));
    let known = store.records(TABLE).into_iter().filter(|(_, value)| is_admin(value));
    let (same, old): (Vec<_>, Vec<_>) = known.partition(|known| *known == wanted);
    if same.is_empty() || !old.is_empty() {
        let act = move |tx: &mut Transaction<'_>| {
            for (id, _) in &old {
                tx.delete_record(TABLE, id);
            }
            tx.put_record(TABLE, &wanted.0, &wanted.1);
            Ok(())
        };
        let saved = store.write(act).await;
        saved
            .map_err(|status| Error::new(ErrorKind::Unavailable, "cannot save the admin token").with_source(*status))?;
    }
    Ok(token)
}

fn is_admin(value: &str) -> bool {
    serde_json::from_str::<Record>(value).is_ok_and(|record| matches!(record.holder, Holder::Admin))
}

/// Makes a token for a service account, as `kubectl create token` asks for; answers the `TokenRequest`.
pub async fn issue(
    store: &Store,
    surroundings: &Arc<dyn Surroundings>,
    caller: &Caller,
    account: Account,
    body: &Value,
) -> Answer<Value> {
    let life = wanted_life(body)?;
    let token = new_token();
    let now = surroundings.now();
    let expires = now.checked_add(SignedDuration::from_secs(life)).unwrap_or(Timestamp::MAX);
    let digest = digest(&token);
    let by = caller.clone();
    let uid = store
        .write(move |tx| {
            let (namespace, name) = (account.namespace, account.name);
            let found = tx.get(&Key::new(ACCOUNTS.plural, &namespace, &name));
            let uid = found.ok_or_else(|| Status::not_found(&ACCOUNTS, &name))?.uid.clone();
            tx.audit(json!({
                "at": show_micros(now), "user": by.user, "groups": by.groups, "verb": "create",
                "resource": ACCOUNTS.plural, "namespace": namespace, "name": name, "uid": uid,
                "subresource": "token", "code": 201, "expires": show_seconds(expires),
            }));
            let told = json!({"name": name, "namespace": namespace, "uid": uid});
            let holder = Holder::Account { namespace, name, uid, expires: expires.as_second() };
            tx.put_record(TABLE, id_of(&digest), &record(&digest, holder));
            Ok(told)
        })
        .await?;
    let mut metadata = uid;
    metadata["creationTimestamp"] = json!(show_seconds(now));
    Ok(json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": metadata,
        "spec": {"audiences": [AUDIENCE], "expirationSeconds": life, "boundObjectRef": null},
        "status": {"token": token, "expirationTimestamp": show_seconds(expires)},
    }))
}

/// Reads how long the token is to live, or refuses the request.
fn wanted_life(body: &Value) -> Answer<i64> {
    let spec = body.get("spec").unwrap_or(&Value::Null);
    let mut problems = Vec::new();
    let given = spec.get("expirationSeconds").filter(|given| !given.is_null());
    let life = given.map_or(Some(LIFE_DEFAULT), Value::as_i64);
    match life {
        Some(life) if life < LIFE_MIN => {
            let detail = "may not specify a duration less than 10 minutes";
            problems.push(Problem::invalid("spec.expirationSeconds", life, detail));
        }
        Some(life) if life > LIFE_MAX => {
            let detail = "may not specify a duration larger than 2^32 seconds";
            problems.push(Problem::invalid("spec.expirationSeconds", life, detail));
        }
        Some(_) => {}
        None => {
            let given = given.cloned().unwrap_or_default();
            problems.push(Problem::invalid("spec.expirationSeconds", given, "must be a whole number of seconds"));
        }
    }
    let audiences = spec.get("audiences").and_then(Value::as_array);
    for (at, audience) in audiences.into_iter().flatten().enumerate().filter(|(_, audience)| *audience != AUDIENCE) {
        let path = format!("spec.audiences[{at}]");
        problems.push(Problem::not_supported(path, audience.as_str().unwrap_or_default(), &[AUDIENCE]));
    }
    if spec.get("boundObjectRef").is_some_and(|bound| !bound.is_null()) {
        problems.push(Problem::forbidden("spec.boundObjectRef", "tokens are bound to their service account only"));
    }
    match life {
        Some(life) if problems.is_empty() => Ok(life),
        _ => Err(Status::invalid("TokenRequest", "authentication.k8s.io", "", &problems)),
    }
}

/// Removes the records of tokens that are over or whose account is gone.
pub async fn sweep(store: &Store, now: Timestamp) -> Answer<usize> {
    let is_dead = |value: &str| match serde_json::from_str::<Record>(value) {
        Ok(record) => !is_alive(store, &record.holder, now),
        Err(_) => true,
    };
    let dead: Vec<String> =
        store.records(TABLE).into_iter().filter(|(_, value)| is_dead(value)).map(|(id, _)| id).collect();
    let count = dead.len();
    if count > 0 {
        store
            .write(move |tx| {
                for id in &dead {
                    tx.delete_record(TABLE, id);
                }
                Ok(())
            })
            .await?;
    }
    Ok(count)
}
