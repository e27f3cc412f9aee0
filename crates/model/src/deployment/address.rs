//! Which hosts nobody may be sent to by a manifest: this machine, its neighbours, and what hands out credentials.
//!
//! The rules read literals in every spelling that a resolver understands and well-known names. A name that is not
//! known here says nothing about where it leads: whoever connects resolves it once, puts every address through
//! [`of_ip`], and connects to an address that passed.
//!
//! # Source
//! IANA special-purpose address registries (RFC 6890); POSIX `inet_aton` (one to four parts, decimal, octal, hex).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names that lead to a service which hands out credentials.
const METADATA_NAMES: [&str; 4] = ["metadata", "metadata.goog", "instance-data", "metadata.tencentyun.com"];

/// Says why `host` is out of bounds, as `a loopback address`; `None` if nothing is known against it.
///
/// The host stands without port; an IPv6 address may stand in brackets.
pub fn of_host(host: &str) -> Option<&'static str> {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.map_or(Some("no valid IPv6 address"), |address| of_ip(IpAddr::V6(address)));
    }
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return of_ip(IpAddr::V6(address));
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !is_plain || name.split('.').any(str::is_empty) {
        return Some("no valid host name");
    }
    if name.rsplit('.').next().is_some_and(is_number) {
        return any_spelling(&name).map_or(Some("no valid IPv4 address"), |address| of_ip(IpAddr::V4(address)));
    }
    of_name(&name)
}

/// Says why an address is out of bounds; `None` if it is a public one.
pub fn of_ip(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_name(name: &str) -> Option<&'static str> {
    if name == "localhost" || name.ends_with(".localhost") || name == "localhost.localdomain" {
        return Some("a name of this machine");
    }
    let is_internal = name == "internal" || name.ends_with(".internal");
    (is_internal || METADATA_NAMES.contains(&name)).then_some("a name of a metadata service or of a private network")
}

fn of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    Some(match (a, b, c) {
        (0, _, _) => "an unspecified address",
        (127, _, _) => "a loopback address",
        (169, 254, _) => "a link-local address",
        (10, _, _) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (100, 64..=127, _) => "a shared address of a carrier",
        (192, 0, 0) | (198, 18..=19, _) => "a reserved address",
        (224..=239, _, _) => "a multicast address",
        (240..=255, _, _) => "a reserved address",
        _ => return None,
    })
}

fn of_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unspecified() {
        return Some("an unspecified address");
    }
    if address.is_loopback() {
        return Some("a loopback address");
    }
    let [first, ..] = address.segments();
    match first {
        0xfc00..=0xfdff => return Some("a unique local address"),
        0xfe80..=0xfebf => return Some("a link-local address"),
        0xfec0..=0xfeff => return Some("a private address"),
        0xff00..=0xffff => return Some("a multicast address"),
        _ => {}
    }
    embedded(address).and_then(of_v4)
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64 (both prefixes) or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [_, _, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => Some(v4(g, h)),
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(v4(g, h)),
        [0x64, 0xff9b, 1, ..] => Some(v4(g, h)),
        [0x2002, high, ..] => Some(v4(high, c)),
        // Teredo carries the address of its client inverted, that of its server plainly.
        [0x2001, 0, ..] if of_v4(v4(c, d)).is_some() => Some(v4(c, d)),
        [0x2001, 0, ..] => Some(v4(!g, !h)),
        _ if e == 0 && f == 0x5efe => Some(v4(g, h)),
        _ => None,
    }
}

/// Whether a resolver takes the last part of a name for a number, and so the whole for an IPv4 address.
fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x");
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Reads an IPv4 address as `inet_aton` does: `127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`.
fn any_spelling(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = text.split('.').map(part).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    let width = u32::try_from(4_usize.checked_sub(leading.len())?).ok()?;
    if width == 0 || *last >= 1 << (8 * width) {
        return None;
    }
    let mut bits = 0_u64;
    for part in leading {
        if *part > 255 {
            return None;
        }
        bits = (bits << 8) | part;
    }
    u32::try_from((bits << (8 * width)) | last).ok().map(Ipv4Addr::from)
}

/// Reads one part: hexadecimal, octal or decimal.
fn part(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some("") => return Some(0),
        Some(hex) => (hex, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let value = u64::from_str_radix(digits, radix).ok()?;
    u32::try_from(value).is_ok().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_out_of_bounds_are_known_in_every_spelling() {
        for (host, reason) in [
            ("127.0.0.1", "a loopback address"),
            ("127.1", "a loopback address"),
            ("2130706433", "a loopback address"),
            ("0x7f000001", "a loopback address"),
            ("0177.0.0.1", "a loopback address"),
            ("0x7f.1", "a loopback address"),
            ("127.0.0.1.", "a loopback address"),
            ("[::1]", "a loopback address"),
            ("[::ffff:127.0.0.1]", "a loopback address"),
            ("169.254.169.254", "a link-local address"),
            ("[::ffff:169.254.169.254]", "a link-local address"),
            ("[::ffff:a9fe:a9fe]", "a link-local address"),
            ("[64:ff9b::a9fe:a9fe]", "a link-local address"),
            ("[2002:a9fe:a9fe::1]", "a link-local address"),
            ("[fe80::1]", "a link-local address"),
            ("[fd00:ec2::254]", "a unique local address"),
            ("fd00:ec2::254", "a unique local address"),
            ("[fec0::1]", "a private address"),
            ("[ff02::1]", "a multicast address"),
            ("[::]", "an unspecified address"),
            ("0.0.0.0", "an unspecified address"),
            ("0", "an unspecified address"),
            ("10.1.2.3", "a private address"),
            ("172.16.0.1", "a private address"),
            ("172.31.255.255", "a private address"),
            ("192.168.1.1", "a private address"),
            ("100.64.0.1", "a shared address of a carrier"),
            ("198.18.0.1", "a reserved address"),
            ("224.0.0.1", "a multicast address"),
            ("255.255.255.255", "a reserved address"),
            ("localhost", "a name of this machine"),
            ("LocalHost.", "a name of this machine"),
            ("a.localhost", "a name of this machine"),
            ("metadata.google.internal", "a name of a metadata service or of a private network"),
            ("instance-data.ec2.internal", "a name of a metadata service or of a private network"),
            ("metadata", "a name of a metadata service or of a private network"),
            ("[fe80::1%25eth0]", "no valid IPv6 address"),
            ("[127.0.0.1]", "no valid IPv6 address"),
            ("1.2.3.4.5", "no valid IPv4 address"),
            ("256.1.1.1", "no valid IPv4 address"),
            ("1.2.3.256", "no valid IPv4 address"),
            ("08.1.1.1", "no valid IPv4 address"),
            ("4294967296", "no valid IPv4 address"),
            ("１２７.0.0.1", "no valid host name"),
            ("a..b", "no valid host name"),
            ("", "no valid host name"),
            ("a%2e", "no valid host name"),
        ] {
            assert_eq!(of_host(host), Some(reason), "for `{host}`");
        }
    }

    #[test]
    fn public_hosts_pass() {
        for host in [
            "repo1.maven.org",
            "example.com.",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "[2606:4700::1111]",
            "[2002:808:808::1]",
            "internal.example.com",
            "my_bucket.s3.amazonaws.com",
        ] {
            assert_eq!(of_host(host), None, "for `{host}`");
        }
    }
}
