//! Commands beside controllers and agents, and what goes wrong with a store, as commands tell it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::members::{Members, etcdctl, free_ports};
use super::{Machine, daemonset, nodes, same};

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn start(machine: &Machine, args: &str) -> Running {
        let log = fs::File::options().create(true).append(true).open(machine.path().join("log")).unwrap();
        let mut command = machine.command(args);
        let child = command.env_remove("DSRULES_NOW").stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Running(child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(40), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The pods of the store, each by its node and daemonset, with its name and image, by its keys alone.
fn pods(members: &Members) -> BTreeMap<(String, String), Vec<(String, String)>> {
    let told = etcdctl(&members.endpoint(0), &["get", "fleet/v1/pods/", "--prefix", "--print-value-only"]);
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in told.lines().filter(|line| !line.is_empty()) {
        let object = serde_json::from_str::<Value>(line).unwrap()["object"].clone();
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let key = (text(&object["spec"]["nodeName"]), text(&object["metadata"]["labels"]["app"]));
        let image = text(&object["spec"]["containers"][0]["image"]);
        all.entry(key).or_default().push((text(&object["metadata"]["name"]), image));
    }
    all
}

#[test]
fn commands_controllers_and_agents_share_one_store() {
    let Some(members) = Members::start(1) else { return };
    let (a, b) = (Machine::new(&members.store("fleet")), Machine::new(&members.store("fleet")));
    // What a command wrote agents read, and a controller goes on with.
    a.write("a.yaml", &(nodes(8) + &daemonset("web", "web:1")));
    a.ok("apply a.yaml");
    let before = pods(&members);
    let _controllers: Vec<Running> =
        (0..2).map(|nth| Running::start(&b, &format!("controller --id c{nth} --lease 3s"))).collect();
    let _agents: Vec<Running> = (0..4)
        .map(|nth| {
            let args =
                format!("agent --node n{nth:04} --run simulated --interval 1s --lease 3s --db n{nth}.db");
            Running::start(&b, &args)
        })
        .collect();
    until("agents say how their pods are", || {
        a.ok("get nodes").lines().count() == 9 && {
            a.ok("get pods -A -o json").matches("\"containerStatuses\"").count() >= 4
        }
    });
    assert_eq!(
        pods(&members).into_iter().map(|(key, all)| (key, all[0].0.clone())).collect::<Vec<_>>(),
        before.into_iter().map(|(key, all)| (key, all[0].0.clone())).collect::<Vec<_>>(),
    );
    // Both at once: commands of two machines, and two controllers.
    std::thread::scope(|scope| {
        for (at, machine) in [&a, &b].into_iter().enumerate() {
            scope.spawn(move || {
                for nth in 2..5 {
                    machine.write("d.yaml", &daemonset(&format!("d{at}"), &format!("d:{nth}")));
                    machine.ok("apply d.yaml");
                }
            });
        }
    });
    let is_done = || {
        let all = pods(&members);
        let fits = |((_, app), pods): (&(String, String), &Vec<(String, String)>)| {
            let image = if app == "web" { "web:1" } else { "d:4" };
            pods.len() == 1 && pods[0].1 == image
        };
        all.len() == 24 && all.iter().all(fits)
    };
    until("each node has one pod of each daemonset, of the last image", is_done);
    // A controller makes what a command asked for, and a command reads what it made.
    until("replicas have the same", || a.all() == b.all());
    a.ok("delete ds d0 -n default --max-delete 100%");
    until("what belongs to it is gone", || pods(&members).len() == 16);
    same(&a, &Machine::new(&members.store("fleet")));
}

#[test]
fn what_a_command_left_a_controller_does_and_the_other_way_round() {
    let Some(members) = Members::start(1) else { return };
    let (a, b) = (Machine::new(&members.store("fleet")), Machine::new(&members.store("fleet")));
    fs::create_dir(b.path().join("in")).unwrap();
    b.write("in/a.yaml", &(nodes(6) + &daemonset("web", "web:1")));
    let controller = Running::start(&b, "controller in --id c --lease 2s");
    until("the controller makes a store and its pods", || pods(&members).len() == 6);
    assert_eq!(a.ok("get pods -A -o name").lines().count(), 6);
    assert!(a.ok("explain web n0003").contains("n0003"));
    drop(controller);
    // Its lease goes; nobody has to wait for that.
    a.write("a.yaml", &daemonset("web", "web:2"));
    a.ok("apply a.yaml");
    until("a command alone rolls out", || {
        a.ok("apply a.yaml");
        pods(&members).values().all(|pods| pods.len() == 1 && pods[0].1 == "web:2")
    });
    let keys = etcdctl(&members.endpoint(0), &["get", "fleet/v1/pauses", "--prefix", "--keys-only"]);
    assert_eq!(keys.trim(), "");
}

#[test]
fn what_goes_wrong_is_said_and_nothing_overwritten() {
    let Some(members) = Members::with(1, &["--quota-backend-bytes", "16777216"]) else { return };
    let endpoint = members.endpoint(0);
    let a = Machine::new(&members.store("fleet"));
    a.write("a.yaml", &nodes(2));
    a.ok("apply a.yaml");
    // TLS where there is none.
    let tls = Machine::new(&members.store("fleet").replace("etcd://", "etcds://"));
    let told = tls.fails("get nodes");
    assert!(told.contains("etcd-unreachable") && told.contains("TLS"), "{told}");
    // No space left.
    let filler = a.path().join("filler");
    fs::write(&filler, vec![b'x'; 1_000_000]).unwrap();
    for nth in 0..40 {
        let put = format!("etcdctl --endpoints {endpoint} put filler/{nth} < {} 2>&1", filler.display());
        let out =
            std::process::Command::new("sh").env("ETCDCTL_API", "3").args(["-c", &put]).output().unwrap();
        if String::from_utf8_lossy(&out.stdout).contains("space exceeded") {
            break;
        }
    }
    a.write("a.yaml", &nodes(3));
    let told = a.fails("apply a.yaml");
    assert!(told.contains("no space left"), "{told}");
    assert_eq!(a.ok("get nodes -o name").lines().count(), 2);
    etcdctl(&endpoint, &["del", "filler/", "--prefix"]);
    let told = etcdctl(&endpoint, &["get", "fleet/v1/term", "-w", "fields"]);
    let revision = told.lines().find_map(|line| line.strip_prefix("\"Revision\" : ")).unwrap().trim();
    etcdctl(&endpoint, &["compact", revision]);
    etcdctl(&endpoint, &["defrag"]);
    etcdctl(&endpoint, &["alarm", "disarm"]);
    a.ok("apply a.yaml");
    assert_eq!(a.ok("get nodes -o name").lines().count(), 3);
    // A user.
    for args in [&["user", "add", "root:secret"][..], &["user", "add", "other:secret"], &["auth", "enable"]] {
        etcdctl(&endpoint, args);
    }
    let with = |user: &str, password: &str| {
        let mut command = a.command("get nodes -o name");
        let out =
            command.env("DSRULES_ETCD_USER", user).env("DSRULES_ETCD_PASSWORD", password).output().unwrap();
        String::from_utf8([out.stdout, out.stderr].concat()).unwrap()
    };
    assert!(a.fails("get nodes").contains("wants to know who asks"));
    assert!(with("root", "wrong").contains("does not take this user and password"));
    assert!(with("other", "secret").contains("does not allow that to this user"));
    assert_eq!(with("root", "secret").lines().count(), 3);
}

#[test]
fn a_snapshot_comes_back_to_the_byte() {
    let (Some(members), Some(others)) = (Members::start(1), Members::start(1)) else { return };
    let a = Machine::new(&members.store("fleet"));
    a.write("a.yaml", &(nodes(40) + &daemonset("web", "web:1")));
    a.ok("apply a.yaml");
    // What goes with a lease, and a value that is no text, are no trouble.
    let lease = etcdctl(&members.endpoint(0), &["lease", "grant", "60"]);
    let lease = lease.split_whitespace().nth(1).unwrap();
    etcdctl(&members.endpoint(0), &["put", "fleet/v1/members/x", "{}", "--lease", lease]);
    let put = format!("printf '\\377\\n' | etcdctl --endpoints {} put fleet/v1/other", members.endpoint(0));
    assert!(
        std::process::Command::new("sh")
            .env("ETCDCTL_API", "3")
            .args(["-c", &put])
            .status()
            .unwrap()
            .success()
    );
    let snapshot = a.ok("snapshot");
    assert_eq!(a.ok("snapshot"), snapshot);
    a.write("s", &snapshot);
    for store in [members.store("again"), others.store("fleet")] {
        let b = Machine::new(&store);
        b.write("s", &snapshot);
        b.ok("restore s");
        assert_eq!(b.ok("snapshot"), snapshot);
        assert_eq!(b.ok("get pods -A -o wide"), a.ok("get pods -A -o wide"));
        b.write("b.yaml", &daemonset("web", "web:2"));
        b.ok("apply b.yaml");
        let told = b.fails("restore s");
        assert!(told.contains("has keys already"), "{told}");
    }
    // What is not whole is not begun.
    let c = Machine::new(&members.store("c"));
    let keys = || etcdctl(&members.endpoint(0), &["get", "c/", "--prefix", "--keys-only"]);
    let cut = &snapshot[..snapshot.len() / 2];
    for wrong in [
        "",
        "{}\n",
        "hello",
        cut,
        &snapshot.replace("web:1", "web:7"),
        &snapshot.replace("\"v\":1}\n", "\"v\":2}\n"),
    ] {
        c.write("s", wrong);
        assert!(c.fails("restore s").contains("no whole snapshot"));
        assert_eq!(keys().trim(), "");
    }
    assert!(c.fails("restore none").contains("none"));
    // One that ended in between goes on, and is no store before.
    let hash = snapshot.rsplit('"').nth(1).unwrap();
    etcdctl(&members.endpoint(0), &["put", "c/v1/restoring", hash]);
    etcdctl(&members.endpoint(0), &["put", "c/v1/nodes//n0001", "half"]);
    assert!(c.fails("get nodes").contains("half restored"));
    c.write("s", &snapshot);
    c.ok("restore s");
    assert_eq!(c.ok("snapshot"), snapshot);
}

/// Asks a server; gives the code and what it says.
fn ask(port: u16, request: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    let said = String::from_utf8_lossy(&said);
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    let json = &body[body.find('{').unwrap()..=body.rfind('}').unwrap()];
    (code, serde_json::from_str(json).unwrap())
}

#[test]
fn clients_of_a_served_store_are_told_of_conflicts() {
    let Some(members) = Members::start(1) else { return };
    let (a, b) = (Machine::new(&members.store("fleet")), Machine::new(&members.store("fleet")));
    a.write("a.yaml", &(nodes(2) + &daemonset("web", "web:1")));
    a.ok("apply a.yaml");
    let port = free_ports(1)[0];
    let _server = Running::start(&b, &format!("serve --write --listen 127.0.0.1:{port}"));
    until("it listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let path = "/apis/apps/v1/namespaces/default/daemonsets/web";
    let (code, old) = ask(port, &format!("GET {path}"), "");
    assert_eq!(code, 200, "{old}");
    a.write("a.yaml", &daemonset("web", "web:2"));
    a.ok("apply a.yaml");
    // It may not have heard of that yet; what the client knows is old all the same.
    let with = |object: &Value, image: &str| {
        let mut object = object.clone();
        object["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
        object.to_string()
    };
    let (code, told) = ask(port, &format!("PUT {path}"), &with(&old, "web:3"));
    assert_eq!((code, told["reason"].as_str()), (409, Some("Conflict")), "{told}");
    assert!(a.ok("get ds web -o yaml").contains("web:2"));
    let (_, new) = ask(port, &format!("GET {path}"), "");
    let (code, told) = ask(port, &format!("PUT {path}"), &with(&new, "web:3"));
    assert_eq!(code, 200, "{told}");
    assert!(a.ok("get ds web -o yaml").contains("web:3"));
    // What others do to something else is no conflict.
    a.write("a.yaml", &daemonset("other", "other:1"));
    a.ok("apply a.yaml");
    let (_, new) = ask(port, &format!("GET {path}"), "");
    let (code, told) = ask(port, &format!("PUT {path}"), &with(&new, "web:4"));
    assert_eq!(code, 200, "{told}");
    same(&a, &Machine::new(&members.store("fleet")));
}
