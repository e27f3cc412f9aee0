//! Holds off peers that try tokens: after too many wrong ones in a short time they wait.
//!
//! Bounded: a fixed number of peers is remembered. Peers of one IPv6 network of 64 bits count as one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How many wrong tokens a peer may give within a window.
const FAILURES_MAX: u32 = 20;
/// How long a window is, and how long a peer waits.
const WINDOW: SignedDuration = SignedDuration::from_secs(10);
/// How many peers are remembered.
const PEERS_MAX: usize = 4096;

/// The wrong tokens of each peer.
#[derive(Debug, Default)]
pub struct Throttle {
    peers: Mutex<HashMap<IpAddr, Failures>>,
}

/// What is remembered of a peer.
#[derive(Debug, Clone, Copy)]
struct Failures {
    since: Timestamp,
    count: u32,
}

impl Failures {
    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.since) >= WINDOW
    }
}

impl Throttle {
    /// Whether the peer must wait now.
    pub fn holds_off(&self, peer: IpAddr, now: Timestamp) -> bool {
        let peers = self.lock();
        peers.get(&network(peer)).is_some_and(|failures| failures.count >= FAILURES_MAX && !failures.is_over(now))
    }

    /// Remembers a wrong token of the peer.
    pub fn failed(&self, peer: IpAddr, now: Timestamp) {
        let mut peers = self.lock();
        if peers.len() >= PEERS_MAX {
            peers.retain(|_, failures| !failures.is_over(now));
        }
        let is_full = peers.len() >= PEERS_MAX;
        match peers.get_mut(&network(peer)) {
            Some(failures) if failures.is_over(now) => *failures = Failures { since: now, count: 1 },
            Some(failures) => {
                failures.count += 1;
                // The wait begins with the last failure that was counted.
                if failures.count == FAILURES_MAX {
                    failures.since = now;
                }
            }
            None if is_full => {}
            None => {
                peers.insert(network(peer), Failures { since: now, count: 1 });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Failures>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address that stands for a peer.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_peer_waits_ten_seconds_after_twenty_wrong_tokens() {
        let (throttle, peer, other) = (Throttle::default(), "10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..19 {
            throttle.failed(peer, at(0));
        }
        assert!(!throttle.holds_off(peer, at(5)));
        throttle.failed(peer, at(5));
        assert!(throttle.holds_off(peer, at(5)));
        assert!(throttle.holds_off(peer, at(14)));
        assert!(!throttle.holds_off(peer, at(15)));
        assert!(!throttle.holds_off(other, at(5)));
    }

    #[test]
    fn slow_failures_are_forgotten() {
        let (throttle, peer) = (Throttle::default(), "10.0.0.1".parse().unwrap());
        for second in 0..100 {
            throttle.failed(peer, at(second));
            assert!(!throttle.holds_off(peer, at(second)), "{second}");
        }
    }

    #[test]
    fn addresses_of_one_network_count_as_one_peer() {
        let throttle = Throttle::default();
        for host in 0..20 {
            throttle.failed(format!("2001:db8::{host:x}").parse().unwrap(), at(0));
        }
        assert!(throttle.holds_off("2001:db8::ffff".parse().unwrap(), at(1)));
        assert!(!throttle.holds_off("2001:db8:0:1::1".parse().unwrap(), at(1)));
    }

    #[test]
    fn the_number_of_remembered_peers_is_bounded() {
        let throttle = Throttle::default();
        for peer in 0..10_000_u32 {
            throttle.failed(IpAddr::V4(peer.into()), at(0));
        }
        assert_eq!(throttle.lock().len(), PEERS_MAX);
        throttle.failed("192.168.0.1".parse().unwrap(), at(20));
        assert_eq!(throttle.lock().len(), 1);
    }
}
