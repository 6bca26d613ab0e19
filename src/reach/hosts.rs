//! Lines for a hosts file: the addresses of what is ready, each with its names.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::records::DOMAIN;
use super::target::Reached;
use crate::kube::Kind;

/// The lines. An address has the name of its node under that of the daemonset or the service,
/// and the name that all of these share.
#[must_use]
pub fn hosts(reached: &[Reached]) -> String {
    let mut text = String::from("# written by dsrules: what is ready\n");
    for it in reached {
        let _ = writeln!(text, "# {}/{}", it.kind.resource(), it.key);
        let all = format!("{}.{}", it.key.name, it.key.namespace);
        let shared = match it.kind {
            Kind::Service => format!("{all}.svc.{DOMAIN} {all}.svc"),
            _ => all.clone(),
        };
        let ready = it.targets.iter().filter(|target| target.ready);
        let lines: BTreeSet<(&str, &str)> = ready
            .flat_map(|target| {
                let first = if target.node.is_empty() { &target.pod.name } else { &target.node };
                target.outside().map(|address| (&**first, &**address))
            })
            .collect();
        for (first, address) in lines {
            let _ = writeln!(text, "{address}\t{first}.{all} {shared}");
        }
    }
    text
}
