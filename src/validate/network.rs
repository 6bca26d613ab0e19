//! Names and addresses: DNS, host aliases, ports of the host, address ranges.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::errors::Errors;
use super::leniency::Leniency;
use super::path::Cursor;
use super::text;

/// A pod on the host's network has the host's ports.
pub(super) fn host_ports(spec: &Cursor<'_, '_>, lenient: &Leniency, errors: &mut Errors) {
    if !spec.field("hostNetwork").truth() {
        return;
    }
    for container in spec.field("containers").items() {
        for port in container.field("ports").items() {
            let host = port.field("hostPort");
            let number = host.int().unwrap_or(0);
            if (lenient.is_pod || number != 0) && number != port.field("containerPort").int().unwrap_or(0) {
                errors.invalid(&host, "must be the same as `containerPort` while `hostNetwork` is true");
            }
        }
    }
}

/// Name servers and search domains of a pod.
pub(super) fn dns_config(at: &Cursor<'_, '_>, policy: &str, errors: &mut Errors) {
    const SERVERS: usize = 3;
    const SEARCHES: usize = 32;
    const SEARCH_BYTES: usize = 2048;
    let servers = at.field("nameservers");
    if policy == "None" {
        if !at.is_set() {
            errors.required(at, "must be given where `dnsPolicy` is `None`");
            return;
        }
        if servers.is_empty() {
            errors.required(&servers, "needs at least one server where `dnsPolicy` is `None`");
            return;
        }
    }
    if servers.len() > SERVERS {
        errors.invalid(&servers, "can have 3 servers at most");
    }
    for server in servers.items() {
        address(&server, errors);
    }
    let searches = at.field("searches");
    if searches.len() > SEARCHES {
        errors.invalid(&searches, "can have 32 domains at most");
    }
    let bytes: usize = searches.items().map(|one| one.text().len() + 1).sum();
    if bytes.saturating_sub(1) > SEARCH_BYTES {
        errors.invalid(&searches, "can have 2048 characters at most");
    }
    for search in searches.items() {
        let domain = search.text().strip_suffix('.').unwrap_or(search.text());
        errors.invalid_each(&search, &text::dns_subdomain(domain));
    }
    for option in at.field("options").items() {
        if option.field("name").text().is_empty() {
            errors.required(&option, "an option must have a name");
        }
    }
}

/// Lines for a pod's hosts file.
pub(super) fn host_aliases(at: &Cursor<'_, '_>, errors: &mut Errors) {
    for alias in at.items() {
        address(&alias.field("ip"), errors);
        for name in alias.field("hostnames").items() {
            errors.invalid_each(&name, &text::dns_subdomain(name.text()));
        }
    }
}

fn address(at: &Cursor<'_, '_>, errors: &mut Errors) {
    if Family::of_address(at.text()).is_none() {
        errors.invalid(at, "must be an IP address, like `10.9.8.7` or `2001:db8::ffff`");
    }
}

/// Which kind of address something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4.
    Four,
    /// IPv6.
    Six,
}

impl Family {
    /// The family of an address; leading zeros are tolerated, as by Kubernetes.
    pub(super) fn of_address(text: &str) -> Option<Family> {
        if text.contains(':') {
            return text.parse::<Ipv6Addr>().ok().map(|_| Family::Six);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let plain: Vec<String> = parts
            .iter()
            .map(|part| {
                let short = part.trim_start_matches('0');
                if short.is_empty() && !part.is_empty() { "0".to_owned() } else { short.to_owned() }
            })
            .collect();
        plain.join(".").parse::<Ipv4Addr>().ok().map(|_| Family::Four)
    }

    /// The family of a range like `10.0.0.0/8`.
    pub(super) fn of_range(text: &str) -> Option<Family> {
        let (address, bits) = text.split_once('/')?;
        let family = Family::of_address(address)?;
        let most = if family == Family::Four { 32 } else { 128 };
        let digits = !bits.is_empty() && bits.len() <= 4 && bits.bytes().all(|b| b.is_ascii_digit());
        (digits && bits.parse::<u16>().ok()? <= most).then_some(family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ranges_are_told_apart() {
        assert_eq!(Family::of_address("010.0.0.1"), Some(Family::Four));
        assert_eq!(Family::of_address("::1"), Some(Family::Six));
        for wrong in ["", "1.2.3", "1.2.3.4.5", "256.0.0.1", "a", "fe80::1%eth0", "1.2.3.4/8", "1..2.3"] {
            assert_eq!(Family::of_address(wrong), None, "{wrong}");
        }
        assert_eq!(Family::of_range("10.0.0.0/8"), Some(Family::Four));
        for wrong in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "2001:db8::/129"] {
            assert_eq!(Family::of_range(wrong), None, "{wrong}");
        }
    }
}
