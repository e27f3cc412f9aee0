//! Certificates: an authority of our own, and the certificate that it gives to the server.
//!
//! # Invariants
//! Keys are readable by their owner only. The authority stays the same until it ends, so that kubeconfigs stay good;
//! the server's certificate is made anew when it ends soon or does not name the address.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use kobel_model::{Error, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use crate::auth::secret_file;

/// How many days before its end a certificate is made anew.
const RENEWAL_DAYS: i32 = 30;
/// How many years the authority lasts.
const AUTHORITY_YEARS: i64 = 10;
/// How many years the server's certificate lasts.
const SERVER_YEARS: i64 = 1;
/// The name of the authority.
const AUTHORITY_NAME: &str = "kobel local authority";
/// The name of the server.
const SERVER_NAME: &str = "kobel";

/// What TLS needs, as PEM.
#[derive(Clone)]
pub struct Material {
    /// The authority's certificate, which clients trust.
    pub authority: String,
    /// The server's certificate.
    pub certificate: String,
    /// The server's private key.
    pub key: String,
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Material").finish_non_exhaustive()
    }
}

/// Reads certificate and keys from a directory, and makes what is missing, ends soon, or does not name `address`.
///
/// # Errors
/// Fails if the directory cannot be read or written.
pub fn ensure(directory: &Path, address: IpAddr, now: Timestamp) -> Result<Material> {
    let failed = |error: io::Error| unkept(directory, error);
    fs::create_dir_all(directory).map_err(failed)?;
    let today = now.to_zoned(TimeZone::UTC).date();
    let names = names(address);
    let authority_facts = |until: Date| format!("{until}\n");
    let server_facts = |until: Date| format!("{until}\n{}\n", names.join(","));
    let authority = read(directory, "ca", today, &authority_facts).map_err(failed)?;
    let kept_server = if authority.is_some() { read(directory, "server", today, &server_facts) } else { Ok(None) };
    let (authority, authority_key) = match authority {
        Some(kept) => kept,
        None => {
            let until = after(today, AUTHORITY_YEARS)?;
            let made = make_authority(today, until)?;
            write(directory, "ca", &made, &authority_facts(until))?;
            made
        }
    };
    let (certificate, key) = match kept_server.map_err(failed)? {
        Some(kept) => kept,
        None => {
            let until = after(today, SERVER_YEARS)?;
            let made = make_server(&authority_key, &names, today, until)?;
            write(directory, "server", &made, &server_facts(until))?;
            made
        }
    };
    Ok(Material { authority, certificate, key })
}

/// What clients may call the server.
fn names(address: IpAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let own = address.to_string();
    if !address.is_unspecified() && !names.contains(&own) {
        names.push(own);
    }
    names
}

fn after(today: Date, years: i64) -> Result<Date> {
    today
        .checked_add(years.years())
        .map_err(|error| Error::bug("cannot count years of a certificate").with_source(error))
}

/// The first day a certificate holds: clocks of clients may be behind.
fn begin(today: Date) -> Date {
    today.yesterday().unwrap_or(today)
}

/// Reads certificate and key, unless they are missing, end soon, or their facts are not those that are wanted.
fn read(
    directory: &Path,
    what: &str,
    today: Date,
    facts: &dyn Fn(Date) -> String,
) -> io::Result<Option<(String, String)>> {
    let part = |suffix: &str| match fs::read_to_string(directory.join(format!("{what}.{suffix}"))) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let (Some(kept), Some(certificate), Some(key)) = (part("facts")?, part("crt")?, part("key")?) else {
        return Ok(None);
    };
    let until: Option<Date> = kept.lines().next().and_then(|line| line.parse().ok());
    let is_good = until.is_some_and(|until| {
        let is_long = today.checked_add(RENEWAL_DAYS.days()).is_ok_and(|soon| soon <= until);
        is_long && kept == facts(until)
    });
    Ok((is_good && KeyPair::from_pem(&key).is_ok()).then_some((certificate, key)))
}

/// Writes certificate and key; the facts come last, so that what is half written is not taken for good.
fn write(directory: &Path, what: &str, made: &(String, String), facts: &str) -> Result<()> {
    let path = |suffix: &str| directory.join(format!("{what}.{suffix}"));
    match fs::remove_file(path("facts")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unkept(directory, error)),
        _ => {}
    }
    secret_file::write(&path("key"), &made.1)?;
    secret_file::write(&path("crt"), &made.0)?;
    secret_file::write(&path("facts"), facts)
}

fn unkept(directory: &Path, error: io::Error) -> Error {
    Error::io(format!("cannot keep certificates in `{}`", directory.display()), error)
}

fn unmade(error: rcgen::Error) -> Error {
    Error::bug("cannot make a certificate").with_source(error)
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params
}

/// Gives a certificate its time.
fn lasting(mut params: CertificateParams, from: Date, until: Date) -> CertificateParams {
    let day = |date: Date| {
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(i32::from(date.year()), month, day)
    };
    params.not_before = day(begin(from));
    params.not_after = day(until);
    params
}

fn make_authority(from: Date, until: Date) -> Result<(String, String)> {
    let key = KeyPair::generate().map_err(unmade)?;
    let certificate = lasting(authority_params(), from, until).self_signed(&key).map_err(unmade)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn make_server(authority_key: &str, names: &[String], from: Date, until: Date) -> Result<(String, String)> {
    let issuer = Issuer::new(authority_params(), KeyPair::from_pem(authority_key).map_err(unmade)?);
    let key = KeyPair::generate().map_err(unmade)?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(unmade)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = lasting(params, from, until).signed_by(&key, &issuer).map_err(unmade)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn certificates_are_kept_until_they_end_soon() {
        let directory = tempfile::tempdir().unwrap();
        let first = ensure(directory.path(), LOOPBACK, at("2026-01-01T00:00:00Z")).unwrap();
        let again = ensure(directory.path(), LOOPBACK, at("2026-11-01T00:00:00Z")).unwrap();
        assert_eq!(first.certificate, again.certificate);
        let renewed = ensure(directory.path(), LOOPBACK, at("2026-12-15T00:00:00Z")).unwrap();
        assert_ne!(first.certificate, renewed.certificate);
        assert_eq!(first.authority, renewed.authority, "clients still trust the server");
        let much_later = ensure(directory.path(), LOOPBACK, at("2035-12-20T00:00:00Z")).unwrap();
        assert_ne!(first.authority, much_later.authority);
    }

    #[test]
    fn another_address_gets_another_certificate_of_the_same_authority() {
        let directory = tempfile::tempdir().unwrap();
        let now = at("2026-01-01T00:00:00Z");
        let first = ensure(directory.path(), LOOPBACK, now).unwrap();
        let other = ensure(directory.path(), "10.0.0.7".parse().unwrap(), now).unwrap();
        assert_ne!(first.certificate, other.certificate);
        assert_eq!(first.authority, other.authority);
    }

    #[cfg(unix)]
    #[test]
    fn keys_are_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        ensure(directory.path(), LOOPBACK, at("2026-01-01T00:00:00Z")).unwrap();
        for name in ["ca.key", "server.key"] {
            let mode = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
