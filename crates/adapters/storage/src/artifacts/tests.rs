//! Fetches from real servers on this machine; a gate of the tests takes its address for a public one.

mod content;
mod hosts;
pub(crate) mod server;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use kobel_model::deployment::{Artifact, ArtifactKind, Scheme, address};

use super::cache::Cache;
use super::gate::Gate;
use super::web::{Headers, Web};
use super::{Artifacts, Limits, S3Settings};
use server::Names;

/// The rules for public hosts, but for the address that the servers of the tests have.
pub(super) fn gate() -> Gate {
    let ip = |ip: IpAddr| if ip == Ipv4Addr::LOCALHOST { None } else { address::of_ip(ip) };
    Gate { host: address::of_host, ip }
}

/// Fetches into `cache` with names that lead where the test says.
fn fetching(cache: &Path, limits: Limits, names: &Names) -> Artifacts {
    Artifacts {
        cache: Cache::new(cache.to_owned()),
        limits,
        s3: S3Settings::default(),
        web: Web::new(gate(), Box::new(names.clone())),
        trusted: Web::new(Gate::open(), Box::new(names.clone())),
        headers: Headers::default(),
    }
}

/// Fetches into `cache`; every name leads to this machine.
fn here(cache: &Path) -> Artifacts {
    fetching(cache, Limits::default(), &Names::leading(&[&["127.0.0.1"]]))
}

fn at_most(bytes_max: u64, time_max: Duration) -> Limits {
    Limits { bytes_max, time_max, allow_private: false }
}

/// The artifact at an address, as the door makes it.
fn artifact(uri: &str) -> Artifact {
    let scheme = Scheme::parse(uri.split(':').next().unwrap()).unwrap();
    Artifact { kind: ArtifactKind::Jar, scheme, uri: uri.to_owned() }
}

/// The files in a directory of the cache, without those that only lock.
fn files(cache: &Path, directory: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(cache.join(directory)).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.extension().is_none_or(|ending| ending != "lock")).collect()
}
