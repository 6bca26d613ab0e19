//! A plan that is kept in a file: shown again, and carried out just so, or refused with what moved
//! since.
//!
//! The file has what was asked, what the plan rests on (files, rules, store, tree), how it looked,
//! and a fingerprint of what it does. To carry it out the same is asked again, in the transaction
//! that writes: where another plan comes of it, nothing is written. So nothing in the file is
//! believed that the store, the manifests and the rules do not say themselves.

mod asked;
mod file;
mod rests;

pub use file::{FORMAT, is_kept, read, write};

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::apply::apply as carry_out;
use super::expected::{Expected, MOVED, fingerprint};
use super::export::Export;
use super::listener::Listener;
use super::open::Database;
use super::plan::plan;
use super::request::{Outcome, Request};
use crate::diagnostic::{Diagnostic, counted};
use asked::Asked;
use rests::Rests;

/// A kept plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// When it was made, in seconds of Unix time.
    pub made: i64,
    /// The version of dsrules that made it.
    pub by: String,
    /// Why it can be shown and no more, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_shown: Option<String>,
    /// What was asked.
    asked: Asked,
    /// What it rests on.
    rests: Rests,
    /// The fingerprint of what it does.
    plan: String,
    /// The files of the tree that it changes, each with how; nothing without a tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    tree: Option<Vec<(String, String)>>,
    /// How it looked.
    pub shown: Shown,
}

/// How a plan looked when it was made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Shown {
    /// As text.
    pub text: String,
    /// With every line.
    pub wide: String,
    /// As a document.
    pub document: Value,
}

impl Kept {
    /// The store that it was made over.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.rests.store().into()
    }

    /// What it rests on, in a line.
    #[must_use]
    pub fn rests_on(&self) -> String {
        self.rests.said()
    }
}

/// What a plan rests on, looked at before it is made.
pub struct Ground(Rests);

/// Looks at what a plan of the request will rest on.
///
/// # Errors
/// When the store cannot be read.
pub fn ground(request: &Request) -> Result<Ground, Diagnostic> {
    Ok(Ground(Rests::of(request)?))
}

/// Keeps a plan that was made of a request, with how it looks. `only_shown` says why it cannot be
/// carried out, if that is so.
///
/// # Errors
/// When what it rests on moved while it was made, or is not what a file can say.
pub fn keep(
    request: &Request,
    Ground(before): Ground,
    outcome: &Outcome,
    shown: Shown,
    only_shown: Option<String>,
) -> Result<Kept, Diagnostic> {
    let mut rests = Rests::of(request)?;
    if rests != before {
        return Err(Diagnostic::error("plan-moved", "the manifests, rules or the store changed meanwhile")
            .help("plan again"));
    }
    rests.look_at(request, &outcome.plan)?;
    let refused = if outcome.is_refused() {
        Some("rules of your own call it a violation".to_owned())
    } else {
        outcome.too_much.as_ref().map(|too_much| too_much.message.clone())
    };
    Ok(Kept {
        made: request.options.now,
        by: env!("CARGO_PKG_VERSION").to_owned(),
        only_shown: only_shown.or(refused),
        asked: Asked::of(request)?,
        rests,
        plan: fingerprint(&outcome.plan),
        tree: tree(outcome),
        shown,
    })
}

/// What a plan changes in the tree, if there is one.
fn tree(outcome: &Outcome) -> Option<Vec<(String, String)>> {
    let followed = outcome.tree.as_ref().ok()?.as_ref()?;
    let changes = followed.report.changes.iter();
    Some(changes.map(|change| (change.path.clone(), format!("{:?}", change.done).to_lowercase())).collect())
}

/// Carries out a kept plan: just that, or nothing, in the store `database`.
///
/// # Errors
/// What moved since; and as [`apply`](super::apply).
pub fn apply(
    kept: &Kept,
    database: Database,
    exports: Vec<Export>,
    now: i64,
    listener: &dyn Listener,
) -> Result<Outcome, Vec<Diagnostic>> {
    if let Some(why) = &kept.only_shown {
        let told = Diagnostic::error("only-shown", "this plan can be shown, and not be carried out");
        return Err(told.because(why.clone()).help("`dsrules show` shows it").into());
    }
    let mut request = kept.asked.request(database, now)?;
    request.exports = exports;
    let moved = kept.rests.moved(&request)?;
    if !moved.is_empty() {
        return Err(refused(moved).into());
    }
    if let Some(tree) = &kept.tree {
        let now = plan(&request, None, listener)?;
        if super::expected::fingerprint(&now.plan) == kept.plan && self::tree(&now).as_ref() != Some(tree) {
            return Err(refused(tree_moved(tree, &self::tree(&now).unwrap_or_default())).into());
        }
    }
    request.options.expected = Some(Expected { plan: kept.plan.clone(), files: kept.rests.hashes() });
    carry_out(&request, listener).map_err(|errors| {
        if errors.iter().all(|error| error.code != MOVED) {
            return errors;
        }
        vec![match kept.rests.moved_in_store(&request) {
            Ok(moved) if moved.is_empty() => refused(vec![kept.rests.time_moved(kept.made, now)]),
            Ok(moved) => refused(moved),
            Err(error) => error,
        }]
    })
}

/// The refusal, with what moved.
fn refused(moved: Vec<String>) -> Diagnostic {
    const SHOWN: usize = 20;
    let told = Diagnostic::error(MOVED, "the plan is not what would be done now; nothing was changed");
    let more = moved.len().saturating_sub(SHOWN);
    let told = moved.into_iter().take(SHOWN).fold(told, Diagnostic::because);
    let told = if more == 0 { told } else { told.because(format!("and {}", counted(more, "more change"))) };
    told.help("plan again, look at it, and apply that: `dsrules plan … --out FILE`")
}

/// The files of the tree that would be changed otherwise than planned.
fn tree_moved(before: &[(String, String)], now: &[(String, String)]) -> Vec<String> {
    let others = |of: &[(String, String)], not: &[(String, String)]| -> Vec<String> {
        of.iter().filter(|it| !not.contains(it)).map(|(path, _)| path.clone()).collect()
    };
    let mut paths: Vec<String> = [others(now, before), others(before, now)].concat();
    paths.sort();
    paths.dedup();
    paths.into_iter().map(|path| format!("the tree: `{path}` is not as it was")).collect()
}
