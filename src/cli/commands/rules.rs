//! `dsrules rules list|show|check|fmt|profile`: the policy, as it is written and run.

mod check;
mod fmt;
mod paths;
mod profile;

use std::path::Path;

use clap::{Args, Subcommand};
use dsrules::app::rules::alone;
use dsrules::datalog::{Declaration, Kind as RelationKind, Literal, Parameter, Program, RelationId, Rule};
use dsrules::diagnostic::{Diagnostic, nearest, visible};
use dsrules::report::Table;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::rules::RuleArgs;

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
    /// Show a relation with its rules, a rule by its place, or a whole rule file
    Show {
        /// A relation or a parameter, as `eligible`, a place, as `rules/placement.dl:254`, or a file, as `placement`
        #[arg(value_name = "NAME | FILE[:LINE]")]
        name: String,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Find mistakes in rules: all that loading finds, what cannot be meant, and what a cluster
    /// has never had
    Check(check::CheckArgs),
    /// Bring rule files into their one layout
    Fmt(fmt::FmtArgs),
    /// Show what each rule costs: rows it looks at, time, and how it is joined
    Profile(profile::ProfileArgs),
}

/// Lists, shows, checks, formats or profiles.
pub fn run(args: &RulesArgs, context: &mut Context) -> Result<Exit, Failure> {
    match &args.command {
        RulesCommand::Check(args) => check::run(args, context),
        RulesCommand::Fmt(args) => fmt::run(args, context),
        RulesCommand::Profile(args) => profile::run(args, context),
        RulesCommand::List { open, rules } => list(&alone(&rules.asked(), context)?, *open, context),
        RulesCommand::Show { name, rules } => {
            // A file of one's own that is named is one to look into.
            let file = Path::new(place(name).map_or(name.as_str(), |(file, _)| file));
            let own = (file.extension().is_some_and(|it| it == "dl") && file.is_file()).then_some(file);
            show(&alone(&rules.asked_with(own), context)?, name, context)
        }
    }
}

fn list(program: &Program, open: bool, context: &mut Context) -> Result<Exit, Failure> {
    let mut table = Table::new(["RELATION", "KIND", "RULES", "WHERE", "SAYS"]);
    for declaration in program.declarations().filter(|declaration| declaration.open || !open) {
        table.row([
            declaration.name.to_string(),
            kind(declaration).to_owned(),
            program.written_for(declaration.id).count().to_string(),
            format!("{}:{}", declaration.file, declaration.line),
            declaration.doc.lines().next().unwrap_or("").to_owned(),
        ]);
    }
    for parameter in program.parameters().filter(|_| !open) {
        table.row([
            format!("{}::{}", parameter.module, parameter.name),
            "param".to_owned(),
            program.rules_with(parameter).count().to_string(),
            format!("{}:{}", parameter.file, parameter.line),
            format!(
                "{} ({}). {}",
                parameter.written,
                origin(parameter),
                parameter.doc.lines().next().unwrap_or("")
            ),
        ]);
    }
    table.write(&mut context.fitted(), "", true)?;
    Ok(Exit::Done)
}

/// Where a parameter has its value from.
fn origin(parameter: &Parameter) -> String {
    let default = || parameter.default.as_ref().map_or(String::new(), |it| format!("; default {it}"));
    match &parameter.set {
        Some(place) => format!("{place}{}", default()),
        None => "default".to_owned(),
    }
}

/// Shows the parameters of a name, each with the rules that use it.
fn show_parameters(program: &Program, name: &str, context: &mut Context) -> Result<bool, Failure> {
    let is_meant = |it: &&Parameter| *it.name == *name || format!("{}::{}", it.module, it.name) == name;
    let mut shown = false;
    for parameter in program.parameters().filter(is_meant) {
        let (paint, out) = (context.paint, &mut context.out);
        for line in parameter.doc.lines() {
            writeln!(out, "{}", paint.dim(format!("/// {line}")))?;
        }
        let place = format!("// {}:{} ({})", parameter.file, parameter.line, origin(parameter));
        writeln!(out, "{}  {}", paint.strong(format!(".param {parameter}")), paint.dim(place))?;
        for rule in program.rules_with(parameter) {
            show_rule(rule, context)?;
        }
        shown = true;
    }
    Ok(shown)
}

fn kind(declaration: &Declaration) -> &'static str {
    match declaration.kind {
        _ if declaration.open => "open",
        RelationKind::Input => "input",
        RelationKind::Internal => "internal",
        RelationKind::Output => "output",
    }
}

/// Shows what a name stands for: a relation, a parameter, a rule by its place, or a file.
pub fn show(program: &Program, name: &str, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(relation) = program.relation(name) {
        show_relation(program, relation, context)?;
        return Ok(Exit::Done);
    }
    if show_parameters(program, name, context)? {
        return Ok(Exit::Done);
    }
    if let Some((members, doc)) = program.overload(name) {
        writeln!(context.out, "{doc}\n")?;
        members.into_iter().try_for_each(|relation| show_relation(program, relation, context))?;
        return Ok(Exit::Done);
    }
    if let Some((file, line)) = place(name) {
        return show_place(program, file, line, context);
    }
    let stem = |file: &str| file.rsplit('/').next().unwrap_or(file).trim_end_matches(".dl").to_owned();
    if let Some((.., text)) = program.files().find(|(file, ..)| *file == name || stem(file) == stem(name)) {
        write!(context.out, "{}", visible(text))?;
        return Ok(Exit::Done);
    }
    let files: Vec<String> = program.files().map(|(file, ..)| stem(file)).collect();
    let names = program.declarations().map(|declaration| &*declaration.name);
    let names = names.chain(program.parameters().map(|parameter| &*parameter.name));
    let error = Diagnostic::error("unknown-relation", format!("there is no relation or rule file `{name}`"));
    Err(match nearest(name, names.chain(files.iter().map(String::as_str))) {
        Some(meant) => error.help(format!("did you mean `{meant}`?")),
        None => error.help("`dsrules rules list` shows all relations"),
    }
    .into())
}

/// `FILE:LINE`, as explanations name a rule.
fn place(name: &str) -> Option<(&str, u32)> {
    let (file, line) = name.rsplit_once(':')?;
    Some((file, line.parse().ok()?))
}

/// Shows the rule that stands on a line of a file, below the relation it derives.
fn show_place(program: &Program, file: &str, line: u32, context: &mut Context) -> Result<Exit, Failure> {
    let same = |known: &str| {
        known == file || known.ends_with(&format!("/{file}")) || file.ends_with(&format!("/{known}"))
    };
    let found = program.files().find(|(known, ..)| same(known));
    let Some((known, .., text)) = found else { return Err(unknown_file(program, file).into()) };
    let rule = program
        .rules()
        .filter(|rule| program.declaration(rule.head.relation).within.is_none())
        .filter(|rule| *rule.file == *known && last_line(rule) >= line)
        .min_by_key(|rule| rule.line);
    let declared =
        program.declarations().filter(|it| *it.file == *known && it.line >= line).min_by_key(|it| it.line);
    let last = text.lines().count();
    match (rule, declared) {
        _ if line == 0 || usize::try_from(line).is_ok_and(|line| line > last) => {}
        (rule, Some(declared)) if rule.is_none_or(|rule| declared.line < rule.line) => {
            show_relation(program, declared.id, context)?;
            return Ok(Exit::Done);
        }
        (Some(rule), _) => {
            show_head(program, rule.head.relation, context)?;
            show_rule(rule, context)?;
            return Ok(Exit::Done);
        }
        (None, _) => {}
    }
    let error = Diagnostic::error("no-such-line", format!("no rule stands on line {line} of `{known}`"));
    Err(error.help(format!("it has {last} lines; `dsrules rules show {known}` shows them")).into())
}

/// The last line of a rule; its first is behind the rule before it, as what is said over
/// it is its own.
fn last_line(rule: &Rule) -> u32 {
    rule.line + u32::try_from(rule.text.lines().count()).unwrap_or(u32::MAX).max(1) - 1
}

fn unknown_file(program: &Program, file: &str) -> Diagnostic {
    let files: Vec<&str> = program.files().map(|(known, ..)| known).collect();
    let error = Diagnostic::error("unknown-file", format!("there is no rule file `{file}`"));
    error.help(match nearest(file, files.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "name rules of your own with `--rules`".to_owned(),
    })
}

fn show_rule(rule: &Rule, context: &mut Context) -> Result<(), Failure> {
    let paint = context.paint;
    let out = &mut context.out;
    writeln!(out, "\n{}", paint.dim(format!("// {}:{}", rule.file, rule.line)))?;
    if !rule.sentence.is_empty() {
        writeln!(out, "{}", paint.dim(format!("/// {}", rule.sentence)))?;
    }
    writeln!(out, "{}", visible(&rule.text))?;
    Ok(())
}

fn show_relation(program: &Program, relation: RelationId, context: &mut Context) -> Result<(), Failure> {
    show_head(program, relation, context)?;
    for rule in program.written_for(relation) {
        show_rule(rule, context)?;
    }
    let users = users(program, relation);
    if !users.is_empty() {
        let used = context.paint.dim(format!("// used by: {}", users.join(", ")));
        writeln!(context.out, "\n{used}")?;
    }
    Ok(())
}

/// A relation's declaration with what it is.
fn show_head(program: &Program, relation: RelationId, context: &mut Context) -> Result<(), Failure> {
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
        let head = program.declaration(rule.head.relation);
        let name = &*head.within.map_or(head, |within| program.declaration(within)).name;
        if reads && !users.contains(&name) {
            users.push(name);
        }
    }
    users
}
