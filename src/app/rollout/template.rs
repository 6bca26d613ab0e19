//! The template that a daemonset gets: a former one, or its own once more.

use serde_json::{Value, json};

use super::daemonsets::{revisions, unknown};
use crate::app::restart::RESTARTED;
use crate::diagnostic::Diagnostic;
use crate::kube::{DaemonSet, ObjectKey, Revision, timestamp};
use crate::state::World;

/// What a daemonset gets.
pub(super) enum Template {
    /// The one it has, and why.
    Same(String),
    /// This one.
    New(Value),
    /// One that it had.
    Former {
        template: Value,
        /// Its number and key.
        revision: (i64, ObjectKey),
        /// Which and when, to be remembered.
        which: String,
    },
}

/// The template of a revision, or with 0 of the last one before the current.
pub(super) fn undone(
    world: &World,
    daemonset: &DaemonSet,
    to: i64,
    now: i64,
) -> Result<Template, Diagnostic> {
    let history = revisions(world, daemonset);
    let current = history.last().filter(|_| to == 0);
    let found = if to == 0 {
        history.iter().rev().find(|it| current.is_some_and(|current| it.revision < current.revision))
    } else {
        history.iter().find(|it| it.revision == to)
    };
    let Some(found) = found else {
        return Err(match to {
            0 => nothing_before(daemonset, &history),
            _ => unknown(to, history.iter().map(|it| it.revision)),
        });
    };
    let number = found.revision;
    if found.template == daemonset.template.fingerprint {
        return Ok(Template::Same(format!(
            "skipped rollback (current template already matches revision {number})"
        )));
    }
    let mut template = found.value["data"]["spec"]["template"].clone();
    template.as_object_mut().map(|template| template.remove("$patch"));
    let which = format!("to the template of revision {number} at {}", timestamp(now));
    Ok(Template::Former { template, revision: (number, found.meta.key.clone()), which })
}

/// Why there is nothing to go back to, as far as the history tells.
fn nothing_before(daemonset: &DaemonSet, history: &[&Revision]) -> Diagnostic {
    let error = Diagnostic::error("no-revision", "no last revision to roll back to");
    let key = &daemonset.meta.key;
    let error = error.because(match history {
        [] => format!("the history of `{key}` is empty"),
        _ => {
            let last = history.iter().map(|it| it.revision).max().unwrap_or_default();
            format!("the history of `{key}` holds revision {last} only")
        }
    });
    if daemonset.value["spec"]["revisionHistoryLimit"] == 0 {
        error.help("`spec.revisionHistoryLimit: 0` keeps no former template: apply the former manifest")
    } else {
        error.help("apply the manifest that is to be gone back to")
    }
}

/// The daemonset's own template, made a new one by an annotation with the time.
pub(super) fn restarted(daemonset: &DaemonSet, now: i64) -> Result<Template, Diagnostic> {
    let now = timestamp(now);
    let mut template = daemonset.value["spec"]["template"].clone();
    if template["metadata"]["annotations"][RESTARTED] == now {
        return Err(Diagnostic::error(
            "restarted-now",
            format!("`{}` was restarted within this second", daemonset.meta.key),
        )
        .help("wait a second, and restart it again"));
    }
    if !template["metadata"]["annotations"].is_object() {
        template["metadata"]["annotations"] = json!({});
    }
    template["metadata"]["annotations"][RESTARTED] = json!(now);
    Ok(Template::New(template))
}
