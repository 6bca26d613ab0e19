//! `dsrules rules list|show`: the policy, as it is written and run.

use clap::{Args, Subcommand};
use dsrules::datalog::{Declaration, Kind as RelationKind, Literal, Program, RelationId};
use dsrules::diagnostic::{Diagnostic, nearest};
use dsrules::report::Table;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::policy::RuleArgs;

/// Arguments of `rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// List the relations that rules derive and read
    List {
        /// Only the relations that rules of your own may add to
        #[arg(long)]
        open: bool,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Show a relation with its rules, or a whole rule file
    Show {
        /// A relation, as `eligible`, or a file, as `placement`
        name: String,
        #[command(flatten)]
        rules: RuleArgs,
    },
}

/// Lists or shows.
pub fn run(args: &RulesArgs, context: &mut Context) -> Result<Exit, Failure> {
    match &args.command {
        RulesCommand::List { open, rules } => list(&rules.alone(context)?, *open, context),
        RulesCommand::Show { name, rules } => show(&rules.alone(context)?, name, context),
    }
}

fn list(program: &Program, open: bool, context: &mut Context) -> Result<Exit, Failure> {
    let mut table = Table::new(["RELATION", "KIND", "RULES", "WHERE", "SAYS"]);
    for declaration in program.declarations().filter(|declaration| declaration.open || !open) {
        table.row([
            declaration.name.to_string(),
            kind(declaration).to_owned(),
            program.rules_for(declaration.id).count().to_string(),
            format!("{}:{}", declaration.file, declaration.line),
            declaration.doc.lines().next().unwrap_or("").to_owned(),
        ]);
    }
    table.write(&mut context.out, "", true)?;
    Ok(Exit::Done)
}

fn kind(declaration: &Declaration) -> &'static str {
    match declaration.kind {
        _ if declaration.open => "open",
        RelationKind::Input => "input",
        RelationKind::Internal => "internal",
        RelationKind::Output => "output",
    }
}

fn show(program: &Program, name: &str, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(relation) = program.relation(name) {
        show_relation(program, relation, context)?;
        return Ok(Exit::Done);
    }
    let stem = |file: &str| file.rsplit('/').next().unwrap_or(file).trim_end_matches(".dl").to_owned();
    if let Some((.., text)) = program.files().find(|(file, ..)| *file == name || stem(file) == stem(name)) {
        write!(context.out, "{text}")?;
        return Ok(Exit::Done);
    }
    let files: Vec<String> = program.files().map(|(file, ..)| stem(file)).collect();
    let names = program.declarations().map(|declaration| &*declaration.name);
    let error = Diagnostic::error("unknown-relation", format!("there is no relation or rule file `{name}`"));
    Err(match nearest(name, names.chain(files.iter().map(String::as_str))) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help("`dsrules rules list` shows all relations"),
    }
    .into())
}

fn show_relation(program: &Program, relation: RelationId, context: &mut Context) -> Result<(), Failure> {
    let declaration = program.declaration(relation);
    let paint = context.paint;
    let out = &mut context.out;
    for line in declaration.doc.lines() {
        writeln!(out, "{}", paint.dim(format!("/// {line}")))?;
    }
    let word = match kind(declaration) {
        "internal" => String::new(),
        word => format!(" {word}"),
    };
    let place = format!("// {}:{}", declaration.file, declaration.line);
    writeln!(out, "{}{word}  {}", paint.strong(format!(".decl {declaration}")), paint.dim(place))?;
    for rule in program.rules_for(relation) {
        writeln!(out, "\n{}", paint.dim(format!("// {}:{}", rule.file, rule.line)))?;
        if !rule.sentence.is_empty() {
            writeln!(out, "{}", paint.dim(format!("/// {}", rule.sentence)))?;
        }
        writeln!(out, "{}", rule.text)?;
    }
    let users = users(program, relation);
    if !users.is_empty() {
        writeln!(out, "\n{}", paint.dim(format!("// used by: {}", users.join(", "))))?;
    }
    Ok(())
}

/// The relations whose rules read `relation`, each once, in the order of the texts.
fn users(program: &Program, relation: RelationId) -> Vec<&str> {
    let mut users: Vec<&str> = Vec::new();
    for rule in program.rules() {
        let reads = rule.body.iter().any(|literal| match literal {
            Literal::Positive(atom) | Literal::Negative(atom) => atom.relation == relation,
            Literal::Comparison(_) => false,
        });
        let name = &*program.declaration(rule.head.relation).name;
        if reads && !users.contains(&name) {
            users.push(name);
        }
    }
    users
}
