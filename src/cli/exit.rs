//! How a command ends: five exit codes, and what is said on the way out.
//!
//! A mistyped command is an error like any other (1): 2 is kept for "there are changes",
//! so a script that asks for that is not misled by a typo.

use std::io::{self, Write};
use std::process::ExitCode;

use dsrules::diagnostic::{Diagnostic, acts, visible};

use super::context::Context;

/// The results that scripts can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: an error that was already told.
    Error,
    /// 2: there are changes, where `--detailed-exitcode` asked; or answers, where `--exit-code`
    /// did.
    Changes,
    /// 3: the user's own rules refuse the plan.
    Violated,
    /// 4: the store holds what was asked for; what was to follow, the tree or the output,
    /// failed, and that was told.
    Partly,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Changes => 2,
            Exit::Violated => 3,
            Exit::Partly => 4,
        })
    }
}

/// Why a command did not get to its end.
#[derive(Debug)]
pub enum Failure {
    /// Something is wrong, and this is what.
    Told(Vec<Diagnostic>),
    /// The output could not be written.
    Output(io::Error),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Failure::Told(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Failure::Told(diagnostics)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

/// Tells what a command came to, and gives the exit code.
pub fn report(result: Result<Exit, Failure>, context: &mut Context) -> ExitCode {
    let flushed = |result: Result<Exit, Failure>, context: &mut Context| {
        let exit = result?;
        context.out.flush()?;
        Ok(exit)
    };
    match flushed(result, context) {
        Ok(exit) => exit.into(),
        Err(Failure::Told(mut diagnostics)) => {
            // What was printed before comes before.
            let _ = context.out.flush();
            let last = diagnostics.iter_mut().rfind(|told| told.is_error());
            if let Some(last) = last.filter(|_| context.is_committed()) {
                last.notes
                    .push("the store holds what was asked for; only what was to follow failed".to_owned());
            }
            context.tell(diagnostics);
            failed(context).into()
        }
        // `dsrules get pods | head`: the reader has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done.into(),
        Err(Failure::Output(error)) => {
            let told = Diagnostic::error("output", format!("the output cannot be written: {error}"));
            context.tell(vec![if context.is_committed() {
                told.because("all else is done: the store holds what was asked for")
                    .help("`dsrules get all -A` shows it")
            } else {
                told.because("nothing was changed")
            }]);
            failed(context).into()
        }
    }
}

/// How a command ends that failed: before or after its changes were committed.
fn failed(context: &Context) -> Exit {
    if context.is_committed() { Exit::Partly } else { Exit::Error }
}

/// Ends after arguments that clap did not take, or after `--help` and `--version`.
pub fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    // What was typed, or what a script made of a name, is shown again.
    let _ =
        if text.contains(acts) { io::stderr().write_all(visible(&text).as_bytes()) } else { error.print() };
    if error.use_stderr() { Exit::Error.into() } else { Exit::Done.into() }
}

/// Ends before there is a context to tell anything with.
pub fn early(diagnostic: &Diagnostic) -> ExitCode {
    let _ = writeln!(io::stderr(), "{}", diagnostic.render(false));
    Exit::Error.into()
}
