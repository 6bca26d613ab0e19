//! What is said of the pods of a tree, each once for a daemonset, however many pods it has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::format::Format;
use crate::diagnostic::{Diagnostic, counted};
use crate::kube::controlling;
use crate::target::standalone::{Finding, Standalone};

/// The findings of daemonsets, or of pods that have none, with the pods that have them.
#[derive(Debug, Default)]
pub(super) struct Told {
    refused: BTreeMap<(String, Finding), Pods>,
    missed: BTreeMap<(String, Finding), Pods>,
}

#[derive(Debug)]
struct Pods {
    first: String,
    count: usize,
}

impl Told {
    /// Takes in what was found of a pod.
    pub(super) fn add(&mut self, pod: &str, owner: &str, node: &str, made: &mut Standalone) {
        let first = format!("`{pod}` on `{node}`");
        for (findings, all) in [(&mut made.refused, &mut self.refused), (&mut made.missed, &mut self.missed)]
        {
            for finding in std::mem::take(findings) {
                let pods = all.entry((owner.to_owned(), finding));
                pods.or_insert_with(|| Pods { first: first.clone(), count: 0 }).count += 1;
            }
        }
    }

    /// Why the tree cannot be written, if it cannot.
    pub(super) fn refusal(&self, format: Format) -> Option<Diagnostic> {
        if self.refused.is_empty() {
            return None;
        }
        let what = counted(self.refused.len(), "field");
        let told = format!("{what} of pods cannot be written into a tree of the format `{}`", format.name());
        let told = self
            .refused
            .iter()
            .fold(Diagnostic::error("tree-refused", told), |told, (key, pods)| told.because(line(key, pods)));
        Some(told.help("nothing was written: change what is named, or take another `--tree-format`"))
    }

    /// What pods have to do without.
    pub(super) fn warnings(&self) -> impl Iterator<Item = Diagnostic> {
        self.missed.iter().map(|((owner, finding), pods)| {
            let told = format!("`{}` of `{owner}` is left out of the tree", finding.field);
            let pods = counted(pods.count, "pod");
            Diagnostic::warning("tree-left-out", told)
                .because(format!("{}; {pods} would have it", finding.why))
                .help(finding.help.clone())
        })
    }
}

fn line((owner, finding): &(String, Finding), pods: &Pods) -> String {
    let Finding { field, why, help } = finding;
    let more = match pods.count {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    format!("`{owner}`: `{field}`: {why}; {help} (pod {}{more})", pods.first)
}

/// Whom what is said of the pod names: its daemonset, else itself.
pub(super) fn owner(pod: &Value) -> String {
    let meta = &pod["metadata"];
    let name = controlling(pod).and_then(|owner| owner["name"].as_str());
    let name = name.or(meta["name"].as_str()).unwrap_or("");
    format!("{}/{name}", meta["namespace"].as_str().unwrap_or("default"))
}
