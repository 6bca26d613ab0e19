//! The recorded answers of the real controller and of the API server's validation.
//!
//! Each corpus is a file of cases in `tests/conformance/`, one JSON object a line; the
//! folder can be overridden by `DSRULES_CONFORMANCE_DIR`, with the same file names,
//! plain or gzipped; what it has not is taken from here. One line is printed for each corpus, and every disagreement with
//! what was expected, what was got, and why the rules say so.
//!
//! This is a program of its own and not a `#[test]` each, so that the figures are always
//! printed.
#![allow(clippy::unwrap_used)]

#[path = "conformance/corpus.rs"]
mod corpus;
#[path = "conformance/placement.rs"]
mod placement;
#[path = "conformance/podtemplate.rs"]
mod podtemplate;
#[path = "conformance/rollout.rs"]
mod rollout;
#[path = "conformance/scheduling.rs"]
mod scheduling;
#[path = "conformance/sync.rs"]
mod sync;
#[path = "conformance/template_pairs.rs"]
mod template_pairs;
#[path = "conformance/validation.rs"]
mod validation;

use std::process::ExitCode;

fn main() -> ExitCode {
    let corpora: [(&str, corpus::Check); 9] = [
        ("placement", placement::check),
        ("podtemplate", podtemplate::check),
        ("sync", sync::check),
        ("sync-generation", sync::check),
        ("rollout", rollout::check),
        ("scheduling", scheduling::check),
        ("validation", validation::check),
        ("validation-updates", validation::check),
        ("template-pairs", template_pairs::check),
    ];
    let mut passed = 0;
    let mut failed = 0;
    for (name, check) in corpora {
        let (agreed, cases) = corpus::run(name, check);
        println!("{name}: {agreed}/{cases}");
        passed += agreed;
        failed += cases - agreed;
    }
    let cases = corpus::read("validation");
    let valid = cases.iter().filter(|case| validation::valid_or_not(case).is_ok()).count();
    println!("validation, whether it is valid: {valid}/{}", cases.len());
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
