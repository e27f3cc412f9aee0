//! Choosing ports. Nobody listens on a chosen port yet, so it is remembered for as long as a start may take.

use std::collections::{BTreeSet, HashMap};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kobel_manifest::place::{Ports, Standbys};
use kobel_model::{Error, ErrorKind, Result};

/// Below the ports that the kernel gives to outgoing connections, which could take one before the application does.
const RANGE: Range<u16> = 20_000..32_000;
/// How long a port is kept for whom it was chosen.
const KEPT: Duration = Duration::from_secs(600);
/// How many ports are tried before it is given up.
const TRIES: usize = 2_000;

/// The most job managers that stand by: more do not make one machine safer.
const STANDBYS_MAX: u32 = 15;

/// The ports that were chosen of late.
#[derive(Debug, Default)]
pub struct PortBook {
    chosen: Mutex<HashMap<u16, Instant>>,
}

impl PortBook {
    /// Chooses ports that are free, that are not among `recorded`, and that nobody else was given of late.
    pub fn choose(&self, recorded: &BTreeSet<u16>) -> Result<Ports> {
        let draw = || self.draw(recorded);
        Ok(Ports { rest: draw()?, rpc: draw()?, blob: draw()? })
    }

    /// Chooses as [`PortBook::choose`] does, for as many job managers that stand by; none needs none.
    pub fn choose_standbys(&self, count: u32, recorded: &BTreeSet<u16>) -> Result<Standbys> {
        if count == 0 {
            return Ok(Standbys::default());
        }
        can_stand_by(count)?;
        let job_managers = (0..count).map(|_| self.choose(recorded)).collect::<Result<Vec<_>>>()?;
        Ok(Standbys { job_managers, zookeeper: self.draw(recorded)? })
    }

    fn draw(&self, recorded: &BTreeSet<u16>) -> Result<u16> {
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        chosen.retain(|_, since| since.elapsed() < KEPT);
        let mut drawn = (0..TRIES).map(|_| rand::random_range(RANGE));
        let port = drawn.find(|port| !recorded.contains(port) && !chosen.contains_key(port) && is_free(*port));
        let port = port.ok_or_else(|| {
            let message = format!("no port from {} to {} is free", RANGE.start, RANGE.end - 1);
            Error::new(ErrorKind::Unavailable, message)
        })?;
        chosen.insert(port, Instant::now());
        Ok(port)
    }
}

/// Refuses more job managers that stand by than one application may have.
pub fn can_stand_by(count: u32) -> Result<()> {
    if count <= STANDBYS_MAX {
        return Ok(());
    }
    let hint = format!("set `spec.jobManager.replicas` to {} or less", STANDBYS_MAX + 1);
    Err(Error::invalid(format!("{count} job managers cannot stand by on one machine")).with_hint(hint))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_given_once() {
        let book = PortBook::default();
        let recorded = BTreeSet::new();
        let mut seen = BTreeSet::new();
        for count in 0..50 {
            let ports = book.choose(&recorded).expect("free ports");
            let standbys = book.choose_standbys(count % 3, &recorded).expect("free ports");
            assert_eq!(standbys.all().len(), [0, 4, 7][count as usize % 3], "for {count}");
            for port in ports.all().into_iter().chain(standbys.all()) {
                assert!(RANGE.contains(&port) && seen.insert(port), "{port}");
            }
        }
    }

    #[test]
    fn one_application_cannot_use_up_the_ports_of_all() {
        let book = PortBook::default();
        assert_eq!(book.choose_standbys(15, &BTreeSet::new()).expect("free ports").job_managers.len(), 15);
        let error = book.choose_standbys(16, &BTreeSet::new()).expect_err("too many");
        assert_eq!(
            (error.kind(), error.hint()),
            (ErrorKind::Invalid, Some("set `spec.jobManager.replicas` to 16 or less"))
        );
    }

    #[test]
    fn recorded_ports_are_not_given() {
        let recorded: BTreeSet<u16> = RANGE.collect();
        let error = PortBook::default().choose(&recorded).map(|ports| ports.rest).expect_err("none is left");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn a_port_on_which_somebody_listens_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        assert!(!is_free(listener.local_addr().expect("an address").port()));
    }
}
