//! `dsrules rules show`: a relation, a parameter, a rule or a file, as it is written.

use std::path::Path;

use clap::Args;
use dsrules::app::rules::alone;
use dsrules::datalog::{Literal, Parameter, Program, RelationId, Rule};
use dsrules::diagnostic::{Diagnostic, nearest, visible};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::options::rules::RuleArgs;

/// Arguments of `rules show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A relation or a parameter, as `eligible`, a place, as `rules/placement.dl:254`, or a file, as `placement`
    #[arg(value_name = "NAME | FILE[:LINE]")]
    name: String,
    #[command(flatten)]
    rules: RuleArgs,
}

/// Shows.
pub fn run(args: &ShowArgs, context: &mut Context) -> Result<Exit, Failure> {
    // A file of one's own that is named is one to look into.
    let file = Path::new(place(&args.name).map_or(args.name.as_str(), |(file, _)| file));
    let own = (file.extension().is_some_and(|it| it == "dl") && file.is_file()).then_some(file);
    show(&alone(&args.rules.asked_with(own), context)?, &args.name, context)
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

/// Shows what a name stands for: a relation, a parameter, a rule by its place, or a file.
pub fn show(program: &Program, name: &str, context: &mut Context) -> Result<Exit, Failure> {
    let relations = named(program, name);
    if !relations.is_empty() {
        return show_relations(program, relations, context);
    }
    if show_parameters(program, name, context)? {
        return Ok(Exit::Done);
    }
    if let Some((members, doc)) = program.overload(name) {
        writeln!(context.out, "{doc}\n")?;
        return show_relations(program, members, context);
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
        None => error.help("`dsrules rules list --all` shows all relations"),
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

/// All relations that a name may mean: several modules may have it, and the tool as well.
fn named(program: &Program, name: &str) -> Vec<RelationId> {
    let mut found = program.relations(name);
    found.extend(program.builtin(name).filter(|it| !found.contains(it)));
    found
}

fn show_relations(program: &Program, all: Vec<RelationId>, context: &mut Context) -> Result<Exit, Failure> {
    for (at, relation) in all.into_iter().enumerate() {
        if at > 0 {
            writeln!(context.out)?;
        }
        show_relation(program, relation, context)?;
    }
    Ok(Exit::Done)
}

fn show_relation(program: &Program, relation: RelationId, context: &mut Context) -> Result<(), Failure> {
    show_head(program, relation, context)?;
    for rule in program.written_for(relation) {
        show_rule(rule, context)?;
    }
    let users = users(program, relation);
    if !users.is_empty() {
        writeln!(context.out, "\n{}", context.paint.dim("// used by"))?;
    }
    for (name, places) in users {
        let user = context.paint.dim(format!("//   {name}: {}", places.join(", ")));
        writeln!(context.out, "{user}")?;
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
    let words: String = declaration.qualifiers().iter().map(|word| format!(" {word}")).collect();
    let place = format!("// {}:{}", declaration.file, declaration.line);
    writeln!(out, "{}{words}  {}", paint.strong(format!(".decl {declaration}")), paint.dim(place))?;
    Ok(())
}

/// The relations whose rules read `relation`, in the order of the texts, with the places of
/// these rules.
fn users(program: &Program, relation: RelationId) -> Vec<(&str, Vec<String>)> {
    let mut users: Vec<(&str, Vec<String>)> = Vec::new();
    let reads = |rule: &&Rule| rule.body.iter().filter_map(Literal::atom).any(|it| it.relation == relation);
    for rule in program.rules().filter(reads) {
        let head = program.declaration(rule.head.relation);
        let name = &*head.within.map_or(head, |within| program.declaration(within)).name;
        let place = format!("{}:{}", rule.file, rule.line);
        match users.iter_mut().find(|(known, _)| *known == name) {
            Some((_, places)) if places.contains(&place) => {}
            Some((_, places)) => places.push(place),
            None => users.push((name, vec![place])),
        }
    }
    users
}
