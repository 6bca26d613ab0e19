//! What podman says when something fails, as one line for a person.
//!
//! podman writes several lines, with logs and long ids among them; the one that says why is
//! found, and known causes get a code, a help, and the word that a kubelet has for them.

use std::time::Duration;

use crate::diagnostic::Diagnostic;

/// Why a call of podman came to nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no such program.
    Missing(String),
    /// It could not be started: program, reason.
    Unstarted(String, String),
    /// It did not end in time: what was asked of it, and how long it had.
    Hung(String, Duration),
    /// It failed.
    Failed {
        /// What was asked of it.
        words: String,
        /// Its exit code; `None` where a signal ended it.
        code: Option<i32>,
        /// What it wrote.
        out: String,
        /// What it complained of.
        err: String,
    },
}

/// What is known of a cause: words that podman's line has, the code, what to do.
const CAUSES: [(&str, &str, &str); 8] = [
    ("address already in use", "port-taken", "stop what uses the port, or give the daemonset another one"),
    (
        "no space left on device",
        "disk-full",
        "make room: `podman image prune` removes images that nothing uses",
    ),
    ("disk quota exceeded", "disk-full", "make room: `podman image prune` removes images that nothing uses"),
    (
        "netavark: No such file or directory",
        "podman-network",
        "install iptables, which podman's networks need, or set `hostNetwork: true`",
    ),
    (
        "image not known",
        "image-missing",
        "load the image on this machine (`podman load`), or let it be pulled",
    ),
    (
        "attempted to invoke a command that was not found",
        "command-missing",
        "check `command` of the container against what the image has",
    ),
    (
        "executable file not found",
        "command-missing",
        "check `command` of the container against what the image has",
    ),
    ("permission denied", "podman-denied", "run the agent as root, or as a user that podman is set up for"),
];

/// The word that a kubelet has for what a code says; `None` where it has none.
#[must_use]
pub fn reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "image-missing" => "ErrImageNeverPull",
        "image-pull" => "ErrImagePull",
        "object-missing" | "runs-as-root" | "pod-field" => "CreateContainerConfigError",
        "port-taken" => "HostPortConflict",
        "command-missing" => "RunContainerError",
        "podman-failed" | "podman-network" | "disk-full" => "CreateContainerError",
        _ => return None,
    })
}

impl Fault {
    /// As it is told.
    pub(super) fn told(&self) -> Diagnostic {
        match self {
            Fault::Missing(program) => {
                Diagnostic::error("podman-missing", format!("`{program}` is not on this machine"))
                    .help("install podman 4.3 or newer (Debian, Ubuntu: `apt install podman`), or say where it is with `--podman`")
            }
            Fault::Unstarted(program, error) => {
                Diagnostic::error("podman-failed", format!("`{program}` could not be started: {error}"))
            }
            Fault::Hung(words, within) => Diagnostic::error(
                "podman-hung",
                format!("`podman {words}` did not end within {} s and was stopped", within.as_secs()),
            )
            .help("look what holds it up with `podman ps` and `podman system info`; it is tried again"),
            Fault::Failed { words, .. } => {
                let line = self.line();
                let failed = Diagnostic::error(
                    self.cause().map_or("podman-failed", |(_, code, _)| code),
                    format!("`podman {words}` failed: {line}"),
                );
                match self.cause() {
                    Some((_, _, help)) => failed.help(*help),
                    None => failed,
                }
            }
        }
    }

    /// The cause, where it is a known one.
    fn cause(&self) -> Option<&'static (&'static str, &'static str, &'static str)> {
        let line = self.line();
        CAUSES.iter().find(|(words, ..)| line.contains(words))
    }

    /// The line that says why.
    pub(super) fn line(&self) -> String {
        let Fault::Failed { code, out, err, .. } = self else { return self.told().message };
        let lines = || err.lines().chain(out.lines()).map(str::trim).filter(|line| !line.is_empty());
        let plain = lines().filter(|line| !line.starts_with("time=") && !line.starts_with("Trying to pull"));
        // What `kube play` says of each container tells more than its summary.
        let mut ranked: Vec<&str> =
            plain.filter(|line| !line.chars().all(|c| c.is_ascii_hexdigit())).collect();
        ranked.sort_by_key(|line| match line {
            line if line.contains("starting container ") && !line.contains("a dependency of container") => 0,
            line if line.starts_with("Error: failed to start ") => 2,
            line if line.starts_with("Error: ") => 1,
            _ => 3,
        });
        match ranked.first() {
            Some(line) => without_ids(line.trim_start_matches("Error: ").trim_matches(['[', ']'])),
            None => code.map_or("a signal ended it".to_owned(), |code| format!("it ended with code {code}")),
        }
    }
}

/// A line without the ids of 64 digits that only podman knows, nor the words that announce one.
fn without_ids(line: &str) -> String {
    let is_id = |word: &str| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        if !is_id(word.trim_end_matches([':', ',']).trim_matches('"')) {
            words.push(word.to_owned());
            continue;
        }
        while words.last().is_some_and(|word| ANNOUNCE.contains(&word.as_str())) {
            words.pop();
        }
        if let Some(last) = words.last_mut().filter(|last| word.ends_with(':') && !last.ends_with(':')) {
            last.push(':');
        }
    }
    words.join(" ")
}

/// Words before an id that say nothing without it.
const ANNOUNCE: [&str; 6] = ["container", "starting", "pod", "on", "with", "ID"];

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(out: &str, err: &str) -> Fault {
        let (out, err) = (out.to_owned(), err.to_owned());
        Fault::Failed { words: "kube play".to_owned(), code: Some(125), out, err }
    }

    #[test]
    fn the_line_that_says_why_is_found() {
        let id = "4703548d94f0cd3e0e649fbe89198db126d333761b8d4adcec9698feafcd5ad9";
        let network = failed(
            &format!("Pod:\n{id}\n"),
            &format!(
                "starting container {id}: netavark: No such file or directory (os error 2)\nstarting container {id}: a dependency of container {id} failed to start: container state improper\nError: failed to start 2 containers\n"
            ),
        );
        assert_eq!(network.line(), "netavark: No such file or directory (os error 2)");
        assert_eq!(network.told().code, "podman-network");
        let image =
            failed("", "time=\"2026\" level=warning msg=\"x\"\nError: localhost/server:2: image not known\n");
        assert_eq!(image.line(), "localhost/server:2: image not known");
        assert_eq!(reason(image.told().code), Some("ErrImageNeverPull"));
        let folder = failed(
            "",
            &format!("starting container {id}: workdir \"/tmp\" does not exist on container {id}\n"),
        );
        assert_eq!(folder.line(), "workdir \"/tmp\" does not exist");
        let full = failed(
            "",
            &format!("Error: creating read-write layer with ID \"{id}\": no space left on device\n"),
        );
        assert_eq!(full.line(), "creating read-write layer: no space left on device");
        assert_eq!(full.told().code, "disk-full");
        assert_eq!(failed("", "").line(), "it ended with code 125");
    }

    #[test]
    fn known_causes_say_what_to_do() {
        for (words, code, help) in CAUSES {
            let told = failed("", &format!("Error: something: {words}")).told();
            assert_eq!((told.code, told.help.as_deref()), (code, Some(help)));
        }
        assert_eq!(failed("", "Error: boom").told().help, None);
    }
}
