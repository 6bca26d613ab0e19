//! `dsrules validate PATH...`: would an API server take these manifests?

use std::collections::BTreeMap;

use clap::Args;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::input::InputArgs;

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    input: InputArgs,
}

/// Reads everything, tells everything that is wrong, touches nothing.
pub fn run(args: &ValidateArgs, context: &mut Context) -> Result<Exit, Failure> {
    let reading = args.input.read(context)?;
    if reading.has_errors() {
        return Err(reading.diagnostics.into());
    }
    let mut kinds: BTreeMap<_, usize> = BTreeMap::new();
    for object in &reading.objects {
        *kinds.entry(object.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    let files = reading.files.len();
    let s = if files == 1 { "" } else { "s" };
    writeln!(context.out, "valid: {files} file{s} with {}", kinds.join(", "))?;
    Ok(Exit::Done)
}
