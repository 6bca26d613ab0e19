//! `dsrules rules fmt`: rule files in their one layout.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use dsrules::app::format::{Formatted, format};
use dsrules::datalog;
use dsrules::diagnostic::{Diagnostic, Place, counted, visible};
use similar::TextDiff;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt;

/// Arguments of `rules fmt`.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Rule files, and folders whose rule files are meant, with all below; `-` is the
    /// standard input, which goes to the standard output
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Write nothing; show what would be different, and end with 1 if anything is
    #[arg(long)]
    check: bool,
}

/// Formats; a file with a mistake in its syntax is told of and stays as it is.
pub fn run(args: &FmtArgs, context: &mut Context) -> Result<Exit, Failure> {
    if args.paths == [Path::new("-")] {
        return stdin(args.check, context);
    }
    let (files, wrong) = format(&args.paths);
    let files: Vec<Formatted> = files.into_iter().filter(|it| it.before != it.after).collect();
    for file in &files {
        let name = visible(&file.path.display().to_string()).into_owned();
        if args.check {
            show(&name, &file.before, &file.after, context)?;
        } else {
            interrupt::whole(|| replace(&file.path, &file.after))
                .map_err(|error| unwritable(&file.path, &error))?;
            writeln!(context.out, "{name}")?;
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.into());
    }
    if args.check && !files.is_empty() {
        context.note(&format!(
            "{} not formatted; `dsrules rules fmt` writes them so.",
            counted(files.len(), "file")
        ));
        return Ok(Exit::Error);
    }
    Ok(Exit::Done)
}

fn stdin(check: bool, context: &mut Context) -> Result<Exit, Failure> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| {
        Diagnostic::error("unreadable-rules", "the standard input cannot be read").because(error.to_string())
    })?;
    let formatted = datalog::format("<stdin>", &text)?;
    if !check {
        write!(context.out, "{formatted}")?;
        return Ok(Exit::Done);
    }
    if text == formatted {
        return Ok(Exit::Done);
    }
    show("<stdin>", &text, &formatted, context)?;
    Ok(Exit::Error)
}

/// Shows what is different.
fn show(name: &str, before: &str, after: &str, context: &mut Context) -> Result<(), Failure> {
    let diff = TextDiff::from_lines(before, after);
    let text = diff.unified_diff().context_radius(3).header(name, "formatted").to_string();
    for line in text.lines() {
        let shown = visible(line);
        let line = match line.chars().next() {
            Some('+') => context.paint.good(&*shown),
            Some('-') => context.paint.bad(&*shown),
            _ => shown.into_owned(),
        };
        writeln!(context.out, "{line}")?;
    }
    Ok(())
}

/// Puts a new text in the place of a file, whole or not at all. A link stays one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.dsrules.tmp"));
    let mut file = File::create_new(&new)?;
    let mut written = || {
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    written().inspect_err(|_| drop(fs::remove_file(&new)))
}

fn unwritable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("unwritable", "the rule file cannot be written")
        .at(Place::file(path.display().to_string()))
        .because(error.to_string())
}
