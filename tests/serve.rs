//! `dsrules serve`: the Kubernetes API of a store, asked by plain HTTP and by kubectl.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "serve/commands.rs"]
mod commands;
#[path = "serve/events.rs"]
mod events;
#[path = "serve/hostile.rs"]
mod hostile;
#[path = "serve/inputs.rs"]
mod inputs;
#[path = "serve/picture.rs"]
mod picture;
#[path = "serve/resources.rs"]
mod resources;
#[path = "serve/server.rs"]
mod server;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use server::{Server, has_kubectl};

const PODS: &str = "/api/v1/namespaces/logging/pods";
const DAEMONSETS: &str = "/apis/apps/v1/namespaces/logging/daemonsets";

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|it| it["metadata"]["name"].as_str().unwrap()).collect()
}

#[test]
fn objects_are_got_and_listed() {
    let server = Server::new(&[]);
    let (code, nodes) = server.json("GET /api/v1/nodes", "");
    assert_eq!((code, names(&nodes)), (200, vec!["n1", "n2"]));
    assert_eq!((&nodes["kind"], &nodes["apiVersion"]), (&json!("NodeList"), &json!("v1")));
    let (_, node) = server.json("GET /api/v1/nodes/n1", "");
    assert_eq!((&node["kind"], &node["metadata"]["labels"]["disk"]), (&json!("Node"), &json!("ssd")));
    let (_, pods) = server.json(&format!("GET {PODS}?fieldSelector=spec.nodeName%3Dn1"), "");
    assert_eq!(pods["items"].as_array().unwrap().len(), 1);
    let (_, pods) = server.json("GET /api/v1/pods?labelSelector=app%3Dagent", "");
    assert_eq!(pods["items"].as_array().unwrap().len(), 2);
    let (_, pods) = server.json("GET /api/v1/pods?labelSelector=app%21%3Dagent", "");
    assert_eq!(pods["items"].as_array().unwrap().len(), 0);
    // What clients go by is filled in.
    let (_, daemonset) = server.json(&format!("GET {DAEMONSETS}/agent"), "");
    assert_eq!(daemonset["spec"]["updateStrategy"]["type"], "RollingUpdate");
    let (_, events) =
        server.json("GET /api/v1/namespaces/logging/events?fieldSelector=involvedObject.name%3Dagent", "");
    assert!(events["items"][0]["metadata"]["name"].is_string(), "{events}");
}

#[test]
fn a_list_goes_on_as_it_began() {
    let server = Server::new(&[]);
    let (_, first) = server.json("GET /api/v1/nodes?limit=1", "");
    let resume = first["metadata"]["continue"].as_str().unwrap();
    assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), (vec!["n1"], &json!(1)));
    server.write("more.yaml", "---\n{apiVersion: v1, kind: Node, metadata: {name: n3}}");
    assert!(server.dsrules("apply more.yaml").ok);
    let (_, all) = server.json("GET /api/v1/nodes", "");
    assert_eq!(names(&all), ["n1", "n2", "n3"]);
    let (_, second) = server.json(&format!("GET /api/v1/nodes?limit=1&continue={resume}"), "");
    assert_eq!(names(&second), ["n2"]);
    assert_eq!(second["metadata"]["continue"], Value::Null);
    let version = first["metadata"]["resourceVersion"].as_str().unwrap();
    let exact = format!("GET /api/v1/nodes?resourceVersionMatch=Exact&resourceVersion={version}");
    assert_eq!(names(&server.json(&exact, "").1), ["n1", "n2"]);
    let (code, status) = server.json("GET /api/v1/nodes?continue=1::n1", "");
    assert_eq!((code, &status["reason"]), (410, &json!("Expired")));
    let resume = status["metadata"]["continue"].as_str().unwrap();
    assert_eq!(names(&server.json(&format!("GET /api/v1/nodes?continue={resume}"), "").1), ["n2", "n3"]);
    assert_eq!(server.json("GET /api/v1/nodes?resourceVersion=99999", "").0, 504);
}

#[test]
fn refusals_are_worded_as_an_api_server_does() {
    let server = Server::new(&[]);
    let cases = [
        ("GET /api/v1/nodes/n9", 404, "NotFound", "nodes \"n9\" not found"),
        ("GET /apis/apps/v1/namespaces/a/daemonsets/d", 404, "NotFound", "daemonsets.apps \"d\" not found"),
        ("GET /api/v1/secrets", 404, "NotFound", "the server could not find the requested resource"),
        ("GET /apis/batch/v1", 404, "NotFound", "the server could not find the requested resource"),
        (
            "POST /version",
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        ("GET /api/v1/nodes?resourceVersion=x", 400, "BadRequest", ""),
        (
            "GET /api/v1/nodes?fieldSelector=spec.x%3D1",
            400,
            "BadRequest",
            "field label not supported: spec.x",
        ),
        ("GET /api/v1/nodes?resourceVersionMatch=Exact", 422, "Invalid", ""),
        ("GET /api/v1/nodes\nAccept: application/vnd.kubernetes.protobuf", 406, "NotAcceptable", ""),
        ("GET /api/v1/nodes\nHost: evil.example", 403, "Forbidden", ""),
        ("DELETE /api/v1/nodes/n1", 403, "Forbidden", ""),
    ];
    for (head, code, reason, message) in cases {
        let (is, status) = server.json(head, "");
        assert_eq!(
            (is, &status["reason"], &status["kind"]),
            (code, &json!(reason), &json!("Status")),
            "{head}"
        );
        assert_eq!(status["code"], code, "{head}");
        assert!(message.is_empty() || status["message"] == message, "{head}: {status}");
    }
    let (_, status) = server.json("GET /apis/apps/v1/namespaces/a/daemonsets/d", "");
    assert_eq!(status["details"], json!({ "name": "d", "group": "apps", "kind": "daemonsets" }));
}

#[test]
fn tables_and_metadata_are_served_where_they_are_asked_for() {
    let server = Server::new(&[]);
    let accept = "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    let (_, table) = server.json(&format!("GET {DAEMONSETS}\n{accept}"), "");
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    let heads: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let expected = [
        "Name",
        "Desired",
        "Current",
        "Ready",
        "Up-To-Date",
        "Available",
        "Node Selector",
        "Age",
        "Containers",
        "Images",
        "Selector",
    ];
    assert_eq!(heads, expected);
    let row = &table["rows"][0];
    assert_eq!((&row["cells"][0], &row["cells"][1]), (&json!("agent"), &json!("2")));
    assert_eq!(row["object"]["kind"], "PartialObjectMetadata");
    let accept = "Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let (_, list) = server.json(&format!("GET {DAEMONSETS}\n{accept}"), "");
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["spec"], Value::Null);
}

#[test]
fn discovery_says_what_there_is() {
    let server = Server::new(&[]);
    let (_, version) = server.json("GET /version", "");
    assert_eq!(version["minor"], "32");
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(server.http(&format!("GET {path}"), ""), (200, "ok".to_owned()), "{path}");
    }
    let accept =
        "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let (code, heads, body) = server.http_with_heads(&format!("GET /apis\n{accept}"), "");
    assert!(code == 200 && heads.contains("as=APIGroupDiscoveryList"), "{heads}");
    let groups: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        names(&groups),
        ["apps", "coordination.k8s.io", "discovery.k8s.io", "policy", "scheduling.k8s.io"]
    );
    let (_, core) = server.json("GET /api/v1", "");
    let pods = core["resources"].as_array().unwrap().iter().find(|it| it["name"] == "pods").unwrap();
    // Nothing may be written, so nothing is said to be.
    assert_eq!(pods["verbs"], json!(["get", "list", "watch"]));
    let (_, index) = server.json("GET /openapi/v3", "");
    let url = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap();
    let (_, schema) = server.json(&format!("GET {url}"), "");
    assert!(schema["components"]["schemas"]["io.k8s.api.apps.v1.DaemonSet"].is_object());
}

#[test]
fn a_watch_tells_what_others_commit() {
    let server = Server::new(&[]);
    let (_, list) = server.json("GET /api/v1/nodes", "");
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let path =
        format!("/api/v1/nodes?watch=1&resourceVersion={version}&labelSelector=disk&timeoutSeconds=50");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).unwrap();
    let apply = |text: &str| {
        server.write("more.yaml", text);
        let said = server.dsrules("apply more.yaml");
        assert!(said.ok, "{}", said.err);
    };
    // What happens between two looks is told as one, so each is waited for.
    let mut lines = BufReader::new(&stream).lines();
    let mut next = || {
        loop {
            let line = lines.next().unwrap().unwrap();
            if let Ok(event) = serde_json::from_str::<Value>(&line)
                && event["object"]["metadata"]["name"] == "n3"
            {
                return (event["type"].clone(), event["object"]["metadata"]["labels"]["disk"].clone());
            }
        }
    };
    let event = |what: &str, disk: &str| (json!(what), json!(disk));
    apply("---\n{apiVersion: v1, kind: Node, metadata: {name: n3}}");
    apply("---\n{apiVersion: v1, kind: Node, metadata: {name: n3, labels: {disk: ssd}}}");
    assert_eq!(next(), event("ADDED", "ssd"));
    apply("---\n{apiVersion: v1, kind: Node, metadata: {name: n3, labels: {disk: hdd}}}");
    assert_eq!(next(), event("MODIFIED", "hdd"));
    assert!(server.dsrules("delete node n3").ok);
    assert_eq!(next(), event("DELETED", "hdd"));
    let (code, gone) = server.json("GET /api/v1/nodes?watch=1&resourceVersion=1&timeoutSeconds=1", "");
    assert_eq!((code, &gone["object"]["code"]), (200, &json!(410)));
    let (code, status) = server.json("GET /api/v1/nodes?watch=1&sendInitialEvents=true", "");
    assert_eq!((code, &status["reason"]), (422, &json!("Invalid")));
}

#[test]
fn a_watch_may_begin_with_a_list() {
    let server = Server::new(&[]);
    let events = |more: &str| -> Vec<Value> {
        let head =
            format!("GET /api/v1/nodes?watch=1&timeoutSeconds=1&resourceVersionMatch=NotOlderThan{more}");
        let (code, body) = server.http(&head, "");
        assert_eq!(code, 200);
        body.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let told = |events: &[Value]| -> Vec<String> {
        events.iter().map(|it| it["type"].as_str().unwrap().to_owned()).collect()
    };
    let list = events("&sendInitialEvents=true&allowWatchBookmarks=true");
    assert_eq!(told(&list), ["ADDED", "ADDED", "BOOKMARK"]);
    let meta = &list[2]["object"]["metadata"];
    assert_eq!(meta["annotations"], json!({ "k8s.io/initial-events-end": "true" }));
    let (_, all) = server.json("GET /api/v1/nodes", "");
    assert_eq!(meta["resourceVersion"], all["metadata"]["resourceVersion"]);
    assert_eq!(told(&events("&sendInitialEvents=true")), ["ADDED", "ADDED"]);
    assert!(events("&sendInitialEvents=false").is_empty());
    let late = events("&sendInitialEvents=true&resourceVersion=99999");
    assert_eq!(late[0]["object"]["code"], 504);
}

#[test]
fn what_is_written_is_followed_by_the_rules() {
    let server = Server::new(&["--write"]);
    let daemonset = json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": "new" }, "spec": {
        "selector": { "matchLabels": { "app": "new" } }, "template": { "metadata": { "labels": { "app": "new" } },
        "spec": { "containers": [{ "name": "c", "image": "i:1" }] } } } });
    let json_head = "Content-Type: application/json";
    let (code, dry) =
        server.json(&format!("POST {DAEMONSETS}?dryRun=All\n{json_head}"), &daemonset.to_string());
    assert_eq!((code, &dry["metadata"]["namespace"]), (201, &json!("logging")));
    let (code, made) = server.json(&format!("POST {DAEMONSETS}\n{json_head}"), &daemonset.to_string());
    assert_eq!((code, &made["status"]["desiredNumberScheduled"]), (201, &json!(2)), "{made}");
    let (_, pods) = server.json(&format!("GET {PODS}?labelSelector=app%3Dnew"), "");
    assert_eq!(pods["items"].as_array().unwrap().len(), 2);
    let (code, again) = server.json(&format!("POST {DAEMONSETS}\n{json_head}"), &daemonset.to_string());
    assert_eq!((code, &again["reason"]), (409, &json!("AlreadyExists")));
    let mut stale = made.clone();
    stale["metadata"]["resourceVersion"] = json!("1");
    let (code, conflict) = server.json(&format!("PUT {DAEMONSETS}/new\n{json_head}"), &stale.to_string());
    assert_eq!((code, &conflict["reason"]), (409, &json!("Conflict")));
    let wrong =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "c", "image": "" }] } } } });
    let strategic = "Content-Type: application/strategic-merge-patch+json";
    let (code, invalid) = server.json(&format!("PATCH {DAEMONSETS}/new\n{strategic}"), &wrong.to_string());
    assert_eq!(
        (code, &invalid["details"]["causes"][0]["field"]),
        (422, &json!("spec.template.spec.containers[0].image"))
    );
    let (code, gone) = server.json(&format!("DELETE {DAEMONSETS}/new"), "");
    assert_eq!((code, &gone["status"]), (200, &json!("Success")));
    let (_, pods) = server.json(&format!("GET {PODS}?labelSelector=app%3Dnew"), "");
    assert_eq!(pods["items"], json!([]));
    let huge = format!("{{\"x\":\"{}\"}}", "y".repeat(3 << 20));
    assert_eq!(server.http(&format!("POST {DAEMONSETS}\n{json_head}"), &huge).0, 413);
    let deep = "[".repeat(1000);
    assert_eq!(server.http(&format!("POST {DAEMONSETS}\n{json_head}"), &deep).0, 400);
    assert_eq!(server.http(&format!("POST {DAEMONSETS}\nContent-Type: text/plain"), "{}").0, 415);
}

#[test]
fn kubectl_reads() {
    if !has_kubectl("kubectl_reads") {
        return;
    }
    let server = Server::new(&[]);
    let daemonsets = server.ok("get ds -n logging");
    assert!(
        daemonsets.starts_with(
            "NAME    DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE\nagent   2"
        ),
        "{daemonsets}"
    );
    assert!(server.ok("get pods -A -o wide").contains("n2"));
    assert!(server.ok("get nodes --show-labels").contains("disk=ssd"));
    assert!(server.ok("get all -n logging").contains("daemonset.apps/agent"));
    assert!(server.ok("get events -n logging").contains("SuccessfulCreate"));
    assert!(server.ok("api-resources").contains("daemonsets"));
    assert!(server.ok("explain daemonset.spec.updateStrategy").contains("rollingUpdate"));
    assert!(server.ok("describe ds agent -n logging").contains("Desired Number of Nodes Scheduled: 2"));
    assert!(server.ok("describe node n1").contains("Name:               n1"));
    assert!(server.ok("rollout status ds/agent -n logging").contains("successfully rolled out"));
    assert!(server.ok("rollout history ds/agent -n logging").contains("REVISION"));
    let missing = server.kubectl("get ds none -n logging");
    assert_eq!(missing.err, "Error from server (NotFound): daemonsets.apps \"none\" not found\n");
    let refused = server.kubectl("label node n1 a=b");
    assert!(!refused.ok && refused.err.contains("dsrules serve --write"), "{}", refused.err);
}

#[test]
fn kubectl_writes() {
    if !has_kubectl("kubectl_writes") {
        return;
    }
    let server = Server::new(&["--write"]);
    let manifest = server::CLUSTER
        .replace("name: agent, namespace", "name: second, namespace")
        .replace("app: agent", "app: second");
    server.write("second.yaml", manifest.split("---\n").last().unwrap());
    assert_eq!(server.ok("apply -f second.yaml"), "daemonset.apps/second created\n");
    assert_eq!(server.ok("apply -f second.yaml"), "daemonset.apps/second unchanged\n");
    assert!(server.ok("rollout status ds/second -n logging").contains("successfully rolled out"));
    server.ok("set image ds/second agent=agent:2 -n logging");
    assert!(server.ok("rollout history ds/second -n logging").contains("2"));
    assert_eq!(server.ok("rollout undo ds/second -n logging"), "daemonset.apps/second rolled back\n");
    assert!(server.ok("get ds second -n logging -o wide").contains("agent:1"));
    assert_eq!(server.ok("rollout restart ds/second -n logging"), "daemonset.apps/second restarted\n");
    assert_eq!(server.ok("label node n2 zone=a"), "node/n2 labeled\n");
    assert_eq!(server.ok("annotate ds second -n logging a=b"), "daemonset.apps/second annotated\n");
    assert_eq!(server.ok("taint node n2 a=b:NoExecute"), "node/n2 tainted\n");
    assert_eq!(server.ok("get pods -n logging --field-selector spec.nodeName=n2"), "");
    assert_eq!(server.ok("taint node n2 a-"), "node/n2 untainted\n");
    assert_eq!(server.ok("cordon n1"), "node/n1 cordoned\n");
    assert!(server.ok("drain n1 --ignore-daemonsets").contains("drained"));
    assert_eq!(server.ok("uncordon n1"), "node/n1 uncordoned\n");
    assert!(server.ok("apply --server-side -f second.yaml --force-conflicts").contains("serverside-applied"));
    assert_eq!(
        server.ok("delete ds second -n logging --cascade=orphan"),
        "daemonset.apps \"second\" deleted\n"
    );
    assert_eq!(server.ok("get pods -n logging -l app=second -o name").lines().count(), 2);
    assert!(server.ok("delete pods -n logging -l app=second").contains("deleted"));
    assert_eq!(server.ok("get pods -n logging -l app=second -o name"), "");
    server.write("more.yaml", "---\n{apiVersion: v1, kind: Namespace, metadata: {name: more}}");
    assert_eq!(server.ok("create -f more.yaml"), "namespace/more created\n");
    server.ok("delete namespace more");
}

#[test]
fn kubectl_watches() {
    if !has_kubectl("kubectl_watches") {
        return;
    }
    let server = Server::new(&[]);
    let mut watch = server.kubectl_command("get nodes -w");
    let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    server.write("more.yaml", "---\n{apiVersion: v1, kind: Node, metadata: {name: n3}}");
    std::thread::sleep(Duration::from_secs(2));
    assert!(server.dsrules("apply more.yaml").ok);
    std::thread::sleep(Duration::from_secs(2));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    let nodes: Vec<&str> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(nodes, ["NAME", "n1", "n2", "n3"], "{said}");
}
