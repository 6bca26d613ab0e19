//! `watch --cluster`: the real command beside `dsrules serve`, over a way that is cut.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::faulty::{Fault, Faulty, status};
use super::server::{CLUSTER, Server};
use super::{Desk, pinned, served};

/// Another daemonset, which the cluster has not.
const EXTRA: &str = "---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: extra, namespace: logging}
spec:
  selector: {matchLabels: {app: extra}}
  template:
    metadata: {labels: {app: extra}}
    spec: {containers: [{name: extra, image: 'extra:1'}]}
";

/// The way to a server, which can be cut and lead to another one.
struct Way {
    address: String,
    to: Arc<Mutex<String>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    is_up: Arc<AtomicBool>,
    /// All that was asked.
    asked: Arc<Mutex<Vec<u8>>>,
}

impl Way {
    fn new(to: &str) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let way = Way {
            address,
            to: Arc::new(Mutex::new(to.to_owned())),
            open: Arc::default(),
            is_up: Arc::new(AtomicBool::new(true)),
            asked: Arc::default(),
        };
        let (to, open, is_up, asked) =
            (way.to.clone(), way.open.clone(), way.is_up.clone(), way.asked.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let address = to.lock().unwrap().clone();
                let server = TcpStream::connect(address);
                let Ok(server) =
                    server.map_err(drop).and_then(|it| is_up.load(Ordering::SeqCst).then_some(it).ok_or(()))
                else {
                    continue;
                };
                open.lock().unwrap().extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
                let (from, into, asked) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap(), asked.clone());
                thread::spawn(move || carry(from, into, |part| asked.lock().unwrap().extend(part)));
                thread::spawn(move || carry(server, client, |_| {}));
            }
        });
        way
    }

    fn cut(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn lead_to(&self, address: &str) {
        *self.to.lock().unwrap() = address.to_owned();
        self.cut();
    }
}

fn carry(mut from: TcpStream, mut into: TcpStream, mut seen: impl FnMut(&[u8])) {
    let mut part = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut part) {
        seen(&part[..count]);
        if into.write_all(&part[..count]).is_err() {
            break;
        }
    }
    let _ = into.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// A watch that runs, and what it says.
struct Watching {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Watching {
    fn new(desk: &Desk, args: &str) -> Watching {
        let mut command = desk.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = read(child.stdout.take().unwrap());
        let errors = read(child.stderr.take().unwrap());
        Watching { child, lines, errors }
    }

    /// The next line.
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).expect("it says something")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// The first line of the errors that has these words.
    fn error(&self, words: &str) -> String {
        loop {
            let line = self.errors.recv_timeout(Duration::from_secs(30)).expect("it says what is wrong");
            if line.contains(words) {
                return line;
            }
        }
    }

    fn end(mut self) -> Option<i32> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// The nodes on which a line wants pods, or wants them no longer.
fn nodes(line: &Value, of: &str) -> BTreeSet<String> {
    let wishes =
        line[of].as_array().unwrap().iter().filter(|it| it["verb"] == "create" && it["node"].is_string());
    wishes.map(|it| it["node"].as_str().unwrap().to_owned()).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn node(name: &str) -> String {
    format!(
        "---\n{{apiVersion: v1, kind: Node, metadata: {{name: {name}}}, status: {{conditions: [{{type: Ready, status: 'True'}}]}}}}\n"
    )
}

fn apply(server: &Server, text: &str) {
    server.write("cluster.yaml", text);
    let said = server.dsrules("apply -q --prune --max-delete 100% cluster.yaml");
    assert!(said.ok, "{}", said.err);
}

/// Another server on the same store.
fn another(server: &Server) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dsrules"));
    command.current_dir(server.file("")).env_remove("DSRULES_DB");
    let mut child =
        command.args(["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
    let lines = read(child.stderr.take().unwrap());
    let address = loop {
        let line = lines.recv_timeout(Duration::from_secs(30)).unwrap();
        if let Some((_, address)) = line.split_once("://") {
            break address.to_owned();
        }
    };
    thread::spawn(move || lines.iter().for_each(drop));
    (child, address)
}

#[test]
fn a_cluster_that_is_watched_says_what_is_wanted_whatever_becomes_of_the_way_there() {
    let server = Server::new(&[]);
    let way = Way::new(&server.address);
    let desk = Desk::new(&way.address);
    desk.write("extra.yaml", EXTRA);
    let watching = Watching::new(&desk, "watch extra.yaml --cluster --log-format json --listen 127.0.0.1:0");
    let metrics = watching.error("listening on").rsplit('/').next().unwrap().to_owned();
    let first = watching.json();
    assert_eq!((first["event"].as_str(), nodes(&first, "wanted")), (Some("watching"), set(&["n1", "n2"])));
    // A change that is heard.
    apply(&server, &format!("{CLUSTER}{}", node("n3")));
    let line = watching.json();
    assert_eq!((nodes(&line, "wanted"), nodes(&line, "over")), (set(&["n3"]), set(&[])), "{line}");
    assert!(ask(&metrics, "/metrics").contains("dsrules_nodes 3"));
    // One after all connections were cut.
    way.cut();
    apply(&server, &format!("{CLUSTER}{}{}", node("n3"), node("n4")));
    assert_eq!(nodes(&watching.json(), "wanted"), set(&["n4"]));
    // One while nobody is there.
    way.is_up.store(false, Ordering::SeqCst);
    way.cut();
    watching.error("cluster `edge`");
    assert!(ask(&metrics, "/healthz").contains("503"));
    apply(&server, &format!("{CLUSTER}{}", node("n4")));
    way.is_up.store(true, Ordering::SeqCst);
    let line = watching.json();
    assert_eq!((nodes(&line, "wanted"), nodes(&line, "over")), (set(&[]), set(&["n3"])), "{line}");
    let begun = Instant::now();
    while !ask(&metrics, "/healthz").contains("200") {
        assert!(begun.elapsed() < Duration::from_secs(30), "it is well again");
        thread::sleep(Duration::from_millis(50));
    }
    // A server that knows nothing of what was before it began: all is listed again (410).
    way.is_up.store(false, Ordering::SeqCst);
    way.cut();
    apply(&server, &format!("{CLUSTER}{}{}", node("n5"), node("n6")));
    let (mut other, address) = another(&server);
    way.is_up.store(true, Ordering::SeqCst);
    way.lead_to(&address);
    let (mut wanted, mut over) = (BTreeSet::new(), BTreeSet::new());
    while (wanted.len(), over.len()) != (2, 1) {
        let line = watching.json();
        wanted.extend(nodes(&line, "wanted"));
        over.extend(nodes(&line, "over"));
    }
    assert_eq!((wanted, over), (set(&["n5", "n6"]), set(&["n4"])));
    assert_eq!(watching.end(), Some(0));
    other.kill().unwrap();
    other.wait().unwrap();
    let asked = String::from_utf8_lossy(&way.asked.lock().unwrap()).into_owned();
    assert!(asked.contains("GET ") && asked.contains("watch=true"));
    assert!(["POST ", "PUT ", "PATCH ", "DELETE "].iter().all(|it| !asked.contains(it)), "it only reads");
}

/// An answer, with its head.
fn ask(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_a_watch_of_a_cluster_says() {
    let (server, desk) = served();
    desk.write(
        "extra.yaml",
        &EXTRA.replace("metadata: {name: extra,", "metadata: {name: extra, labels: {a: b},"),
    );
    desk.write("own.dl", "/// {Node} has no rack.\n.decl rackless(Node: Node) warning\nrackless(N) :- node(N), !node_label(N, \"rack\", _).\n");
    let mut all = format!("{}\n\n", desk.said("watch --cluster --once"));
    all.push_str(&format!("{}\n\n", desk.said("watch extra.yaml --cluster --once --rules own.dl")));
    let watching = Watching::new(&desk, "watch extra.yaml --cluster --debounce 1s");
    let mut take = |count: usize| (0..count).for_each(|_| all.push_str(&format!("{}\n", watching.line())));
    take(4);
    apply(&server, &format!("{CLUSTER}{}", node("n3")));
    take(2);
    apply(&server, CLUSTER);
    take(1);
    // What is edited is looked at anew, and what is told is what that changes.
    desk.write(
        "extra.yaml",
        &EXTRA.replace("    spec: {containers", "    spec: {nodeSelector: {disk: ssd}, containers"),
    );
    take(2);
    desk.write("extra.yaml", "a: [");
    watching.error("extra.yaml");
    desk.write("extra.yaml", EXTRA);
    take(3);
    assert_eq!(watching.end(), Some(0));
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\(\d+\.\d ms\)", "(TIME)");
    settings.bind(|| pinned("watch", &desk, &all));
}

#[test]
fn a_cluster_that_cannot_be_watched_is_told() {
    let body = |what: &str| status(403, "Forbidden", &format!("{what} is forbidden"));
    let refused = |what: &'static str| {
        let body = body(what);
        Faulty::new(move |path, _| path.contains(what).then(|| Fault::Status(403, "", body.clone())))
    };
    let mut all = String::new();
    let mut tell =
        |what: &str, desk: &Desk, args: &str| all.push_str(&format!("# {what}\n{}\n\n", desk.said(args)));
    let desk = Desk::new("127.0.0.1:1");
    tell("nobody listens", &desk, "watch --cluster --once");
    desk.write("a.yaml", CLUSTER);
    tell("a tree", &desk, "watch --cluster --tree t");
    tell("an export", &desk, "watch --cluster --export json=x");
    tell("an empty folder", &desk, "watch a.yaml --cluster --allow-empty");
    tell("polls", &desk, "watch --cluster --poll");
    tell("no folder", &desk, "watch");
    tell("two folders", &desk, "watch a b");
    tell("a folder that is not there", &desk, "watch nope --cluster");
    for what in ["pods", "services"] {
        let server = refused(what);
        let desk = Desk::new(&server.address);
        tell(&format!("no right to list {what}"), &desk, "watch --cluster --once");
    }
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\(\d+\.\d ms\)", "(TIME)");
    settings.bind(|| pinned("watch-refused", &desk, &all));
}

#[test]
fn what_is_wanted_in_the_end_is_what_is_wanted_at_once() {
    let server = Server::new(&["--write"]);
    let way = Way::new(&server.address);
    let desk = Desk::new(&way.address);
    desk.write(
        "extra.yaml",
        &EXTRA.replace("    spec: {containers", "    spec: {nodeSelector: {disk: ssd}, containers"),
    );
    let args = "watch extra.yaml --cluster --log-format json --debounce 5ms";
    let watching = Watching::new(&desk, args);
    let mut open = BTreeSet::new();
    follow(&mut open, &watching.json());
    let mut state = 7_u64;
    let mut below = |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % most
    };
    for turn in 0..40 {
        let name = format!("x{}", below(6));
        let head = "Content-Type: application/merge-patch+json";
        let (path, body) = match below(4) {
            0 => (
                "POST /api/v1/nodes\nContent-Type: application/json".to_owned(),
                format!("{{\"metadata\":{{\"name\":\"{name}\",\"labels\":{{\"disk\":\"ssd\"}}}}}}"),
            ),
            1 => (format!("DELETE /api/v1/nodes/{name}"), String::new()),
            2 => (
                format!("PATCH /api/v1/nodes/{name}\n{head}"),
                "{\"metadata\":{\"labels\":{\"disk\":\"hdd\"}}}".to_owned(),
            ),
            _ => (
                format!("PATCH /api/v1/nodes/{name}\n{head}"),
                "{\"metadata\":{\"labels\":{\"disk\":\"ssd\"}}}".to_owned(),
            ),
        };
        server.http(&path, &body);
        if turn % 20 == 19 {
            way.cut();
        }
    }
    let once = Desk::new(&server.address);
    once.write("extra.yaml", &std::fs::read_to_string(desk.path().join("extra.yaml")).unwrap());
    let output = once.command(&format!("{args} --once")).output().unwrap();
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    let wanted: BTreeSet<String> = line["wanted"].as_array().unwrap().iter().map(Value::to_string).collect();
    let begun = Instant::now();
    while open != wanted {
        assert!(begun.elapsed() < Duration::from_secs(30), "{open:?}\n{wanted:?}");
        follow(&mut open, &watching.json());
    }
    assert!(!wanted.is_empty());
}

/// Takes in what a line says.
fn follow(open: &mut BTreeSet<String>, line: &Value) {
    for wish in line["over"].as_array().unwrap() {
        assert!(open.remove(&wish.to_string()), "it was wanted: {wish}");
    }
    open.extend(line["wanted"].as_array().unwrap().iter().map(Value::to_string));
    assert_eq!(open.len() as u64, line["open"].as_u64().unwrap());
}
