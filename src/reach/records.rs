//! What a cluster's DNS answers for a service: names, addresses, ports.
//!
//! The records of Kubernetes' DNS specification 1.1.0, as CoreDNS' plugin `kubernetes` gives
//! them. A service with an address has that one. A headless one has the addresses of its ready
//! endpoints, and a name for each of them: its hostname, or its address with dashes. A named
//! port is a SRV record, `_http._tcp.web.shop.svc.cluster.local`. An ExternalName is an alias.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::endpoints::{Endpoint, Endpoints};
use super::slices::is_headless;
use crate::kube::{Plain, list};

/// The domain of a cluster, where nobody says another.
pub const DOMAIN: &str = "cluster.local";

/// A record of a zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The name, without the zone: `web.shop.svc`.
    pub name: String,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    /// An address.
    A(Ipv4Addr),
    /// An address.
    Aaaa(Ipv6Addr),
    /// Another name, outside of the zone.
    Cname(String),
    /// Priority 0, weight, port, and the name of the target within the zone.
    Srv(u16, u16, String),
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::A(address) => write!(f, "A {address}"),
            Data::Aaaa(address) => write!(f, "AAAA {address}"),
            Data::Cname(name) => write!(f, "CNAME {name}."),
            Data::Srv(weight, port, target) => write!(f, "SRV 0 {weight} {port} {target}"),
        }
    }
}

impl Record {
    /// The record of an address; `None` where it is none.
    #[must_use]
    pub fn address(name: &str, address: &str) -> Option<Record> {
        let data = match address.parse().ok()? {
            std::net::IpAddr::V4(address) => Data::A(address),
            std::net::IpAddr::V6(address) => Data::Aaaa(address),
        };
        Some(Record { name: name.to_owned(), data })
    }
}

/// The records of a service with its endpoints, in order, each once.
#[must_use]
pub fn records(service: &Plain, endpoints: &Endpoints) -> Vec<Record> {
    let (key, spec) = (&service.meta.key, &service.value["spec"]);
    let name = format!("{}.{}.svc", key.name, key.namespace);
    let mut found = if spec["type"] == "ExternalName" {
        let target = spec["externalName"].as_str().unwrap_or("").trim_end_matches('.');
        vec![Record { name, data: Data::Cname(target.to_owned()) }]
    } else if is_headless(service) {
        of_pods(&name, &endpoints.pods)
    } else {
        of_address(&name, service)
    };
    found.sort();
    found.dedup();
    found
}

/// A service that has addresses of its own.
fn of_address(name: &str, service: &Plain) -> Vec<Record> {
    let spec = &service.value["spec"];
    let mut addresses: Vec<&str> = list(spec, "clusterIPs").filter_map(|it| it.as_str()).collect();
    if addresses.is_empty() {
        addresses.extend(spec["clusterIP"].as_str());
    }
    let mut found: Vec<Record> = addresses.iter().filter_map(|it| Record::address(name, it)).collect();
    if found.is_empty() {
        return found;
    }
    for port in list(spec, "ports") {
        let number = port["port"].as_i64().and_then(|port| u16::try_from(port).ok());
        let protocol = port["protocol"].as_str().unwrap_or("TCP");
        let named = port["name"].as_str().filter(|port| !port.is_empty()).zip(number);
        found.extend(named.map(|(port, number)| srv(name, port, protocol, 100, number, name)));
    }
    found
}

/// A service whose name means its pods: those that are ready.
fn of_pods(name: &str, pods: &[Endpoint]) -> Vec<Record> {
    let mut found = Vec::new();
    let ready: Vec<&Endpoint> = pods.iter().filter(|pod| pod.ready).collect();
    let targets: usize = ready.iter().map(|pod| pod.addresses.len()).sum();
    for pod in ready {
        for (address, _) in &pod.addresses {
            let first = pod.hostname.as_deref().map_or_else(|| dashed(address), str::to_owned);
            let target = format!("{first}.{name}");
            found.extend([name, &target].into_iter().filter_map(|name| Record::address(name, address)));
            for port in pod.ports.iter().filter(|port| !port.name.is_empty()) {
                let number = u16::try_from(port.port).unwrap_or(0);
                found.push(srv(name, &port.name, &port.protocol, share(targets), number, &target));
            }
        }
    }
    found
}

/// The record of a named port.
pub(super) fn srv(name: &str, port: &str, protocol: &str, weight: u16, number: u16, target: &str) -> Record {
    let name = format!("_{port}._{}.{name}", protocol.to_lowercase());
    Record { name, data: Data::Srv(weight, number, target.to_owned()) }
}

/// The weight of one of so many targets.
pub(super) fn share(targets: usize) -> u16 {
    u16::try_from(100 / targets.max(1)).unwrap_or(1).max(1)
}

/// An address as a label: `10-1-0-1`, `fd00--1`.
fn dashed(address: &str) -> String {
    let dashed = address.replace(['.', ':'], "-");
    // A label neither begins nor ends with a dash.
    let start = if dashed.starts_with('-') { "0" } else { "" };
    let end = if dashed.ends_with('-') { "0" } else { "" };
    format!("{start}{dashed}{end}")
}
