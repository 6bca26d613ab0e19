//! Commands as a person types them, one after the other in one shell.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::page::{Command, Folder};

/// What stands in the output behind each command, around its exit code.
const MARK: char = '\u{1}';

/// What pages call the working folder.
const CALLED: &str = "/srv/dsrules";

/// Longer than any page takes, on a busy machine too.
const LONGEST: Duration = Duration::from_secs(600);

/// What a command printed. Without a code it came to no end.
pub struct Said {
    pub text: String,
    pub code: Option<i32>,
}

/// Runs the commands in a fresh folder.
pub fn run(root: &Path, folder: &Folder, commands: &[&Command]) -> Vec<Said> {
    let place = tempfile::tempdir().unwrap();
    let here = place.path().join("here");
    fs::create_dir_all(place.path().join("home")).unwrap();
    match folder {
        Folder::Empty => fs::create_dir(&here).unwrap(),
        Folder::Examples => copy(&root.join("examples"), &here.join("examples")),
        Folder::CopyOf(name) => copy(&root.join(name), &here),
    }
    let at = here.to_str().unwrap();
    let script: String = commands
        .iter()
        .map(|it| format!("{}\n_ended=$?; printf '{MARK}%s{MARK}\\n' $_ended; (exit $_ended)\n", it.text))
        .collect();
    fs::write(place.path().join("script"), script.replace(CALLED, at)).unwrap();
    let printed = place.path().join("printed");
    let output = fs::OpenOptions::new().create(true).append(true).open(&printed).unwrap();
    let mut shell = std::process::Command::new("sh");
    shell.arg(place.path().join("script")).current_dir(&here).stdin(Stdio::null());
    surround(&mut shell, &place.path().join("home"));
    shell.stdout(output.try_clone().unwrap()).stderr(output);
    let mut shell = shell.process_group(0).spawn().unwrap();
    let begun = Instant::now();
    while shell.try_wait().unwrap().is_none() && begun.elapsed() < LONGEST {
        std::thread::sleep(Duration::from_millis(5));
    }
    // And what it left in the background.
    let _ = rustix::process::kill_process_group(
        rustix::process::Pid::from_child(&shell),
        rustix::process::Signal::KILL,
    );
    shell.wait().unwrap();
    said(&fs::read_to_string(printed).unwrap().replace(at, CALLED), commands.len())
}

/// What surrounds the commands is the same on each machine.
fn surround(shell: &mut std::process::Command, home: &Path) {
    let program = Path::new(env!("CARGO_BIN_EXE_dsrules")).parent().unwrap().to_str().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let time = "2026-03-02T09:00:00Z";
    shell.env_clear().env("HOME", home).env("PATH", format!("{program}:{path}"));
    for (name, value) in [
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        ("DSRULES_NOW", time),
        ("DSRULES_BY", "ana@laptop"),
        ("GIT_AUTHOR_NAME", "Ana"),
        ("GIT_AUTHOR_EMAIL", "ana@example.com"),
        ("GIT_AUTHOR_DATE", time),
        ("GIT_COMMITTER_NAME", "Ana"),
        ("GIT_COMMITTER_EMAIL", "ana@example.com"),
        ("GIT_COMMITTER_DATE", time),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "init.defaultBranch"),
        ("GIT_CONFIG_VALUE_0", "main"),
    ] {
        shell.env(name, value);
    }
}

/// What is printed, by commands.
fn said(printed: &str, commands: usize) -> Vec<Said> {
    let mut pieces = printed.split(MARK);
    let mut all = Vec::new();
    for _ in 0..commands {
        let text = pieces.next().unwrap_or("");
        let text = if all.is_empty() { text } else { text.strip_prefix('\n').unwrap_or(text) };
        let code = pieces.next().and_then(|code| code.parse().ok());
        all.push(Said { text: text.to_owned(), code });
    }
    all
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.unwrap();
        let to = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
