//! A small API server on which things go wrong, as told; what it has are the lists of a cluster
//! of two nodes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// What goes wrong with a request.
#[derive(Clone)]
pub enum Fault {
    /// Another status, with more heads and a body.
    Status(u16, &'static str, String),
    /// Half of the answer, and the connection is closed.
    Cut,
    /// The answer after so long.
    Slow(Duration),
    /// Another body.
    Body(String),
    /// These objects too.
    Add(Vec<Value>),
}

/// Says what goes wrong with the request for a path that is the nth for it, counted from 1.
type Faults = dyn Fn(&str, usize) -> Option<Fault> + Send + Sync;

/// The server, for as long as the test runs.
pub struct Faulty {
    pub address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// An API server's words for a refusal.
pub fn status(code: u16, reason: &str, message: &str) -> String {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code })
        .to_string()
}

impl Faulty {
    pub fn new(faults: impl Fn(&str, usize) -> Option<Fault> + Send + Sync + 'static) -> Faulty {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (faults, log): (Arc<Faults>, _) = (Arc::new(faults), asked.clone());
        thread::spawn(move || {
            let counts = Arc::new(Mutex::new(HashMap::new()));
            for stream in listener.incoming().map_while(Result::ok) {
                let (faults, counts, log) = (faults.clone(), counts.clone(), log.clone());
                thread::spawn(move || while answer(&stream, &*faults, &counts, &log).is_some() {});
            }
        });
        Faulty { address, asked }
    }

    /// What was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request; none where the connection is at its end.
fn answer(
    mut stream: &TcpStream,
    faults: &Faults,
    counts: &Mutex<HashMap<String, usize>>,
    log: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1)?.to_owned();
    let nth = {
        let mut counts = counts.lock().unwrap();
        let count = counts.entry(path.clone()).or_insert(0);
        *count += 1;
        *count
    };
    log.lock().unwrap().push(path.clone());
    let (mut code, mut heads, mut body, mut cut) = (200, "", page(&path), false);
    match faults(&path, nth) {
        Some(Fault::Status(other, more, text)) => (code, heads, body) = (other, more, text),
        Some(Fault::Cut) => cut = true,
        Some(Fault::Slow(time)) => thread::sleep(time),
        Some(Fault::Body(text)) => body = text,
        Some(Fault::Add(more)) => {
            let mut list: Value = serde_json::from_str(&body).unwrap();
            list["items"].as_array_mut().unwrap().extend(more);
            body = list.to_string();
        }
        None => {}
    }
    let head = format!(
        "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\n{heads}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    let sent = if cut { &body.as_bytes()[..body.len() / 2] } else { body.as_bytes() };
    stream.write_all(sent).ok()?;
    if cut {
        let _ = stream.shutdown(std::net::Shutdown::Both);
        return None;
    }
    Some(())
}

/// The list that a path names; nodes come in two pages.
fn page(path: &str) -> String {
    let of = |kind: &str, version: &str, items: Value, resume: &str| {
        json!({ "kind": format!("{kind}List"), "apiVersion": version,
            "metadata": { "resourceVersion": "41", "continue": resume }, "items": items })
        .to_string()
    };
    let node = |name: &str| {
        json!({ "metadata": { "name": name, "uid": format!("u-{name}"), "resourceVersion": "7",
                "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": [{ "manager": "kubelet" }] },
            "spec": {}, "status": { "conditions": [{ "type": "Ready", "status": "True" }] } })
    };
    let template = json!({ "metadata": { "labels": { "app": "agent" } },
        "spec": { "containers": [{ "name": "agent", "image": "agent:1" }] } });
    let daemonset = json!({ "metadata": { "name": "agent", "namespace": "logging", "uid": "u-agent", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z" },
        "spec": { "selector": { "matchLabels": { "app": "agent" } }, "template": template },
        "status": { "desiredNumberScheduled": 2, "currentNumberScheduled": 2, "numberMisscheduled": 0, "numberReady": 2 } });
    let resource = path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    match resource {
        "nodes" if path.contains("continue=") => of("Node", "v1", json!([node("n2")]), ""),
        "nodes" => of("Node", "v1", json!([node("n1")]), "n1&more"),
        "daemonsets" => of("DaemonSet", "apps/v1", json!([daemonset]), ""),
        "controllerrevisions" => of("ControllerRevision", "apps/v1", json!([]), ""),
        "poddisruptionbudgets" => of("PodDisruptionBudget", "policy/v1", json!([]), ""),
        "priorityclasses" => of("PriorityClass", "scheduling.k8s.io/v1", json!([]), ""),
        "pods" => of("Pod", "v1", json!([]), ""),
        "namespaces" => {
            of("Namespace", "v1", json!([{ "metadata": { "name": "logging", "uid": "u-logging" } }]), "")
        }
        "services" => of("Service", "v1", json!([]), ""),
        other => panic!("nobody should ask for {other}"),
    }
}
