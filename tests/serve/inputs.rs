//! Folders and files that are served as they are named: a folder is followed, and what somebody
//! wrote out of a cluster is shown as it stood.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::names;
use super::server::{CLUSTER, Server, has_kubectl};

const PODS: &str = "GET /api/v1/namespaces/logging/pods";
const JSON: &str = "Content-Type: application/json";
const NODE: &str = "apiVersion: v1\nkind: Node\nmetadata: {name: n3}\n\
    status: {conditions: [{type: Ready, status: \"True\"}]}\n";

fn folder(options: &[&str]) -> Server {
    let options: Vec<&str> = ["manifests"].iter().chain(options).copied().collect();
    Server::of(&[("manifests/cluster.yaml", CLUSTER)], &options, None)
}

/// Asks until the answer is this.
fn wait(server: &Server, head: &str, is_so: impl Fn(&Value) -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let (_, answer) = server.json(head, "");
        if is_so(&answer) {
            return;
        }
        assert!(Instant::now() < until, "{head}: {answer}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_folder_is_followed() {
    let server = folder(&[]);
    let (_, pods) = server.json(PODS, "");
    assert_eq!(names(&pods).len(), 2, "the rules run behind it");
    let version = pods["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    server.write("manifests/n3.yaml", NODE);
    wait(&server, PODS, |pods| names(pods).len() == 3);
    let watch = format!("{PODS}?watch=1&resourceVersion={version}&timeoutSeconds=1");
    let (_, events) = server.http(&watch, "");
    assert!(events.contains("\"type\":\"ADDED\"") && events.contains("\"nodeName\":\"n3\""), "{events}");
    // A file that is not understood changes nothing; once it is mended it counts again.
    server.write("manifests/n3.yaml", "kind: [");
    sleep(Duration::from_millis(500));
    assert_eq!(server.json("GET /api/v1/nodes/n3", "").0, 200);
    fs::remove_file(server.file("manifests/n3.yaml")).unwrap();
    wait(&server, PODS, |pods| names(pods).len() == 2);
    assert_eq!(server.json("GET /api/v1/nodes/n3", "").0, 404);
    let (code, refused) = server.json("DELETE /api/v1/nodes/n1", "");
    assert_eq!((code, &refused["reason"]), (403, &json!("Forbidden")));
    assert!(!server.file("dsrules.db").exists(), "what is served is in a store of its own");
}

#[test]
fn what_files_have_is_changed_in_files_and_all_else_by_clients() {
    let server = folder(&["--write"]);
    let patch = "Content-Type: application/merge-patch+json";
    let label = json!({ "metadata": { "labels": { "a": "b" } } }).to_string();
    for (head, body) in [
        (format!("PATCH /api/v1/nodes/n1\n{patch}"), &*label),
        (format!("PATCH /api/v1/nodes/n1?dryRun=All\n{patch}"), &*label),
        ("DELETE /api/v1/nodes/n1".to_owned(), ""),
        ("DELETE /apis/apps/v1/namespaces/logging/daemonsets/agent".to_owned(), ""),
        ("DELETE /api/v1/namespaces/logging".to_owned(), ""),
    ] {
        let (code, refused) = server.json(&head, body);
        assert_eq!(code, 403, "{head}: {refused}");
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains("cluster.yaml`, which is followed: change it there"), "{message}");
    }
    let node = json!({ "metadata": { "name": "n4" },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] } });
    let (code, _) = server.json(&format!("POST /api/v1/nodes\n{JSON}"), &node.to_string());
    assert_eq!(code, 201);
    let (_, pods) = server.json(PODS, "");
    assert_eq!(names(&pods).len(), 3, "it has its pod with the answer");
    let pod = names(&pods)[0].to_owned();
    assert_eq!(server.json(&format!("DELETE /api/v1/namespaces/logging/pods/{pod}"), "").0, 200);
    assert_eq!(names(&server.json(PODS, "").1).len(), 3, "another takes its place");
    assert_eq!(server.json(&format!("PATCH /api/v1/nodes/n4\n{patch}"), &label).0, 200);
    // What a client made is a file's from when a file has it.
    server.write("manifests/n4.yaml", &NODE.replace("n3", "n4"));
    wait(&server, "GET /api/v1/nodes/n4", |node| node["metadata"]["labels"]["a"] == Value::Null);
    assert_eq!(server.json(&format!("PATCH /api/v1/nodes/n4\n{patch}"), &label).0, 403);
}

/// A dump in which pods are otherwise than the rules would have them.
fn dump() -> String {
    let pod = |name: &str, node: &str| {
        format!(
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: logging, uid: u-{name}, \
             resourceVersion: \"977\", labels: {{app: agent}}}}\nspec: {{nodeName: {node}, containers: \
             [{{name: agent, image: \"agent:0\"}}]}}\nstatus: {{phase: Running}}\n"
        )
    };
    [CLUSTER, &pod("agent-a", "n1"), &pod("agent-b", "n9")].concat()
}

#[test]
fn a_dump_is_shown_as_it_stands() {
    let server = Server::of(&[("dump.yaml", &dump())], &["dump.yaml"], None);
    let (_, pods) = server.json(PODS, "");
    assert_eq!(names(&pods), ["agent-a", "agent-b"]);
    assert_eq!(pods["items"][0]["metadata"]["uid"], "u-agent-a");
    assert_eq!(pods["items"][1]["spec"]["nodeName"], "n9");
    let piped = Server::of(&[], &["-", "--write"], Some(&dump()));
    assert_eq!(names(&piped.json(PODS, "").1), ["agent-a", "agent-b"]);
    // With the first change that is taken the rules see to it.
    let node = json!({ "metadata": { "name": "n3" } }).to_string();
    assert_eq!(piped.json(&format!("POST /api/v1/nodes\n{JSON}"), &node).0, 201);
    let (_, pods) = piped.json(PODS, "");
    assert!(names(&pods).len() >= 3, "{pods}");
}

#[test]
fn kubectl_reads_a_folder() {
    if !has_kubectl("kubectl_reads_a_folder") {
        return;
    }
    let server = folder(&[]);
    let said = server.ok("get ds,pods -n logging -o wide");
    assert!(said.contains("daemonset.apps/agent") && said.contains("pod/agent-"), "{said}");
    server.write("manifests/n3.yaml", NODE);
    wait(&server, PODS, |pods| names(pods).len() == 3);
    assert!(server.ok("get nodes").contains("n3"));
}

#[test]
fn what_cannot_be_served_is_said() {
    let server = folder(&[]);
    for (args, said) in [
        ("serve none.yaml", "none.yaml"),
        ("serve manifests manifests/cluster.yaml", "name one folder and nothing else"),
        ("serve kubeconfig", "nothing was read that could be planned"),
    ] {
        let refused = server.dsrules(args);
        assert!(!refused.ok && refused.err.contains(said), "{args}: {}", refused.err);
    }
}
