//! `dsrules init [DIR]`: a small working folder to begin with, whose comments teach.
//!
//! It is `examples/start`. Nothing that is there is ever written over: where one of its files
//! stands already, nothing is written at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use dsrules::diagnostic::{Diagnostic, Place};

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};
use crate::cli::interrupt;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder, which is made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

/// The files, by their paths in the folder.
const FILES: [(&str, &str); 10] = [
    ("README.md", include_str!("../../../examples/start/README.md")),
    ("fleet/nodes.yaml", include_str!("../../../examples/start/fleet/nodes.yaml")),
    ("fleet/log-agent.yaml", include_str!("../../../examples/start/fleet/log-agent.yaml")),
    ("fleet/local-db.yaml", include_str!("../../../examples/start/fleet/local-db.yaml")),
    ("fleet/dsrules.yaml", include_str!("../../../examples/start/fleet/dsrules.yaml")),
    ("policy/own.dl", include_str!("../../../examples/start/policy/own.dl")),
    (
        "tests/no-database-on-spot/nodes.yaml",
        include_str!("../../../examples/start/tests/no-database-on-spot/nodes.yaml"),
    ),
    (
        "tests/no-database-on-spot/dsrules.yaml",
        include_str!("../../../examples/start/tests/no-database-on-spot/dsrules.yaml"),
    ),
    (
        "tests/no-database-on-spot/expected-plan.yaml",
        include_str!("../../../examples/start/tests/no-database-on-spot/expected-plan.yaml"),
    ),
    (
        ".github/workflows/daemonsets.yml",
        include_str!("../../../examples/start/.github/workflows/daemonsets.yml"),
    ),
];

/// Writes the folder, and says what to do there.
pub fn run(args: &InitArgs, context: &mut Context) -> Result<Exit, Failure> {
    let there: Vec<&str> = FILES
        .map(|(name, _)| name)
        .into_iter()
        .filter(|name| args.dir.join(name).symlink_metadata().is_ok())
        .collect();
    if let Some(first) = there.first() {
        return Err(taken(&args.dir, first, there.len()).into());
    }
    interrupt::whole(|| write_all(&args.dir))?;
    for (name, _) in FILES {
        let path = args.dir.join(name);
        if !context.quiet {
            writeln!(context.out, "wrote {}", path.display())?;
        }
    }
    context.out.flush()?;
    let go = match args.dir.as_os_str().to_str() {
        Some(".") => String::new(),
        _ => format!("  cd {}\n", args.dir.display()),
    };
    context.note(&format!(
        "\nTo begin with:\n{go}  dsrules plan fleet                 what would be done, and why\n  \
         dsrules apply fleet                do it, in the file dsrules.db\n  \
         dsrules explain local-db spot-1    why is there no pod?\n  \
         dsrules test tests                 are the rules as expected?"
    ));
    Ok(Exit::Done)
}

fn write_all(dir: &Path) -> Result<(), Diagnostic> {
    FILES.iter().try_for_each(|(name, text)| {
        let path = dir.join(name);
        write(&path, text).map_err(|error| unwritten(&path, &error))
    })
}

/// Writes a file that is not there.
fn write(path: &Path, text: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::File::create_new(path)?.write_all(text.as_bytes())
}

fn taken(dir: &Path, first: &str, count: usize) -> Diagnostic {
    let what = format!("`{}` is there already, and nothing is written over", dir.join(first).display());
    let told = Diagnostic::error("file-exists", what).at(Place::file(dir.display().to_string()));
    let told = if count > 1 { told.because(format!("and {} more", count - 1)) } else { told };
    told.help("name another folder, as `dsrules init fleet-of-ours`; nothing was written")
}

fn unwritten(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("output", format!("`{}` cannot be written: {error}", path.display()))
        .help("name a folder that you may write to, as `dsrules init ~/fleet`")
}
