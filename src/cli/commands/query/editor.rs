//! Where statements come from: a line editor with history and completion, or a pipe.

use std::cell::RefCell;
use std::env;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use dsrules::app::Questions;
use dsrules::diagnostic::Diagnostic;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Editor, Helper};

use super::commands::is_complete;
use super::complete::complete;
use crate::cli::exit::Failure;

const PROMPT: &str = "dsrules> ";

/// Statements, one after the other.
pub(super) enum Lines {
    /// From a person, with the file that keeps what was typed, if there is one.
    Person(Box<Editor<Names, FileHistory>>, Option<PathBuf>),
    /// From a pipe or a file.
    Pipe(io::Lines<io::StdinLock<'static>>),
}

impl Lines {
    /// Begins to read.
    pub fn open(person: bool, questions: &Rc<RefCell<Questions>>) -> Result<Lines, Failure> {
        if !person {
            return Ok(Lines::Pipe(io::stdin().lines()));
        }
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
        let mut editor = Editor::with_config(config).map_err(|error| unreadable(&error))?;
        editor.set_helper(Some(Names { questions: questions.clone() }));
        let history = history();
        if let Some(path) = &history {
            // One that is not there yet is none.
            let _ = editor.load_history(path);
        }
        Ok(Lines::Person(Box::new(editor), history))
    }

    /// The next statement; none at the end.
    pub fn next(&mut self) -> Result<Option<String>, Failure> {
        match self {
            Lines::Person(editor, history) => typed(editor, history.as_ref()),
            Lines::Pipe(lines) => written(lines),
        }
    }
}

fn typed(
    editor: &mut Editor<Names, FileHistory>,
    history: Option<&PathBuf>,
) -> Result<Option<String>, Failure> {
    loop {
        match editor.readline(PROMPT) {
            Ok(text) => {
                if let Some(path) = history {
                    // What cannot be kept is typed again.
                    let _ = editor.append_history(path);
                }
                return Ok(Some(text));
            }
            // What was being typed is dropped.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn written(lines: &mut io::Lines<io::StdinLock<'static>>) -> Result<Option<String>, Failure> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.map_err(|error| unreadable(&error))?);
        if is_comment(&text) {
            text.clear();
        } else if is_complete(&text) {
            return Ok(Some(text));
        } else {
            text.push('\n');
        }
    }
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

/// Whether a line is nothing but a comment, which belongs to nothing.
fn is_comment(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("//") && !text.starts_with("///") && !text.contains('\n')
}

fn unreadable(error: &dyn std::error::Error) -> Failure {
    Diagnostic::error("unreadable", "what is typed cannot be read").because(error.to_string()).into()
}

/// The file that keeps what was typed: in the folder that XDG has for such, or at home.
fn history() -> Option<PathBuf> {
    if let Some(path) = env::var_os("DSRULES_HISTORY") {
        return Some(PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty());
    }
    let home = env::var_os("HOME").map(PathBuf::from);
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(home.as_ref()?.join(".local/state"))).filter(|folder| folder.is_dir());
    state.map(|folder| folder.join("dsrules_history")).or_else(|| Some(home?.join(".dsrules_history")))
}

/// What the editor asks: what may go on where the cursor is, and whether a statement ends.
pub(super) struct Names {
    questions: Rc<RefCell<Questions>>,
}

impl Completer for Names {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = complete(&mut self.questions.borrow_mut(), line.get(..at).unwrap_or(""));
        let pair = |(display, replacement)| Pair { display, replacement };
        Ok((found.from, found.with.into_iter().map(pair).collect()))
    }
}

impl Validator for Names {
    fn validate(&self, typed: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let complete = is_complete(typed.input());
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}

impl Helper for Names {}
