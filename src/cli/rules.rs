//! `dsrules rules list|show`: the policy, as it is written and run.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use dsrules::datalog::{Declaration, Kind as RelationKind, Literal, Program, RelationId};
use dsrules::diagnostic::{Diagnostic, Place, nearest};
use dsrules::report::Table;
use dsrules::rules::{self, UserRules};

use super::context::Context;
use super::exit::{Exit, Failure};

/// A user's own rules, for every command that runs rules.
#[derive(Debug, Clone, Args)]
pub struct RuleArgs {
    /// Rules of your own (.dl files, or folders of them), beside the built-in ones
    #[arg(long, value_name = "PATH", env = "DSRULES_RULES", value_delimiter = ':')]
    rules: Vec<PathBuf>,
}

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
        RulesCommand::List { open, rules } => list(&rules.load(context)?, *open, context),
        RulesCommand::Show { name, rules } => show(&rules.load(context)?, name, context),
    }
}

impl RuleArgs {
    /// Whether only the built-in rules are meant.
    pub fn is_empty(&self) -> bool {
        self.rules.iter().all(|path| path.as_os_str().is_empty())
    }

    /// The texts of the user's rules, in path order.
    pub fn read(&self) -> Result<Vec<UserRules>, Diagnostic> {
        let mut files = Vec::new();
        for path in self.rules.iter().filter(|path| !path.as_os_str().is_empty()) {
            let unreadable = |error: std::io::Error| {
                Diagnostic::error(
                    "unreadable-rules",
                    format!("the rules `{}` cannot be read", path.display()),
                )
                .because(error.to_string())
                .help("`--rules` takes .dl files and folders of them")
            };
            if !path.is_dir() {
                files.push((path.clone(), fs::read_to_string(path).map_err(unreadable)?));
                continue;
            }
            let mut inside = Vec::new();
            for entry in fs::read_dir(path).map_err(unreadable)? {
                inside.push(entry.map_err(unreadable)?.path());
            }
            inside.retain(|file| file.extension().is_some_and(|extension| extension == "dl"));
            inside.sort();
            if inside.is_empty() {
                return Err(Diagnostic::error("no-rules", "there are no rules in the folder")
                    .at(Place::file(path.display().to_string()))
                    .help("rule files end in `.dl`"));
            }
            for file in inside {
                let text = fs::read_to_string(&file).map_err(unreadable)?;
                files.push((file, text));
            }
        }
        Ok(files
            .into_iter()
            .map(|(file, text)| UserRules { file: file.display().to_string(), text })
            .collect())
    }

    /// The checked program; warnings about the user's own rules are told.
    pub fn load(&self, context: &Context) -> Result<Program, Failure> {
        let loaded = rules::load(&self.read()?);
        match loaded.program {
            Some(program) => {
                let own =
                    |found: &Diagnostic| found.place.as_ref().is_none_or(|place| !is_builtin(&place.file));
                let own: Vec<Diagnostic> = loaded.diagnostics.into_iter().filter(own).collect();
                if !own.is_empty() {
                    context.tell(own);
                }
                Ok(program)
            }
            None => Err(loaded.diagnostics.into()),
        }
    }
}

fn is_builtin(file: &str) -> bool {
    rules::BUILTIN.iter().any(|(name, _)| *name == file)
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
