//! Which podman it is, and whether it is new enough.

use std::fmt;

use super::command::Command;
use crate::diagnostic::Diagnostic;

/// The first that does all that is asked of it (`kube down`, `--build=false`).
const LEAST: Version = Version(4, 3, 0);

/// A version of podman.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(pub(super) u32, pub(super) u32, pub(super) u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Version {
    /// That of the program, which has to be new enough.
    pub(super) fn of(podman: &Command) -> Result<Self, Diagnostic> {
        let said = podman.ask(&["--version"]).map_err(|fault| fault.told())?;
        let line = said.trim();
        let Some(version) = line.strip_prefix("podman version ").and_then(Version::read) else {
            let message =
                format!("`{} --version` says `{line}`, which is no version of podman", podman.program);
            return Err(Diagnostic::error("podman-missing", message)
                .help(format!("name podman {LEAST} or newer with `--podman`")));
        };
        if version < LEAST {
            let message = format!("podman {LEAST} or newer is needed, and this is {version}");
            return Err(Diagnostic::error("podman-old", message)
                .help("upgrade podman, or name a newer one with `--podman`"));
        }
        Ok(version)
    }

    /// `4.3.1`, `5.0.0-rc2`.
    fn read(text: &str) -> Option<Self> {
        let plain = text.split(['-', '+', ' ']).next()?;
        let mut parts = plain.split('.').map(|part| part.parse().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        Some(Version(major, minor, parts.next().flatten().unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(says: &str) -> Result<Version, Diagnostic> {
        let options = vec!["-c".to_owned(), format!("echo '{says}'")];
        Version::of(&Command { program: "sh".to_owned(), options, folder: "/".into() })
    }

    #[test]
    fn an_old_one_or_another_program_is_refused() {
        assert_eq!(asked("podman version 4.3.1").unwrap(), Version(4, 3, 1));
        assert_eq!(asked("podman version 5.1.0-rc2").unwrap(), Version(5, 1, 0));
        let old = asked("podman version 3.4.4").unwrap_err();
        assert_eq!(old.message, "podman 4.3.0 or newer is needed, and this is 3.4.4");
        assert_eq!(asked("Docker version 20.10").unwrap_err().code, "podman-missing");
    }
}
