//! `--set`, `--taint`, `--cordon`, `--remove`: changes that stand in no manifest.

use clap::Args;
use dsrules::app::LabelSelector;
use dsrules::app::whatif::{Edit, Edits};
use dsrules::diagnostic::Diagnostic;

/// Edits that stand in no manifest, and what they are about.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What if")]
pub struct WhatIfArgs {
    #[command(flatten)]
    edits: EditArgs,
    /// What the changes are about: only objects with these labels
    #[arg(long, short = 'l', value_name = "LABELS")]
    selector: Option<LabelSelector>,
}

/// Edits that stand in no manifest.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What if")]
pub struct EditArgs {
    /// Plan as if a field had this value: node/a:label.disk=ssd, node/a:label.disk- to take
    /// it away, 'node/gpu-*:metadata.labels.a.io/b=c', daemonset/x:nodeSelector.disk=ssd,
    /// 'daemonset/x:spec.template.spec.containers[0].image=x:2'
    #[arg(long, value_name = "OBJECT:FIELD=VALUE")]
    set: Vec<String>,
    /// Plan as if a node had this taint, as gpu-1=dedicated=gpu:NoSchedule; with a `-` behind,
    /// as if it had not
    #[arg(long, value_name = "NODE=TAINT")]
    taint: Vec<String>,
    /// Plan as if nodes were cordoned: a name, a pattern as 'gpu-*', or nothing with -l
    #[arg(long, value_name = "NODE", num_args = 0..=1, default_missing_value = "")]
    cordon: Vec<String>,
    /// Plan as if nodes were not cordoned
    #[arg(long, value_name = "NODE", num_args = 0..=1, default_missing_value = "")]
    uncordon: Vec<String>,
    /// Plan as if an object were not there, as node/b or daemonset/x
    #[arg(long, value_name = "OBJECT")]
    remove: Vec<String>,
}

impl WhatIfArgs {
    /// Whether nothing of it was typed.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Refuses what is about changes where there are none.
    pub fn check(&self) -> Result<(), Diagnostic> {
        if self.selector.is_some() && self.is_empty() {
            return Err(Diagnostic::error(
                "nothing-selected",
                "`-l` is given without a change that it could choose for",
            )
            .help("it says which objects `--cordon`, `--taint`, `--set` and `--remove` are about"));
        }
        Ok(())
    }

    /// Whether nodes are to be cordoned.
    pub fn cordons(&self) -> bool {
        !self.edits.cordon.is_empty()
    }

    /// As the library takes them.
    pub fn changes(&self, namespace: &str) -> Result<Edits, Vec<Diagnostic>> {
        self.edits.changes(namespace, self.selector.as_ref())
    }
}

impl EditArgs {
    /// Whether nothing of it was typed.
    pub fn is_empty(&self) -> bool {
        [&self.set, &self.taint, &self.cordon, &self.uncordon, &self.remove]
            .iter()
            .all(|list| list.is_empty())
    }

    /// As the library takes them: only for objects with the labels, if some are chosen.
    pub fn changes(&self, namespace: &str, chosen: Option<&LabelSelector>) -> Result<Edits, Vec<Diagnostic>> {
        let edits = self.set.iter().map(|text| Edit::set(text, namespace));
        let edits = edits.chain(self.taint.iter().map(|text| Edit::taint(text)));
        let edits = edits.chain(self.remove.iter().map(|text| Edit::remove(text, namespace)));
        let edits = edits.chain(self.cordon.iter().map(|node| cordoned(node, true, chosen)));
        let edits = edits.chain(self.uncordon.iter().map(|node| cordoned(node, false, chosen)));
        let (good, wrong): (Vec<_>, Vec<_>) = edits.partition(Result::is_ok);
        let wrong: Vec<Diagnostic> = wrong.into_iter().filter_map(Result::err).collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Edits { edits: good.into_iter().flatten().collect(), chosen: chosen.cloned() })
    }
}

/// One node, or without a name all that the labels choose.
fn cordoned(node: &str, cordoned: bool, chosen: Option<&LabelSelector>) -> Result<Edit, Diagnostic> {
    match (node, chosen) {
        ("", None) => Err(Diagnostic::error("bad-what-if", "no node was named to be cordoned or uncordoned")
            .help("write `--cordon NODE`, `--cordon 'gpu-*'`, or choose by labels with `-l`")),
        ("", Some(_)) => Ok(Edit::cordon("*", cordoned)),
        (node, _) => Ok(Edit::cordon(node, cordoned)),
    }
}
