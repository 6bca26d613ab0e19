//! `dsrules diff`: what a change does to the fleet, of folders and of git revisions; in real
//! repositories, and as the examples for CI run it.
#![allow(clippy::unwrap_used)]

#[path = "diff/ci.rs"]
mod ci;
#[path = "diff/revisions.rs"]
mod revisions;
#[path = "cli/session.rs"]
#[allow(dead_code)]
mod session;
#[path = "diff/told.rs"]
mod told;

use std::path::Path;
use std::process::{Command, Output};

use session::{Session, daemonset, node, nodes};

/// A fleet in the folder `name`: nodes a, b and c, an agent on all of them.
fn fleet(session: &Session, name: &str) {
    session.write(&format!("{name}/nodes.yaml"), nodes(&["a", "b", "c"]));
    session.write(&format!("{name}/agent.yaml"), daemonset("agent", "agent:1", "", ""));
    session.write(&format!("{name}/logs.yaml"), daemonset("logs", "logs:1", "", ""));
}

/// The same after a change of everything: a node more and one less, a taint, an image, a daemonset.
fn changed(session: &Session, name: &str) {
    let all = [node("a", "", ""), node("b", "", "dedicated=db:NoExecute"), node("d", "", "")].join("---\n");
    session.write(&format!("{name}/nodes.yaml"), all);
    session.write(&format!("{name}/agent.yaml"), daemonset("agent", "agent:2", "", ""));
    session.write(&format!("{name}/probe.yaml"), daemonset("probe", "probe:1", "", ""));
    session.write(&format!("{name}/logs.yaml"), daemonset("logs", "logs:1", "", ""));
}

/// Runs git in a folder, as someone who has a name; `None` where there is no git.
fn git(folder: &Path, line: &str) -> Option<Output> {
    let said = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=n", "-c", "user.email=e@x.y", "-c", "init.defaultBranch=main"])
        .args(["-c", "commit.gpgsign=false", "-c", "core.hooksPath=.git/hooks"])
        .args(line.split(' '))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output();
    let Ok(said) = said else {
        println!("skipped: there is no git");
        return None;
    };
    Some(said)
}

/// The same, which must end well.
fn done(folder: &Path, line: &str) -> Option<String> {
    let said = git(folder, line)?;
    assert!(said.status.success(), "git {line}: {}", String::from_utf8_lossy(&said.stderr));
    Some(String::from_utf8(said.stdout).unwrap().trim().to_owned())
}

/// A repository in the session's folder, with the fleet on `main` and its change on `change`.
fn repository() -> Option<Session> {
    let session = Session::new();
    let here = session.path("");
    done(&here, "init -q .")?;
    fleet(&session, "fleet");
    session.write("README.md", "not a manifest");
    done(&here, "add .")?;
    done(&here, "commit -q -m first")?;
    done(&here, "checkout -q -b change")?;
    session.remove("fleet/nodes.yaml");
    changed(&session, "fleet");
    done(&here, "add .")?;
    done(&here, "commit -q -m second")?;
    done(&here, "checkout -q main")?;
    Some(session)
}
