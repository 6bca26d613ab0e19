//! R17 over the API: each field set to what it cannot hold, in every way in which a client may write
//! it. It is refused or taken, and `serve` goes on answering.

use serde_json::{Value, json};

use crate::base::{Place, daemonset, figure, is_full, node};
use crate::long::{ask, head, serving};

/// Where something wrong is put; nothing is the whole object.
const FIELDS: [&str; 26] = [
    "",
    "apiVersion",
    "kind",
    "metadata",
    "metadata/name",
    "metadata/generateName",
    "metadata/resourceVersion",
    "metadata/labels",
    "metadata/annotations",
    "metadata/managedFields",
    "metadata/ownerReferences",
    "metadata/finalizers",
    "metadata/creationTimestamp",
    "metadata/deletionTimestamp",
    "spec",
    "spec/selector",
    "spec/template",
    "spec/template/metadata",
    "spec/template/metadata/annotations",
    "spec/template/spec",
    "spec/updateStrategy/rollingUpdate",
    "spec/containers",
    "spec/taints",
    "spec/finalizers",
    "status",
    "status/conditions",
];

/// The object, or a part of it that is written for itself.
const PATHS: [&str; 10] = [
    "/apis/apps/v1/namespaces/default/daemonsets/a",
    "/apis/apps/v1/namespaces/default/daemonsets/a/status",
    "/api/v1/nodes/n0",
    "/api/v1/nodes/n0/status",
    "/api/v1/namespaces/default/pods/POD",
    "/api/v1/namespaces/default/pods/POD/status",
    "/api/v1/namespaces/default/pods/POD/eviction",
    "/api/v1/namespaces/other",
    "/api/v1/namespaces/other/status",
    "/api/v1/namespaces/other/finalize",
];

/// How something is written: the method, the type of the body, and what is made of the object.
const WAYS: [(&str, &str); 7] = [
    ("PUT", "application/json"),
    ("POST", "application/json"),
    ("DELETE", "application/json"),
    ("PATCH", "application/merge-patch+json"),
    ("PATCH", "application/strategic-merge-patch+json"),
    ("PATCH", "application/apply-patch+yaml"),
    ("PATCH", "application/json-patch+json"),
];

/// The object with a field that is so.
fn with(mut whole: Value, way: &[&str], value: &Value) -> Value {
    let Some((last, before)) = way.split_last() else { return value.clone() };
    let mut place = &mut whole;
    for step in before {
        if !place[*step].is_object() {
            place[*step] = json!({});
        }
        place = &mut place[*step];
    }
    place[*last] = value.clone();
    whole
}

/// What is sent to say that a field is so.
fn body(content: &str, whole: &Value, way: &[&str], value: &Value) -> Value {
    match content {
        "application/json" => with(whole.clone(), way, value),
        "application/json-patch+json" => {
            let path: String = way.iter().map(|step| format!("/{step}")).collect();
            json!([{ "op": "add", "path": path, "value": value }])
        }
        _ => with(json!({}), way, value),
    }
}

#[test]
fn what_a_client_writes_ends_no_answer() {
    let place = Place::light();
    let other = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n";
    place.write("in/all.yaml", node("n0", "ssd") + &daemonset("a", "i:1", "") + other);
    place.ok("apply in -q");
    let (running, address) = serving(&place, "");
    let get = |path: &str| {
        let answer = ask(&address, &head(&address, "GET", path, ""));
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    };
    let pods: Value = serde_json::from_str(&get("/api/v1/pods")).unwrap();
    let pod = pods["items"][0]["metadata"]["name"].as_str().unwrap();
    let wrong = [json!([]), json!("x"), json!(1), json!(null), json!(true), json!({}), json!([1])];
    let (mut nth, mut sent) = (0, 0);
    for path in PATHS.map(|path| path.replace("POD", pod)) {
        let mut whole: Value = serde_json::from_str(&get(&path)).unwrap_or_default();
        with_no_version(&mut whole);
        for (field, (value, (method, content))) in combined(&wrong) {
            nth += 1;
            if !is_full() && nth % 23 != 0 {
                continue;
            }
            let way: Vec<&str> = field.split('/').filter(|step| !step.is_empty()).collect();
            let body = body(content, &whole, &way, value).to_string();
            let more = format!("Content-Type: {content}\r\nContent-Length: {}\r\n", body.len());
            let dry = format!("{path}?dryRun=All&fieldManager=me&force=true");
            let answer = ask(&address, &(head(&address, method, &dry, &more) + &body));
            let code: u32 = answer.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
            assert!((200..500).contains(&code), "{method} {content} {path}: {body}\n{answer:.600}");
            sent += 1;
        }
    }
    assert!(get("/healthz").starts_with("ok"), "it is still there");
    let after: Value = serde_json::from_str(&get("/api/v1/pods")).unwrap();
    assert_eq!(after["items"], pods["items"], "nothing was kept");
    drop(running);
    figure(
        "R17",
        format!("{sent} writes of what fields cannot hold: each taken or refused, none without an answer"),
    );
}

fn with_no_version(whole: &mut Value) {
    if let Some(metadata) = whole.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
    }
}

type Wrong<'a> = (&'static str, (&'a Value, (&'static str, &'static str)));

/// Every field with everything wrong in every way.
fn combined(wrong: &[Value]) -> impl Iterator<Item = Wrong<'_>> {
    let ways = |value| WAYS.into_iter().map(move |way| (value, way));
    FIELDS.into_iter().flat_map(move |field| wrong.iter().flat_map(ways).map(move |it| (field, it)))
}
