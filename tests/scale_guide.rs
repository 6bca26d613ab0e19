//! docs/scale.md leads from nothing to a fleet: its commands are run here as they stand there, in one
//! shell, with real members of etcd and real containers.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

#[path = "podman/machine.rs"]
#[allow(dead_code)]
mod machine;
#[path = "etcd/members.rs"]
mod members;

use machine::Machine;
use rustix::process::{Pid, Signal, kill_process_group};

/// Whatever is waited for has come by then.
const HANGS: Duration = Duration::from_secs(60);

/// The commands of the page, in order.
fn commands() -> Vec<String> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md")).unwrap();
    let guide = page.split("## From nothing to a fleet").nth(1).unwrap();
    let guide = guide.split("\n## ").next().unwrap();
    let steps = guide.split("\n**").skip(1);
    let code = |step: &str| {
        step.split("\n```sh\n").nth(1).and_then(|it| it.split("\n```").next()).map(str::to_owned)
    };
    steps.filter_map(code).collect()
}

/// A shell as a person has it, on a machine of its own.
struct Shell {
    machine: Machine,
    folder: tempfile::TempDir,
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    /// What stands for `127.0.0.` here: others have these ports.
    net: String,
}

impl Shell {
    fn new() -> Shell {
        let machine = Machine::new();
        let folder = tempfile::tempdir().unwrap();
        let tools = folder.path().join("tools");
        fs::create_dir_all(&tools).unwrap();
        let (variable, value) = machine.environment();
        let (value, options) = (value.display(), machine.options().join(" "));
        // The next one that is called so.
        let podman = format!(
            "#!/bin/sh\nexport {variable}={value} PATH=\"${{PATH#*:}}\"\nexec podman {options} \"$@\"\n"
        );
        fs::write(tools.join("podman"), podman).unwrap();
        fs::set_permissions(tools.join("podman"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_dsrules")).parent().unwrap();
        let path = format!("{}:{}:{}", tools.display(), program.display(), std::env::var("PATH").unwrap());
        let mut child = Command::new("bash")
            .args(["--norc", "--noprofile"])
            .current_dir(folder.path().join("home"))
            .env("PATH", path)
            .env("NO_COLOR", "1")
            .env_remove("DSRULES_DB")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (said, lines) = channel();
        thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|it| said.send(it))
        });
        let id = std::process::id();
        let net = format!("127.{}.{}.", 10 + id / 250 % 200, id % 250);
        let mut shell = Shell { machine, folder, child, stdin, lines, net };
        shell.run("exec 2>&1");
        shell
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("home").join(name)
    }

    /// What a command says.
    fn run(&mut self, command: &str) -> String {
        const END: &str = "--- done:";
        let command = command.replace("127.0.0.", &self.net);
        writeln!(self.stdin, "{command}\nprintf '\\n{END} %s\\n' $?").unwrap();
        let (mut said, until) = (String::new(), Instant::now() + HANGS);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("{command}\n hangs: {said}"));
            match line.strip_prefix(END) {
                Some(" 0") => return said,
                Some(code) => panic!("{command}\nends with{code}: {said}\n{}", self.logs()),
                None => said = said + &line + "\n",
            }
        }
    }

    /// Runs a command until what it says is as it should be; gives all that it said.
    fn until(&mut self, what: &str, command: &str, is_so: impl Fn(&str) -> bool) -> Vec<String> {
        let (mut all, start) = (Vec::new(), Instant::now());
        loop {
            let said = self.run(command);
            let is_over = is_so(&said);
            all.push(said);
            if is_over {
                println!("{what}: {:.1} s", start.elapsed().as_secs_f64());
                return all;
            }
            assert!(start.elapsed() < HANGS, "{what} does not come: {all:?}\n{}", self.logs());
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn logs(&self) -> String {
        let files = fs::read_dir(self.path("")).unwrap().map(|it| it.unwrap().path());
        let logs = files.filter(|it| it.extension().is_some_and(|it| it == "log"));
        let ours = logs.filter(|it| !it.display().to_string().contains("etcd-"));
        let told =
            |it: PathBuf| format!("{}:\n{}", it.display(), fs::read_to_string(&it).unwrap_or_default());
        ours.map(told).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // What the last command ends, where it did not come to that.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn count(said: &str, what: &str) -> usize {
    said.matches(what).count()
}

#[test]
fn a_person_who_does_as_the_page_says_has_a_fleet() {
    if !members::is_there() || !machine::is_there("a_person_who_does_as_the_page_says_has_a_fleet") {
        return;
    }
    let commands = commands();
    assert_eq!(commands.len(), 15, "{commands:?}");
    let mut shell = Shell::new();
    for tag in ["1.36", "1.37"] {
        shell.machine.image(&format!("docker.io/library/busybox:{tag}"));
    }
    let containers = "podman ps --filter name=-web$ --format '{{.Image}} {{.Status}}'";
    let node = "etcdctl get --print-value-only shop/v1/nodes//shop-3";
    let (running, taint) = (" Up ", "node.kubernetes.io/unreachable");
    for (nth, command) in (1..).zip(&commands) {
        println!("{nth}: {command}");
        let said = shell.run(command);
        match nth {
            6 => drop(shell.until("containers", containers, |it| count(it, running) == 3)),
            7 => assert!(count(&said, "busybox:1.36 ") >= 3, "{said}"),
            8 => assert_eq!(count(&said, "shop/v1/pods/shop-"), 3, "{said}"),
            10 => {
                let seen = shell.until("the new version", containers, |it| count(it, "1.37 Up ") == 3);
                assert!(seen.iter().all(|it| count(it, running) >= 2), "{seen:?}");
            }
            11 => drop(shell.until("what was killed", containers, |it| count(it, running) == 3)),
            12 => {
                assert!(said.contains(taint), "{said}");
                assert_eq!(count(&shell.run(containers), running), 3);
            }
            13 => drop(shell.until("the node", node, |it| !it.contains(taint))),
            14 => assert!(shell.run(node).contains("shop-3")),
            15 => assert_eq!(shell.run("podman pod ps --quiet").trim(), ""),
            _ => {}
        }
    }
}
