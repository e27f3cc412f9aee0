//! The certificates of the webhook, and the steps by which one follows another so that no call is lost.
//!
//! ```text
//! announce            serve                          forget
//! the next authority  the next certificate is        the authority before
//! is trusted too ───▶ served, once everybody was ───▶ is trusted no more
//!                     seen to trust it for a while
//! ```
//! Each step follows from what is kept, from what was seen, and from the time; so replicas that keep the same agree. An
//! authority gives one certificate, and its own key is kept nowhere.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use kobel_model::{Error, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// The name of an authority, before the time of its making.
const AUTHORITY_NAME: &str = "kobel webhook authority";
/// The name of the server.
const SERVER_NAME: &str = "kobel webhook";

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long a certificate is good for; it is followed by the next when two thirds of that have gone.
    pub lifetime: SignedDuration,
    /// How long API servers may take to notice that a configuration has changed.
    pub grace: SignedDuration,
    /// How long an authority is trusted after its certificate was served last, which is longer than any replica may
    /// take to notice the next.
    pub overlap: SignedDuration,
    /// How often it is looked whether everything is as it should be.
    pub look: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lifetime: SignedDuration::from_hours(90 * 24),
            grace: SignedDuration::from_secs(30),
            overlap: SignedDuration::from_hours(1),
            look: Duration::from_secs(30),
        }
    }
}

/// A certificate with its key, and the authority that gave it; all as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// The authority's certificate.
    pub authority: String,
    /// The server's certificate.
    pub certificate: String,
    /// The server's private key.
    pub key: String,
    /// What the server is called.
    pub names: Vec<String>,
    /// When it was made.
    pub from: Timestamp,
    /// When the certificate ends.
    pub until: Timestamp,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair")
            .field("names", &self.names)
            .field("from", &self.from)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Pair {
    /// Makes an authority, and has it give a certificate for these names.
    ///
    /// # Errors
    /// Fails if a name can be none of a server.
    pub fn issue(names: &[String], now: Timestamp, lifetime: SignedDuration) -> Result<Self> {
        let from = day(now);
        // The day after, so that a clock that is behind costs nothing.
        let until = day(now.checked_add(lifetime).map_err(uncounted)?).tomorrow().map_err(uncounted)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(&format!("{AUTHORITY_NAME} {now}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
        let params = lasting(params, from, until);
        let authority_key = KeyPair::generate().map_err(unmade)?;
        let authority = params.self_signed(&authority_key).map_err(unmade)?.pem();
        let issuer = Issuer::new(params, authority_key);
        let mut params = CertificateParams::new(names.to_vec()).map_err(unmade)?;
        params.distinguished_name = named(SERVER_NAME);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().map_err(unmade)?;
        let certificate = lasting(params, from, until).signed_by(&key, &issuer).map_err(unmade)?.pem();
        let until = until.to_zoned(TimeZone::UTC).map_err(uncounted)?.timestamp();
        Ok(Self { authority, certificate, key: key.serialize_pem(), names: names.to_vec(), from: now, until })
    }

    /// Whether another has to follow: it has less than a third of its time left, or other names are wanted.
    fn is_due(&self, names: &[String], now: Timestamp) -> bool {
        let most = self.until.duration_since(self.from) / 3 * 2;
        self.names != names || now.duration_since(self.from) >= most
    }
}

/// An authority whose certificate is served no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// Its certificate.
    pub authority: String,
    /// When it is forgotten.
    pub until: Timestamp,
}

/// What is kept: what is served, what will be, and what was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What is served.
    pub current: Pair,
    /// What will be served, once it is trusted everywhere.
    pub next: Option<Pair>,
    /// What was served before, and may still be by a replica that has not noticed.
    pub former: Option<Former>,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Stay,
    /// Another certificate is made, whose authority is to be trusted from now on.
    Announce,
    /// The other certificate is served.
    Serve,
    /// The authority before is trusted no more.
    Forget,
}

impl Kept {
    /// What is kept at first. It is served at once: nobody trusts anything yet.
    ///
    /// # Errors
    /// Fails if a name can be none of a server.
    pub fn first(names: &[String], now: Timestamp, pace: &Pace) -> Result<Self> {
        Ok(Self { current: Pair::issue(names, now, pace.lifetime)?, next: None, former: None })
    }

    /// The certificates of all authorities that are to be trusted, the oldest first; serving the next changes nothing
    /// of it.
    pub fn bundle(&self) -> String {
        let former = self.former.iter().map(|former| &former.authority);
        let pairs = std::iter::once(&self.current).chain(&self.next).map(|pair| &pair.authority);
        former.chain(pairs).map(|authority| format!("{}\n", authority.trim_end())).collect()
    }

    /// What is to be done. `trusted` is since when every configuration was seen to hold the whole bundle, without a
    /// break.
    pub fn step(&self, names: &[String], trusted: Option<Timestamp>, now: Timestamp, pace: &Pace) -> Step {
        if self.former.as_ref().is_some_and(|former| now >= former.until) {
            return Step::Forget;
        }
        let Some(next) = &self.next else {
            return if self.current.is_due(names, now) { Step::Announce } else { Step::Stay };
        };
        if next.is_due(names, now) {
            return Step::Announce;
        }
        let is_noticed = trusted.is_some_and(|since| now.duration_since(since) >= pace.grace);
        // Nobody takes a certificate that has ended, so there is nothing to lose.
        if is_noticed || now >= self.current.until { Step::Serve } else { Step::Stay }
    }

    /// What is kept after a step; none if it changes nothing.
    ///
    /// # Errors
    /// Fails if a name can be none of a server.
    pub fn after(&self, step: Step, names: &[String], now: Timestamp, pace: &Pace) -> Result<Option<Self>> {
        let mut kept = self.clone();
        match (step, kept.next.take()) {
            (Step::Announce, _) => kept.next = Some(Pair::issue(names, now, pace.lifetime)?),
            (Step::Serve, Some(next)) => {
                let until = now.checked_add(pace.overlap).map_err(uncounted)?;
                let current = std::mem::replace(&mut kept.current, next);
                kept.former = Some(Former { authority: current.authority, until });
            }
            (Step::Forget, next) => {
                kept.next = next;
                kept.former = None;
            }
            (Step::Stay, _) | (Step::Serve, None) => return Ok(None),
        }
        Ok(Some(kept))
    }
}

fn day(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

/// Gives a certificate its time, from the day before: clocks of clients may be behind.
fn lasting(mut params: CertificateParams, from: Date, until: Date) -> CertificateParams {
    let day = |date: Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(i32::from(date.year()), month, day)
    };
    params.not_before = day(from.yesterday().unwrap_or(from));
    params.not_after = day(until);
    params
}

fn unmade(error: rcgen::Error) -> Error {
    Error::bug("cannot make a certificate of the webhook").with_source(error)
}

fn uncounted(error: jiff::Error) -> Error {
    Error::bug("cannot count the time of a certificate of the webhook").with_source(error)
}
