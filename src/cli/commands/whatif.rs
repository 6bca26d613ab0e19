//! `dsrules plan --set ... --taint ...`: the plan as it would be, and what is different.

use clap::Args;
use dsrules::app::whatif::{Edit, Stored, differences, edit};
use dsrules::app::{self, MaxDelete, Options};
use dsrules::diagnostic::Diagnostic;
use dsrules::kube::{Kind, ObjectKey};
use dsrules::manifest::Reading;
use dsrules::report;
use dsrules::state::World;
use dsrules::target::sqlite::Store;
use serde_json::Value;

use super::plan::changes;
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::base;
use crate::cli::options::planning::{Format, PlanningArgs, show};
use crate::cli::options::resources::meant;
use crate::cli::options::rules::judge;
use crate::cli::options::selector::LabelSelector;
use crate::cli::options::tree::TreeArgs;

/// Changes that stand in no manifest.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What if")]
pub struct WhatIfArgs {
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
    /// What the changes are about: only objects with these labels
    #[arg(long, short = 'l', value_name = "LABELS")]
    selector: Option<LabelSelector>,
}

impl WhatIfArgs {
    /// Whether nothing of it was typed.
    pub fn is_empty(&self) -> bool {
        [&self.set, &self.taint, &self.cordon, &self.uncordon, &self.remove]
            .iter()
            .all(|list| list.is_empty())
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

    fn edits(&self, namespace: &str) -> Result<Vec<Edit>, Failure> {
        let mut wrong: Vec<Diagnostic> = Vec::new();
        let mut edits = Vec::new();
        let all = self
            .set
            .iter()
            .map(|text| Edit::set(text, namespace))
            .chain(self.taint.iter().map(|text| Edit::taint(text)))
            .chain(self.remove.iter().map(|text| Edit::remove(text, namespace)));
        for read in all {
            match read {
                Ok(edit) => edits.push(edit),
                Err(error) => wrong.push(error),
            }
        }
        for (nodes, cordoned) in [(&self.cordon, true), (&self.uncordon, false)] {
            for node in nodes {
                match (node.as_str(), &self.selector) {
                    ("", None) => wrong.push(
                        Diagnostic::error("bad-what-if", "no node was named to be cordoned or uncordoned")
                            .help("write `--cordon NODE`, `--cordon 'gpu-*'`, or choose by labels with `-l`"),
                    ),
                    ("", Some(_)) => edits.push(Edit::cordon("*", cordoned)),
                    (node, _) => edits.push(Edit::cordon(node, cordoned)),
                }
            }
        }
        if wrong.is_empty() { Ok(edits) } else { Err(wrong.into()) }
    }
}

/// Plans with and without the changes, and shows the one and the difference. Says whether
/// there is anything to do, and how it ends.
pub fn run(
    planning: &PlanningArgs,
    args: &WhatIfArgs,
    tree: &TreeArgs,
    context: &mut Context,
) -> Result<(bool, Exit), Failure> {
    let edits = args.edits(planning.input.namespace())?;
    // Without manifests it is about what the store holds.
    let (mut reading, mut errors) =
        if planning.input.is_empty() { (Reading::default(), 0) } else { planning.read(context)? };
    let (id, options) = (planning.id(), planning.options(context));
    let store = base::store(planning, context)?;
    let policy = planning.bounds.rules.with(&planning.input.beside(), Some(&id), Some(&store), context)?;
    let program = &policy.program;
    errors += planning.check_updates(&mut reading, &store, context)?;
    // A question is no accident, so nothing is refused for its size.
    let options = Options { max_delete: Some(MaxDelete::Percent(100)), ..options };
    let gone = app::gone(&store, &id, &reading, &options)?;
    let plan = |reading: Reading, gone: &[(Kind, ObjectKey)]| -> Result<_, Diagnostic> {
        let mut world: World = app::load(&store, program)?;
        let planned = app::plan(&mut world, reading, gone, program, &options)?;
        Ok((world, planned))
    };
    let mut base = Reading::default();
    base.objects.clone_from(&reading.objects);
    let (without, _) = plan(base, &gone)?;
    let matches = |value: &Value| args.selector.as_ref().is_none_or(|it| it.matches(value));
    let chosen: Option<&dyn Fn(&Value) -> bool> = if args.selector.is_some() { Some(&matches) } else { None };
    let there = There { store: &store, gone: &gone };
    let removed = edit(&mut reading, &edits, &there, chosen);
    let removed = removed.map_err(|errors| -> Vec<Diagnostic> {
        errors.into_iter().map(|error| nearly(error, &edits, &reading, &store)).collect()
    })?;
    let gone: Vec<_> = gone.into_iter().chain(removed).collect();
    let (with, mut planned) = plan(reading, &gone)?;
    let differences = differences(program, &without, &with, context.seconds())?;
    let tree = tree.compare(&with, &store)?;
    let document = || report::what_if_document(&planned.plan, tree.files(), &differences);
    match planning.output {
        Some(Format::Json) => report::write_json(&document(), &mut context.out)?,
        Some(Format::Yaml) => report::write_yaml(&document(), &mut context.out)?,
        output => {
            show(&planned.plan, &tree, output, false, context)?;
            report::differences(&differences, context.paint, &mut context.fitted())?;
        }
    }
    let changed = tree.is_changed() || changes(&planned.plan);
    let end = tree.end(context);
    let end = judge(&mut planned, context).unwrap_or(if errors == 0 { end } else { Exit::Error });
    Ok((changed, end))
}

/// What is stored and has not left the input.
struct There<'a> {
    store: &'a Store,
    gone: &'a [(Kind, ObjectKey)],
}

impl Stored for There<'_> {
    fn find(&self, kind: Kind, key: &ObjectKey) -> Result<Option<Value>, Diagnostic> {
        if self.gone.iter().any(|(of, gone)| (*of, gone) == (kind, key)) {
            return Ok(None);
        }
        self.store.object(kind, key)
    }

    fn all(&self, kind: Kind) -> Result<Vec<(ObjectKey, Value)>, Diagnostic> {
        let mut all = Vec::new();
        self.store.objects(kind, None, &mut |key, value| {
            all.push((key, value));
            Ok(())
        })?;
        all.retain(|(key, _)| !self.gone.iter().any(|(of, gone)| (*of, gone) == (kind, key)));
        Ok(all)
    }
}

/// The error about an object that is nowhere, with what may have been meant.
fn nearly(error: Diagnostic, edits: &[Edit], reading: &Reading, store: &Store) -> Diagnostic {
    let meant = edits.iter().find_map(|edit| {
        let mut keys: Vec<ObjectKey> = reading
            .objects
            .iter()
            .filter(|object| object.kind == edit.kind)
            .map(|object| object.key.clone())
            .collect();
        let stored = store.objects(edit.kind, None, &mut |key, _| {
            keys.push(key);
            Ok(())
        });
        keys.sort();
        keys.dedup();
        if stored.is_err() || keys.contains(&edit.key) { None } else { meant(&edit.key, keys.iter()) }
    });
    match meant {
        Some(meant) if error.code == "not-found" => error.help(meant),
        _ => error,
    }
}
