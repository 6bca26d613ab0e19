//! Rules alone, looked at closely: all that loading says of them, what cannot be meant, and,
//! beside a cluster, what never had a chance there.
//!
//! ```text
//!   texts -> load, oddities                       of rules alone
//!   cluster -> facts as given, and as a plan leaves them
//!           -> constants, idle rules              of rules and facts
//! ```

mod constants;
mod idle;

use std::collections::BTreeSet;

use super::cluster::merged::merged;
use super::derived::{State, derive, own_relations};
use super::listener::Listener;
use super::load::complete;
use super::manifests::Manifests;
use super::open::Database;
use super::options::{MaxDelete, Options};
use super::rules::{Policy, find};
use super::schedule::{self, Coming};
use super::{planning, strangers};
use crate::datalog::{Limits, Program};
use crate::diagnostic::Diagnostic;
use crate::policy::{self, Asked, relations};
use crate::state::{Gone, OwnFile, World};
use crate::target::Memory;

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Lint {
    /// The rules, and where a `dsrules.yaml` may name some.
    pub rules: Asked,
    /// The cluster: manifests, as if they were all there is, or on top of a live cluster;
    pub manifests: Manifests,
    /// or a store, if it is there.
    pub database: Option<Database>,
    /// Lints that are not wanted.
    pub allow: Vec<&'static str>,
    /// What rules may derive.
    pub limits: Limits,
    /// The time, in seconds of Unix time.
    pub now: i64,
}

/// What was found.
#[derive(Debug)]
pub struct Linted {
    /// The files of rules and facts.
    pub files: Vec<String>,
    /// How many rules stand in them; none is known of files with errors.
    pub rules: usize,
    /// Whether there was a cluster to compare with.
    pub compared: bool,
    /// Errors, warnings and notes, by place.
    pub findings: Vec<Diagnostic>,
}

/// Looks at rules.
///
/// # Errors
/// When there are no rules, or they, the manifests or the store cannot be read.
pub fn lint(asked: &Lint, listener: &dyn Listener) -> Result<Linted, Vec<Diagnostic>> {
    let shown = find(&asked.rules, &asked.manifests.beside()).into_files()?;
    let store = match &asked.database {
        Some(database) if asked.is_about(database) && database.path.exists() => Some(database.read()?),
        _ => None,
    };
    let mut files = shown.clone();
    if let Some(store) = &store {
        files.extend(store.own_files(None)?);
    }
    if files.is_empty() {
        return Err(vec![
            Diagnostic::error("no-rules", "there are no rules to check")
                .help("name a .dl file, a folder of them, or manifests with a `dsrules.yaml`: `dsrules rules check policy/`"),
        ]);
    }
    let (program, mut findings) = match Policy::of(shown, None, store.as_deref()) {
        Ok((policy, warnings)) => (Some(policy.program), warnings),
        Err(errors) => (None, errors),
    };
    let mut compared = false;
    if let Some(program) = &program {
        findings.extend(program.oddities());
        let world = match &store {
            Some(store) => {
                let mut world = store.load()?;
                store.load_details(&mut world)?;
                let options = Options::at(asked.now);
                let program_asked = schedule::asked(program, &options, &world, Coming::default());
                complete(&**store, &mut world, &program_asked)?;
                asked.put(&mut world, Some(&**store), listener)?;
                Some(world)
            }
            None if asked.manifests.is_empty() => None,
            None => {
                let mut world = World { detailed: true, ..World::default() };
                asked.put(&mut world, None, listener)?;
                Some(world)
            }
        };
        if let Some(world) = world {
            compared = true;
            findings.extend(strangers::named(program, &world));
            if let Err(error) = asked.beside_a_cluster(program, world, &mut findings) {
                findings.push(error);
            }
        }
    }
    policy::silence(&mut findings, &files);
    findings.retain(|it| it.is_error() || !asked.allow.contains(&it.code));
    Diagnostic::sort(&mut findings);
    let rules = program.as_ref().map_or(0, own_rules);
    Ok(Linted { files: names(&files), rules, compared, findings })
}

fn own_rules(program: &Program) -> usize {
    program.written().filter(|rule| !rule.ways[0].builtin).count()
}

fn names(files: &[OwnFile]) -> Vec<String> {
    let names: BTreeSet<String> = files.iter().map(|file| file.path.to_string()).collect();
    names.into_iter().collect()
}

impl Lint {
    /// Whether a store is looked at: one that is a picture of a live cluster also below manifests.
    fn is_about(&self, database: &Database) -> bool {
        self.manifests.is_empty() || database.cluster.is_some()
    }

    /// Puts the objects of the manifests into the world, on top of what a store has of them.
    fn put(
        &self,
        world: &mut World,
        below: Option<&dyn Memory>,
        listener: &dyn Listener,
    ) -> Result<(), Vec<Diagnostic>> {
        if self.manifests.is_empty() {
            return Ok(());
        }
        let mut reading = self.manifests.read(listener)?;
        if reading.has_errors() {
            return Err(reading.diagnostics);
        }
        if let Some(store) = below {
            merged(&mut reading.objects, store)?;
        }
        for object in reading.objects {
            world.put(object, self.now);
        }
        Ok(())
    }

    /// What a cluster says of the rules, as it is and as a plan leaves it: constraints are
    /// asked then, and daemonsets have their pods.
    fn beside_a_cluster(
        &self,
        program: &Program,
        mut world: World,
        findings: &mut Vec<Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let mut wanted = own_relations(program);
        // Two waves for one node are refused there.
        wanted.push(program.id(relations::wave));
        let given = derive(program, &world, self.now, None, &wanted, &self.limits)?;
        let options = Options {
            limits: self.limits,
            max_delete: Some(MaxDelete::Percent(100)),
            ignore_violations: true,
            ..Options::at(self.now)
        };
        let planned = planning::plan(&mut world, Vec::new(), &Gone::default(), program, &options)?;
        let after = derive(program, &world, self.now, Some(&planned.plan), &wanted, &self.limits)?;
        let states: [&State; 2] = [&given, &after];
        findings.extend(constants::unknown(program, &states));
        let idle = idle::never_fired(program, &states, findings);
        findings.extend(idle);
        Ok(())
    }
}
