//! `--base PATH`: from these manifests to those, with no store at all.
//!
//! The base is applied to a store in memory, as the same input; what is then planned for
//! the head is what an apply would do in a cluster that runs the base: what left is
//! pruned, and what may not change is refused.

use dsrules::app::{self, MaxDelete, Options};
use dsrules::diagnostic::Diagnostic;
use dsrules::target::sqlite::{Missing, Open, Store};

use super::planning::PlanningArgs;
use crate::cli::context::Context;
use crate::cli::exit::Failure;

/// The store that a plan starts from: the one that is named, or one that holds the base.
pub fn store(args: &PlanningArgs, context: &Context) -> Result<Store, Failure> {
    if args.base.is_empty() {
        let open = Open::read().wait(context.lock_timeout).missing(Missing::Empty);
        return Ok(Store::open(&context.db, &open)?);
    }
    let input = args.input.of(&args.base);
    let mut reading = input.read(context)?;
    // From nothing is a way to begin, too.
    reading.diagnostics.retain(|error| !matches!(error.code, "no-objects" | "empty-folder"));
    if reading.has_errors() {
        return Err(reading.diagnostics.into());
    }
    let mut store = Store::in_memory()?;
    let policy = args.bounds.rules.with(&input.beside(), None, None, context)?;
    // What runs there runs there, whatever one's own rules say of it now.
    let options = Options {
        max_delete: Some(MaxDelete::Percent(100)),
        ignore_violations: true,
        ..args.bounds.options(context)
    };
    store.begin()?;
    app::apply(&mut store, &args.id(), reading, &policy.own, &policy.program, &options)?;
    Ok(store)
}

/// Refuses what does not go together with a base.
pub fn check(args: &PlanningArgs) -> Result<(), Failure> {
    let wrong = |what: &str, help: &str| Err(Diagnostic::error("with-base", what).help(help).into());
    if args.base.is_empty() {
        return Ok(());
    }
    if args.input.is_empty() {
        return wrong(
            "`--base` is given without what to compare it with",
            "name the manifests of the head, as `plan --base OLD NEW`",
        );
    }
    if args.keep_going {
        return wrong(
            "`--base` and `--keep-going` do not go together",
            "what a broken file lost is not known: mend it first",
        );
    }
    Ok(())
}
