//! `dsrules report`: a picture of the fleet, as text, as data, or as a page for a browser.

use std::io::Write as _;

use clap::{Args, ValueEnum};
use dsrules::app::cluster::Detail;
use dsrules::app::picture::{Asked, Picture, picture};
use dsrules::report;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::bounds::BoundArgs;
use crate::cli::options::cluster::{ClusterArgs, NO_PRUNING};
use crate::cli::options::input::InputArgs;
use crate::cli::options::what_if::WhatIfArgs;
use crate::cli::progress::Progress;
use crate::cli::show;

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    input: InputArgs,
    /// How to show it: html is one file with all that it needs
    #[arg(long, short = 'o', value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    output: Format,
    /// Remove objects that an earlier apply of the same input brought and that left it
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    bounds: BoundArgs,
    #[command(flatten)]
    edits: WhatIfArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// `-o` of `report`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    // How many stand how, and what needs looking at
    Text,
    // The same with every line
    Wide,
    // A page for a browser, in one file
    Html,
    // JSON, with a version field
    Json,
    // YAML, with a version field
    Yaml,
}

impl ReportArgs {
    /// As the library takes it.
    fn asked(&self, context: &Context) -> Result<Asked, Failure> {
        self.edits.check()?;
        let (manifests, id) = (self.input.manifests()?, self.input.id());
        let request = self.bounds.request(manifests, id, self.prune, context);
        Ok(Asked { request, edits: self.edits.changes(&self.input.files.how.namespace)? })
    }
}

/// Looks and shows.
pub fn run(args: &ReportArgs, context: &mut Context) -> Result<Exit, Failure> {
    args.cluster.refuse(&[("--prune", args.prune, NO_PRUNING)])?;
    let mut asked = args.asked(context)?;
    args.cluster.observe(Detail::of(&asked.request.rules, &asked.request.manifests), context)?;
    asked.request.database = context.database.clone();
    let progress = Progress::begin(context.quiet);
    let found = picture(&asked, context);
    drop(progress);
    let found = found?;
    write(args.output, &found, context)?;
    Ok(if found.errors == 0 { Exit::Done } else { Exit::Error })
}

fn write(output: Format, found: &Picture, context: &mut Context) -> Result<(), Failure> {
    let look = show::look(false, output == Format::Wide, context);
    match output {
        Format::Text | Format::Wide => report::picture_text(found, look, &mut context.fitted())?,
        Format::Html => context.out.write_all(report::picture_html(found, None).as_bytes())?,
        Format::Json => report::write_json(&report::picture_document(found), &mut context.out)?,
        Format::Yaml => report::write_yaml(&report::picture_document(found), &mut context.out)?,
    }
    Ok(())
}
