//! How a plan differs from the one without some changes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

use super::data::API_VERSION;
use super::{FileLine, Paint, Table, plan_document};
use crate::app::Outcome;
use crate::app::whatif::Difference;

/// A plan and the difference, as one document.
pub fn what_if_document(
    outcome: &Outcome,
    tree: Option<Vec<FileLine>>,
    differences: &[Difference],
) -> impl Serialize {
    json!({
        "apiVersion": API_VERSION,
        "kind": "WhatIf",
        "difference": differences,
        "plan": serde_json::to_value(plan_document(&outcome.plan, &outcome.judged, &outcome.said, tree)).unwrap_or_default(),
    })
}

/// Writes the difference for a person.
///
/// # Errors
/// Where writing fails.
pub fn differences(differences: &[Difference], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if differences.is_empty() {
        return writeln!(out, "\n{}", paint.strong("What the changes come to: no pod more, none less."));
    }
    writeln!(out, "\n{}", paint.strong("What the changes come to"))?;
    let mut table = Table::new([""; 0]);
    for it in differences {
        let (sign, lead) = if it.gained { ("+", "without them it") } else { ("-", "it") };
        let because = it.because.join(", and ");
        let because = if because.is_empty() { String::new() } else { format!("{lead} {because}") };
        table.row([format!("{sign} {}", it.daemonset), it.node.clone(), because]);
    }
    table.write(out, "  ", false)
}
