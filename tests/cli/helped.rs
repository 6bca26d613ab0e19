//! The examples in the help of every command, as somebody types them who has just begun.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::session::Session;

/// They go on until they are stopped.
const GO_ON: [&str; 4] = ["dsrules watch fleet", "dsrules controller", "dsrules agent ", "dsrules serve"];

/// Every command with commands of its own, from its help.
fn commands(session: &Session, path: &str) -> Vec<String> {
    let help = session.quietly(&format!("{path} --help")).out;
    let Some((_, rest)) = help.split_once("Commands:\n") else { return vec![path.to_owned()] };
    let lines = rest.split("\n\n").next().unwrap().lines();
    // What does not fit on a command's line stands further in.
    let names =
        lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    let inner = names.flat_map(|name| commands(session, format!("{path} {name}").trim()));
    let own = (!path.is_empty()).then(|| path.to_owned());
    inner.chain(own).collect()
}

/// The lines that its help shows.
fn examples(session: &Session, command: &str) -> Vec<String> {
    let help = session.quietly(&format!("{command} --help")).out;
    let examples = help.split("Examples:\n").nth(1).unwrap_or_default();
    let lines = examples.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    lines.map(|line| line.trim().split("  ").next().unwrap().to_owned()).collect()
}

/// The folder of `dsrules init`, applied, in git where there is one, and copied for each example.
fn begun() -> (Session, bool) {
    let session = Session::new();
    assert_eq!(session.quietly("init").code, 0);
    assert_eq!(session.quietly("apply fleet -q").code, 0);
    fs::create_dir(session.path("reports")).unwrap();
    let git = |line: &str| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=n", "-c", "user.email=e@x.y", "-c", "init.defaultBranch=main"]);
        git.args(line.split(' '))
            .current_dir(session.path(""))
            .output()
            .is_ok_and(|said| said.status.success())
    };
    let has_git = git("init -q .") && git("add fleet policy tests") && git("commit -q -m begun");
    (session, has_git)
}

fn copied(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    let done = Command::new("cp").arg("-a").arg(from.join(".")).arg(to.path()).status().unwrap();
    assert!(done.success());
    to
}

fn shell(folder: &Path, line: &str, tools: &Path) -> Child {
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", &format!("exec 2>&1; {line}")]).current_dir(folder);
    shell.env("PATH", path).env("DSRULES_NOW", "2026-03-02T09:00:00Z").env("KUBECONFIG", "/nonexistent");
    shell.env_remove("KUBERNETES_SERVICE_HOST");
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What went wrong with one example, if anything did.
fn wrong(folder: &Path, line: &str, tools: &Path) -> Option<String> {
    let goes_on = GO_ON.iter().any(|it| line.starts_with(it)) && !line.contains("--once");
    let mut child = if goes_on {
        // Its own process, so that it is it that is stopped.
        let line = match line {
            "dsrules serve" => "dsrules serve --listen 127.0.0.1:0".to_owned(),
            line => line.replace("127.0.0.1:8002", "127.0.0.1:0").replace("127.0.0.1:2379", "127.0.0.1:1"),
        };
        shell(folder, &format!("exec {line}"), tools)
    } else {
        // What is pruned was applied from where it is.
        let before = if line.contains("--prune") { "dsrules apply fleet -q; " } else { "" };
        // Nothing of this machine is to be asked.
        let line = line.replace("127.0.0.1:2379", "127.0.0.1:1");
        shell(folder, &format!("{before}{line}"), tools)
    };
    if goes_on {
        thread::sleep(Duration::from_millis(1000));
        if let Some(status) = child.try_wait().unwrap() {
            let text = told(child);
            let without = text.contains("etcd-unreachable");
            return (!without).then(|| format!("{line}: ended by itself: {status}: {text}"));
        }
        let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while child.try_wait().unwrap().is_none() && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        return None;
    }
    let said = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let without = (line.contains("--cluster") && text.contains("kubeconfig"))
        || (line.contains("--store") && text.contains("etcd-unreachable"))
        // There is no snapshot of a shared store here.
        || (line.starts_with("dsrules restore") && text.contains("`backup.json` cannot be read"));
    if said.status.success() || without { None } else { Some(format!("{line}: {}: {text}", said.status)) }
}

fn told(child: Child) -> String {
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}

#[test]
fn every_command_has_two_examples_and_they_run() {
    let (session, has_git) = begun();
    let tools = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dsrules"), tools.path().join("dsrules")).unwrap();
    let mut lines = Vec::new();
    for command in commands(&session, "").into_iter().chain(["version".to_owned(), "help".to_owned()]) {
        let examples = examples(&session, &command);
        assert!(examples.len() >= 2, "`dsrules {command} --help` has no two examples: {examples:?}");
        lines.extend(examples);
    }
    assert!(lines.len() > 60, "{lines:?}");
    if !has_git {
        println!("skipped: there is no git");
        lines.retain(|line| !line.contains("diff main"));
    }
    let (left, found) = (Mutex::new(lines), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(line) = left.lock().unwrap().pop() else { return };
                    let folder = copied(&session.path(""));
                    found.lock().unwrap().extend(wrong(folder.path(), &line, tools.path()));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
