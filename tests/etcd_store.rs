//! A store shared through etcd: machines with replicas of their own, that write at once, end in
//! between and come back, against a real etcd.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "etcd_store/beside.rs"]
mod beside;
#[path = "etcd/members.rs"]
mod members;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use members::{Members, etcdctl, free_ports};
use tempfile::TempDir;

/// A machine: a folder with a replica of its own.
struct Machine {
    folder: TempDir,
    store: String,
}

impl Machine {
    fn new(store: &str) -> Machine {
        Machine { folder: TempDir::new().unwrap(), store: store.to_owned() }
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("dsrules"));
        command
            .args(args.split_whitespace())
            .current_dir(self.folder.path())
            .env("DSRULES_STORE", &self.store)
            .env("DSRULES_NOW", "2026-03-02T09:00:00Z")
            .env_remove("DSRULES_DB")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &str) -> Output {
        self.command(args).output().unwrap()
    }

    fn ok(&self, args: &str) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "{args}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    fn fails(&self, args: &str) -> String {
        let out = self.run(args);
        assert!(!out.status.success(), "{args}: {}", String::from_utf8_lossy(&out.stdout));
        String::from_utf8(out.stderr).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What happened; what did at the same second stands in any order.
    fn events(&self) -> String {
        let told = self.ok("get events -A");
        let mut lines: Vec<&str> = told.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// All objects, as text.
    fn all(&self) -> String {
        ["nodes", "daemonsets -A", "controllerrevisions -A", "pods -A", "namespaces"]
            .map(|what| self.ok(&format!("get {what} -o json")))
            .join("\n")
            + &self.events()
    }
}

/// Two machines have the same to say.
fn same(a: &Machine, b: &Machine) {
    let (a, b) = (a.all(), b.all());
    let differs = a.lines().zip(b.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None);
    assert_eq!(a.lines().count(), b.lines().count());
}

fn nodes(count: usize) -> String {
    (0..count)
        .map(|nth| {
            format!(
                "---\n{{apiVersion: v1, kind: Node, metadata: {{name: n{nth:04}, labels: {{disk: ssd}}}}}}\n"
            )
        })
        .collect()
}

fn daemonset(name: &str, image: &str) -> String {
    format!(
        "---\n{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: {name}, namespace: default}}, spec: {{
        selector: {{matchLabels: {{app: {name}}}}}, updateStrategy: {{rollingUpdate: {{maxUnavailable: 100%}}}},
        template: {{metadata: {{labels: {{app: {name}}}}},
        spec: {{containers: [{{name: main, image: '{image}'}}]}}}}}}}}\n"
    )
}

#[test]
fn machines_have_the_same() {
    let Some(members) = Members::start(1) else { return };
    let (a, b) = (Machine::new(&members.store("fleet")), Machine::new(&members.store("fleet")));
    let told = b.fails("get pods -A");
    assert!(told.contains("there is no store"), "{told}");
    a.write("a.yaml", &(nodes(150) + &daemonset("web", "web:1")));
    a.ok("apply a.yaml");
    assert_eq!(a.ok("get pods -A -o name").lines().count(), 150);
    same(&a, &b);
    // The other one changes them, and a file alone has the same to say.
    b.write("b.yaml", &daemonset("web", "web:2"));
    b.ok("apply b.yaml");
    same(&b, &a);
    let c = Machine::new(&members.store("fleet"));
    same(&c, &a);
    assert_eq!(a.ok("explain web n0001"), c.ok("explain web n0001"));
    let alone = Machine::new("");
    fs::copy(a.path().join("a.yaml"), alone.path().join("a.yaml")).unwrap();
    fs::copy(b.path().join("b.yaml"), alone.path().join("b.yaml")).unwrap();
    alone.ok("apply a.yaml");
    alone.ok("apply b.yaml");
    assert_eq!(alone.ok("get pods -A -o wide"), c.ok("get pods -A -o wide"));
    // Nothing to do is nothing written.
    let head = || etcdctl(&members.endpoint(0), &["get", "fleet/v1/term", "-w", "json"]);
    a.ok("apply a.yaml");
    let before = head();
    a.ok("apply a.yaml");
    a.ok("plan a.yaml");
    assert_eq!(head(), before);
    // What is pruned and deleted goes for all.
    b.ok("delete ds web -n default --max-delete 100%");
    assert_eq!(a.ok("get pods -A -o name"), "");
    same(&a, &b);
    // A replica alone is not written to.
    let told = Command::new(assert_cmd::cargo::cargo_bin!("dsrules"))
        .args(["apply", "a.yaml", "--db", "dsrules.replica.db"])
        .env_remove("DSRULES_STORE")
        .current_dir(a.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&told.stderr).contains("is a replica of"));
}

#[test]
fn a_replica_is_made_anew_where_history_is_compacted() {
    let Some(members) = Members::start(1) else { return };
    let (a, b) = (Machine::new(&members.store("fleet")), Machine::new(&members.store("fleet")));
    a.write("a.yaml", &(nodes(20) + &daemonset("web", "web:1")));
    a.ok("apply a.yaml");
    b.all();
    a.write("a.yaml", &(nodes(15) + &daemonset("other", "other:1")));
    a.ok("apply a.yaml --prune --max-delete 100%");
    a.ok("apply a.yaml --prune");
    let listed = etcdctl(&members.endpoint(0), &["get", "fleet/v1/term", "-w", "fields"]);
    let revision =
        listed.lines().find_map(|line| line.strip_prefix("\"Revision\" : ")).unwrap().trim().to_owned();
    etcdctl(&members.endpoint(0), &["compact", &revision]);
    same(&a, &b);
    // Without a replica it is the same.
    fs::remove_file(b.path().join("dsrules.replica.db")).unwrap();
    same(&a, &b);
}

#[test]
fn two_at_once_lose_nothing() {
    let Some(members) = Members::start(1) else { return };
    let machines: Vec<Machine> = (0..3).map(|_| Machine::new(&members.store("fleet"))).collect();
    machines.iter().for_each(|machine| machine.write("n.yaml", &nodes(20)));
    machines[0].ok("apply n.yaml");
    std::thread::scope(|scope| {
        for (at, machine) in machines.iter().enumerate() {
            scope.spawn(move || {
                for nth in 0..2 {
                    machine.write("d.yaml", &daemonset(&format!("d{at}-{nth}"), "x:1"));
                    machine.ok("apply d.yaml");
                    machine.write("shared.yaml", &daemonset("shared", &format!("x:{at}-{nth}")));
                    machine.ok("apply shared.yaml");
                }
            });
        }
    });
    for machine in &machines {
        machine.ok("apply n.yaml");
    }
    assert_eq!(machines[0].ok("get pods -A -o name").lines().count(), 7 * 20);
    same(&machines[0], &machines[1]);
    same(&machines[0], &Machine::new(&members.store("fleet")));
}

#[test]
fn what_is_killed_in_between_is_continued() {
    let Some(members) = Members::start(1) else { return };
    let machine = Machine::new(&members.store("fleet"));
    machine.write(
        "a.yaml",
        &(nodes(80) + &(0..10).map(|nth| daemonset(&format!("d{nth}"), "x:1")).collect::<String>()),
    );
    let pods = || {
        let keys = etcdctl(&members.endpoint(0), &["get", "fleet/v1/pods/", "--prefix", "--keys-only"]);
        keys.lines().filter(|line| !line.is_empty()).count()
    };
    let mut caught = false;
    for _ in 0..6 {
        let mut child =
            machine.command("apply a.yaml").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let before = pods();
        loop {
            if pods() > before + 50 {
                let _ = child.kill();
            }
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let there = pods();
        caught |= there > 0 && there < 800;
        // Each part is a state that can be read.
        assert_eq!(machine.ok("get pods -A -o name").lines().count(), there);
        if there == 800 {
            break;
        }
    }
    machine.ok("apply a.yaml");
    assert_eq!(pods(), 800);
    assert!(caught);
    same(&machine, &Machine::new(&members.store("fleet")));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let Some(members) = Members::start(1) else { return };
    let endpoint = members.endpoint(0);
    let put = |key: &str, value: &str| etcdctl(&endpoint, &["put", key, value]);
    let dump = || etcdctl(&endpoint, &["get", "", "--prefix"]);
    put("other/key", "x");
    put("newer/v1/meta", "hello");
    put("future/v1/meta", r#"{"program":"dsrules","schema":2}"#);
    put("theirs/v1/meta", r#"{"program":"somebody","schema":1}"#);
    let before = dump();
    for (prefix, expected) in [
        ("other", "is used by another program"),
        ("newer", "is no store that dsrules can read"),
        ("future", "of a newer dsrules"),
        ("theirs", "is used by somebody"),
    ] {
        let machine = Machine::new(&members.store(prefix));
        machine.write("a.yaml", &nodes(2));
        for args in ["apply a.yaml", "get nodes", "plan a.yaml"] {
            let told = machine.fails(args);
            assert!(told.contains(expected), "{prefix}: {told}");
        }
    }
    assert_eq!(dump(), before);
    // A value of ours that was changed.
    let (a, b) = (Machine::new(&members.store("fleet")), Machine::new(&members.store("fleet")));
    a.write("a.yaml", &nodes(3));
    a.ok("apply a.yaml");
    for (value, expected) in [
        ("hello", "cannot be read"),
        (r#"{"v":1,"obj"#, "cannot be read"),
        (r#"{"v":7,"object":{}}"#, "version 7"),
    ] {
        put("fleet/v1/nodes//n0001", value);
        let told = b.fails("get nodes");
        assert!(told.contains(expected) && told.contains("nodes//n0001"), "{told}");
    }
    a.write(
        "a.yaml",
        &(nodes(2) + "---\n{apiVersion: v1, kind: Node, metadata: {name: n0001, labels: {a: b}}}"),
    );
    a.fails("apply a.yaml");
    let after = etcdctl(&endpoint, &["get", "fleet/v1/nodes//n0001"]);
    assert!(after.contains(r#"{"v":7"#), "{after}");
    // A store of one's own is no replica.
    let own = Machine::new(&members.store("fleet2"));
    own.write("a.yaml", &nodes(1));
    let mut command = own.command("apply a.yaml --db own.db");
    assert!(command.env_remove("DSRULES_STORE").status().unwrap().success());
    let told = own.fails("apply a.yaml --db own.db");
    assert!(told.contains("is a store of its own"), "{told}");
    // Nobody there.
    let nobody = Machine::new(&format!("etcd://127.0.0.1:{}/x", free_ports(1)[0]));
    assert!(nobody.fails("get nodes").contains("cannot be reached"));
}
