//! `rollout undo` and `rollout restart`: a changed template, applied as any other.

use dsrules::app::{self, RESTARTED};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{DaemonSet, Kind, Object, ObjectKey, Origin, Revision, timestamp};
use dsrules::manifest::{Reading, faults};
use dsrules::plan::Plan;
use dsrules::report::{self, Detail, Look};
use serde_json::{Value, json};

use super::{Changing, Target, history, revisions};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::dry_run::DryRun;
use crate::cli::options::rules::judge;

/// Goes back to the template of an earlier revision.
pub fn undo(target: &Target, to: i64, changing: &Changing, context: &mut Context) -> Result<Exit, Failure> {
    change(target, changing, context, "rolled back", &|world, daemonset, now| {
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
                _ => history::unknown(to, &history),
            });
        };
        if found.template == daemonset.template.fingerprint {
            let revision = found.revision;
            return Ok(Outcome::Skip(format!(
                "skipped rollback (current template already matches revision {revision})"
            )));
        }
        let mut template = found.value["data"]["spec"]["template"].clone();
        template.as_object_mut().map(|template| template.remove("$patch"));
        let revision = (found.revision, found.meta.key.clone());
        Ok(Outcome::Back(
            template,
            revision,
            format!("to the template of revision {} at {now}", found.revision),
        ))
    })
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

/// Makes the template a new one by an annotation with the time.
pub fn restart(target: &Target, changing: &Changing, context: &mut Context) -> Result<Exit, Failure> {
    change(target, changing, context, "restarted", &|_, daemonset, now| {
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
        Ok(Outcome::Template(template))
    })
}

/// What is to happen to a daemonset.
enum Outcome {
    /// Nothing, and why.
    Skip(String),
    /// It gets this template.
    Template(Value),
    /// It gets this template of a former revision, its number and key; to be remembered:
    /// which, and when.
    Back(Value, (i64, ObjectKey), String),
}

type Choose<'a> = &'a dyn Fn(&dsrules::state::World, &DaemonSet, &str) -> Result<Outcome, Diagnostic>;

fn change(
    target: &Target,
    changing: &Changing,
    context: &mut Context,
    done: &str,
    choose: Choose,
) -> Result<Exit, Failure> {
    let options = changing.bounds.options(context);
    let dry = changing.dry_run == DryRun::Client;
    let mut store = if dry { context.read()? } else { context.write("dsrules rollout")? };
    if !dry {
        changing.tree.check(&store)?;
        store.begin()?;
    }
    let program = changing.bounds.rules.of_store(&store, context)?;
    let mut world = app::load(&store, &program)?;
    let (mut reading, mut lines, mut wrong) = (Reading::default(), Vec::new(), Vec::new());
    for daemonset in target.find(&world, &store)? {
        let name = &daemonset.meta.key.name;
        let now = timestamp(context.seconds());
        let mut value = (*daemonset.value).clone();
        match choose(&world, daemonset, &now)? {
            Outcome::Skip(why) => {
                lines.push(format!("daemonset.apps/{name} {why}"));
                continue;
            }
            Outcome::Template(template) => {
                value["spec"]["template"] = template;
                wrong.extend(refused(daemonset, &value, None));
            }
            Outcome::Back(template, revision, which) => {
                value["spec"]["template"] = template;
                wrong.extend(refused(daemonset, &value, Some(revision)));
                app::mark_rolled_back(&mut value, &which);
            }
        }
        reading.objects.push(Object {
            kind: Kind::DaemonSet,
            key: daemonset.meta.key.clone(),
            value,
            origin: Origin { file: app::IN_PLACE.into(), document: 0, path: String::new() },
        });
        let end = if dry { " (dry run)" } else { "" };
        lines.push(format!("daemonset.apps/{name} {}{end}", context.paint.changed(done)));
    }
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    let mut planned = if reading.objects.is_empty() {
        None
    } else if dry {
        Some(app::plan(&mut world, reading, &[], &program, &options)?)
    } else {
        // No input of its own: nothing is remembered that could be pruned.
        Some(app::apply(&mut store, "", reading, &[], &program, &options)?)
    };
    if let Some(exit) = planned.as_mut().and_then(|planned| judge(planned, context)) {
        return Ok(exit);
    }
    if !dry {
        context.commit();
    }
    for line in lines {
        writeln!(context.out, "{line}")?;
    }
    if let Some(planned) = planned {
        show(&planned.plan, dry, context)?;
    }
    let tree = if dry { changing.tree.compare(&world, &store)? } else { changing.tree.sync(&store)? };
    if !context.quiet {
        tree.show(context)?;
    }
    Ok(tree.end(context))
}

/// What an API server would refuse about the daemonset with its new template. A revision
/// may hold anything: it was written by a manifest, or by another program.
fn refused(daemonset: &DaemonSet, value: &Value, revision: Option<(i64, ObjectKey)>) -> Vec<Diagnostic> {
    let mut wrong = faults(Kind::DaemonSet, value, &daemonset.value, Some(&daemonset.value));
    // Fields that there are not, an API server takes out.
    wrong.retain(|error| error.code != "unknown-field");
    for error in &mut wrong {
        let key = &daemonset.meta.key;
        let (what, way_out) = match &revision {
            Some((number, name)) => (
                format!("revision {number} of `{key}` cannot be restored"),
                format!(
                    "mend the template in a manifest and apply it, or undo to another revision; `{name}` holds this one"
                ),
            ),
            None => {
                (format!("`{key}` cannot be restarted"), "apply a manifest of it that is right".to_owned())
            }
        };
        error.message = format!("{what}: {}", error.message);
        error.notes.extend(error.help.replace(way_out));
    }
    wrong
}

fn show(plan: &Plan, dry: bool, context: &mut Context) -> Result<(), Failure> {
    if !context.quiet {
        let detail = if context.verbose { Detail::Wide } else { Detail::Short };
        report::plan_text(plan, Look { detail, paint: context.paint, done: !dry }, &mut context.out)?;
        report::statuses(&plan.statuses, &mut context.out)?;
    }
    Ok(())
}
