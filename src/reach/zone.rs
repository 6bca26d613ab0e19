//! A zone file (RFC 1035) of services and daemonsets, for a name server without a cluster.
//!
//! A service has the names of Kubernetes' DNS. A daemonset has names of the same form:
//! `agent.ops.daemonset` is all of its nodes with a ready pod, `n1.agent.ops.daemonset` one of
//! them, and `_http._tcp.agent.ops.daemonset` a port by its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::records::{Record, share, srv};
use super::target::{Reached, Target};

/// How long an answer may be kept, in seconds: that of a cluster's DNS.
const TTL: u32 = 5;

/// What a zone says of itself.
#[derive(Debug, Clone)]
pub struct Zone<'a> {
    /// Its name, without a full stop at its end: `cluster.local`.
    pub name: &'a str,
    /// Its number, which grows with every change.
    pub serial: u32,
}

/// The records of a daemonset, in order, each once.
#[must_use]
pub fn of_daemonset(reached: &Reached) -> Vec<Record> {
    let all = format!("{}.{}.daemonset", reached.key.name, reached.key.namespace);
    let ready = || reached.targets.iter().filter(|target| target.ready && target.outside().next().is_some());
    let mut found = BTreeSet::new();
    for target in ready() {
        let own = format!("{}.{all}", target.node);
        for address in target.outside() {
            found.extend([&all, &own].into_iter().filter_map(|name| Record::address(name, address)));
        }
    }
    let mut by_port: BTreeMap<(&str, &str), Vec<&Target>> = BTreeMap::new();
    for target in ready().filter(|target| !target.name.is_empty()) {
        by_port.entry((&target.name, &target.protocol)).or_default().push(target);
    }
    for ((name, protocol), targets) in by_port {
        for target in &targets {
            let Some(port) = target.port.and_then(|port| u16::try_from(port).ok()) else { continue };
            let own = format!("{}.{all}", target.node);
            found.insert(srv(&all, name, protocol, share(targets.len()), port, &own));
        }
    }
    found.into_iter().collect()
}

/// The text of a zone file with some records.
#[must_use]
pub fn zone(records: impl IntoIterator<Item = Record>, zone: &Zone<'_>) -> String {
    let Zone { name, serial } = zone;
    let records: BTreeSet<Record> = records.into_iter().collect();
    let mut text = format!(
        "; written by dsrules: what is ready\n$ORIGIN {name}.\n$TTL {TTL}\n\
         @ IN SOA localhost. hostmaster.{name}. {serial} 7200 1800 86400 {TTL}\n@ IN NS localhost.\n"
    );
    for Record { name, data } in records {
        let _ = writeln!(text, "{name} IN {data}");
    }
    text
}

/// The number of a zone that a text is of.
#[must_use]
pub fn serial_of(text: &str) -> Option<u32> {
    let line = text.lines().find(|line| line.starts_with("@ IN SOA "))?;
    line.split_whitespace().nth(5)?.parse().ok()
}
