//! The prompt of `dsrules query -i`: statements one after the other, and commands that begin
//! with a colon. From a pipe the same is read without a prompt.

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::rc::Rc;

use dsrules::app::Questions;
use dsrules::datalog::Typed;
use dsrules::diagnostic::{Diagnostic, nearest};
use dsrules::report::Table;

use super::commands::COMMANDS;
use super::editor::Lines;
use super::show::{Format, show};
use crate::cli::commands::{explain, rules};
use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// So many answers are shown to a person who has not said how many.
const SHOWN: usize = 50;
/// So many rows are explained.
const EXPLAINED: usize = 10;

/// Answers until there is nothing more to read.
pub fn run(
    questions: Questions,
    limit: Option<usize>,
    format: Format,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let person = io::stdin().is_terminal() && context.terminal;
    let most = limit.unwrap_or(if person { SHOWN } else { usize::MAX });
    let questions = Rc::new(RefCell::new(questions));
    let mut lines = Lines::open(person, &questions)?;
    let mut session = Session { questions, most, format };
    if person {
        context.note("`:help` says what can be typed, Ctrl-D ends.");
    }
    let mut failed = false;
    while let Some(statement) = lines.next()? {
        match session.obey(statement.trim(), context) {
            Ok(true) => {}
            Ok(false) => break,
            Err(Failure::Told(errors)) => {
                context.out.flush()?;
                context.tell(errors);
                failed = true;
            }
            Err(error) => return Err(error),
        }
        context.out.flush()?;
    }
    // A person has seen it; a script is to know.
    Ok(if failed && !person { Exit::Error } else { Exit::Done })
}

struct Session {
    questions: Rc<RefCell<Questions>>,
    most: usize,
    format: Format,
}

impl Session {
    /// Does what was typed; false if that is to end.
    fn obey(&mut self, typed: &str, context: &mut Context) -> Result<bool, Failure> {
        if typed.starts_with(':') {
            return self.command(typed, context);
        }
        let what = Typed::of(typed);
        let mut questions = self.questions.borrow_mut();
        if what.rules {
            questions.define(typed, context)?;
        }
        if what.query {
            show(&questions.ask(typed, context)?, self.most, self.format, context)?;
        }
        Ok(true)
    }

    fn command(&mut self, typed: &str, context: &mut Context) -> Result<bool, Failure> {
        let (word, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
        let rest = rest.trim();
        let mut questions = self.questions.borrow_mut();
        match word {
            ":why" if !rest.is_empty() => {
                let here = std::env::current_dir().ok();
                let rows = questions.why(rest.trim_end_matches('.'), EXPLAINED, here.as_deref())?;
                explain::rows(&rows, explain::Format::Text, questions.program(), context)?;
            }
            ":relations" => relations(&questions, rest, context)?,
            ":show" if !rest.is_empty() => drop(rules::show(questions.program(), rest, context)?),
            ":limit" => match rest.parse() {
                Ok(most) => self.most = most,
                Err(_) if rest == "off" => self.most = usize::MAX,
                Err(_) => return Err(misused(word)),
            },
            ":planned" if rest == "on" || rest == "off" => questions.plan_ahead(rest == "on"),
            ":forget" => questions.forget(context)?,
            ":reload" => questions.reload(context)?,
            ":help" => help(context)?,
            ":quit" | ":q" | ":exit" => return Ok(false),
            _ => return Err(misused(word)),
        }
        Ok(true)
    }
}

/// What is said of a command that is not known, or takes something else.
fn misused(word: &str) -> Failure {
    if let Some((name, takes, does)) = COMMANDS.iter().find(|(name, ..)| *name == word) {
        return Diagnostic::error("mistyped", format!("`{name}` takes {takes}"))
            .help(format!("`{name} {takes}`: {does}"))
            .into();
    }
    let error = Diagnostic::error("mistyped", format!("there is no command `{word}`"));
    match nearest(word, COMMANDS.iter().map(|(name, ..)| *name)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`:help` lists them"),
    }
    .into()
}

fn help(context: &mut Context) -> Result<(), Failure> {
    let text = "A query is the body of a rule: `eligible(D, \"n1\"), !has_pod(D, \"n1\")`. Rules and `.decl` are kept\n\
                until the end. What is not ended goes on with the next line; an empty line ends it.\n";
    writeln!(context.out, "{text}")?;
    let mut table = Table::default();
    for (name, takes, does) in COMMANDS {
        table.row([format!("{name} {takes}"), does.to_owned()]);
    }
    Ok(table.write(&mut context.fitted(), "", false)?)
}

/// Lists relations for users, their own first.
fn relations(questions: &Questions, word: &str, context: &mut Context) -> Result<(), Failure> {
    let mut table = Table::new(["RELATION", "SAYS"]);
    let says = |doc: &str| doc.lines().next().unwrap_or("").to_owned();
    for own in [true, false] {
        let program = questions.program();
        let all = program.declarations().filter(|it| it.builtin != own && (own || it.exported));
        for it in all.filter(|it| it.name.contains(word) || it.doc.contains(word)) {
            table.row([it.to_string(), says(&it.doc)]);
        }
    }
    if table.is_empty() {
        context.note("There is none.");
        return Ok(());
    }
    Ok(table.write(&mut context.fitted(), "", true)?)
}
