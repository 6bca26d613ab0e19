//! One call of podman: what it was told, what it answered, and no longer than it may take.
//!
//! podman runs in a folder of our own, in which no directory is called like an image: `kube
//! play` would build that. Its environment is ours, so `CONTAINERS_CONF` and a registry's
//! credentials are found. What podman is given to read goes to its standard input: secrets
//! stand in no file and on no command line.

use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{self, Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use super::fault::Fault;

/// How long a question may take, and whatever only looks.
pub(super) const ASK: Duration = Duration::from_secs(10);
/// How long a step that changes something may take, above the time that the step asks for.
pub(super) const CHANGE: Duration = Duration::from_secs(120);
/// How long an image may take to come.
pub(super) const PULL: Duration = Duration::from_secs(900);

/// How podman is called.
#[derive(Debug, Clone)]
pub(super) struct Command {
    /// The program.
    pub(super) program: String,
    /// Options that stand before every subcommand.
    pub(super) options: Vec<String>,
    /// The folder that it runs in.
    pub(super) folder: PathBuf,
}

impl Command {
    /// Its program and all its words.
    pub(super) fn line<'a>(&'a self, words: &[&'a str]) -> (&'a str, Vec<&'a str>) {
        (&self.program, self.options.iter().map(String::as_str).chain(words.iter().copied()).collect())
    }

    /// What podman answers to `words`, given `input` to read.
    pub(super) fn run(&self, words: &[&str], input: &str, within: Duration) -> Result<String, Fault> {
        let (program, all) = self.line(words);
        let started = process::Command::new(program)
            .args(all)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.map_err(|error| match error.kind() {
            ErrorKind::NotFound if self.folder.is_dir() => Fault::Missing(program.to_owned()),
            _ => Fault::Unstarted(program.to_owned(), error.to_string()),
        })?;
        let (out, err) = (reader(child.stdout.take()), reader(child.stderr.take()));
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // One that reads nothing must not keep us writing.
            thread::spawn(move || stdin.write_all(input.as_bytes()));
        }
        let Some(code) = wait(&mut child, within) else {
            return Err(Fault::Hung(said(words), within));
        };
        let (out, err) = (told(&out), told(&err));
        if code == Some(0) { Ok(out) } else { Err(Fault::Failed { words: said(words), code, out, err }) }
    }

    /// What podman answers to a question.
    pub(super) fn ask(&self, words: &[&str]) -> Result<String, Fault> {
        self.run(words, "", ASK)
    }
}

/// The subcommand among some words, as a person knows it.
fn said(words: &[&str]) -> String {
    let named = words.iter().take_while(|word| !word.starts_with('-')).take(2);
    let known = named.filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
    known.copied().collect::<Vec<_>>().join(" ")
}

/// How it ended, or `None` where it did not in time; then it is killed. A code is missing
/// where a signal ended it.
fn wait(child: &mut Child, within: Duration) -> Option<Option<i32>> {
    let (mut waited, mut step) = (Duration::ZERO, Duration::from_millis(1));
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.code()),
            Ok(None) if waited < within => {
                thread::sleep(step);
                waited += step;
                step = (step * 2).min(Duration::from_millis(20));
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Reads a stream to its end, in a thread of its own.
fn reader(stream: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    if let Some(mut stream) = stream {
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                if send.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
    }
    receive
}

/// What has been read. A child of podman's that keeps the stream open is not waited for.
fn told(stream: &Receiver<Vec<u8>>) -> String {
    let mut all = Vec::new();
    while let Ok(read) = stream.recv_timeout(Duration::from_millis(500)) {
        all.extend(read);
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shell(script: &str, input: &str, within: Duration) -> Result<String, Fault> {
        let options = vec!["-c".to_owned(), script.to_owned()];
        Command { program: "sh".to_owned(), options, folder: "/".into() }.run(
            &["pod", "ps", "-a"],
            input,
            within,
        )
    }

    #[test]
    fn what_it_says_is_handed_back() {
        assert_eq!(shell("pwd; cat", "read me", ASK).unwrap(), "/\nread me");
        // More than a pipe holds, and input that nobody reads.
        assert_eq!(shell("head -c 300000 /dev/zero", &"x".repeat(300_000), ASK).unwrap().len(), 300_000);
    }

    #[test]
    fn one_that_fails_or_hangs_or_is_not_there_is_told() {
        let failed = shell("echo 'Error: no such pod' >&2; exit 125", "", ASK).unwrap_err();
        assert_eq!(failed.told().message, "`podman pod ps` failed: no such pod");
        let hung = shell("exec sleep 60", "", Duration::from_millis(50)).unwrap_err();
        assert_eq!(hung.told().code, "podman-hung");
        let command = Command { program: "no-such-podman".to_owned(), options: vec![], folder: "/".into() };
        assert_eq!(command.ask(&["version"]).unwrap_err().told().code, "podman-missing");
    }

    #[test]
    fn who_keeps_the_stream_open_is_not_waited_for() {
        assert_eq!(shell("sleep 30 & echo done", "", ASK).unwrap(), "done\n");
    }
}
