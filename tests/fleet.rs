//! `dsrules fleet`: how daemonsets stand on machines that report for themselves.
//!
//! The folder `tests/fleet/` has what a real one comes to: nodes that are right, that crash, that
//! are behind, that are silent; and files that are no reports.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use session::Session;

fn shops() -> Session {
    let session = Session::new();
    session.take("tests/fleet", "source");
    session.take("tests/fleet", "reports");
    session
}

/// The fleet as a document.
fn document(session: &Session, line: &str) -> Value {
    let said = session.quietly(&format!("fleet --reports reports {line} -o json"));
    assert_eq!(said.code, 0, "{line}: {}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// What is wrong, as `WHAT NODE DAEMONSET REASON`.
fn troubles(fleet: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap_or("-").to_owned();
    let line =
        |it: &Value| [&it["what"], &it["node"], &it["daemonset"]["name"], &it["reason"]].map(text).join(" ");
    fleet["troubles"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn a_person_sees_what_is_behind_and_what_fails() {
    let mut session = shops();
    session.ok("fleet --source source --reports reports");
    session.run("fleet --source source --reports reports daemonset/camera --exit-code -o wide -q");
    session.run("fleet --source source --reports reports --node shop-2");
    session.run("fleet --source source --reports reports --node shop-5 -q");
    session.say("without the manifests");
    session.ok("fleet --reports reports -q");
    session.ok("fleet --reports reports till -o yaml -q");
    session.snapshot("fleet");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let mut session = shops();
    session.fails("fleet --reports nowhere");
    session.fails("fleet --source nowhere --reports reports");
    session.fails("fleet --source source --reports reports tills");
    session.fails("fleet --source source --reports reports --node shop-99");
    session.fails("fleet --reports reports -l team=shop");
    session.fails("fleet --reports reports pod/till");
    session.fails("fleet --source source --reports reports camera -n default");
    session.snapshot("fleet_errors");
}

/// What agents report of a cluster, from the store that one command made of all of it.
fn report_all(session: &Session) {
    let all = |what: &str| -> Vec<Value> {
        let list: Value =
            serde_json::from_str(&session.quietly(&format!("get {what} -A -o json")).out).unwrap();
        list["items"].as_array().unwrap().clone()
    };
    let mut pods: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for pod in all("pods") {
        let (meta, node) = (&pod["metadata"], &pod["spec"]["nodeName"]);
        let owner = Some(&meta["ownerReferences"][0]).filter(|owner| owner["kind"] == "DaemonSet");
        pods.entry(node.as_str().unwrap().to_owned()).or_default().push(json!({
            "namespace": meta["namespace"], "name": meta["name"],
            "daemonSet": owner.map_or("", |owner| owner["name"].as_str().unwrap()),
            "revision": meta["labels"]["controller-revision-hash"].as_str().unwrap_or(""),
            "phase": pod["status"]["phase"],
            "ready": pod["status"]["conditions"][0]["status"] == "True",
        }));
    }
    let revisions = all("controllerrevisions");
    let hash = |of: &Value| {
        let its = |it: &&Value| it["metadata"]["ownerReferences"][0]["uid"] == of["metadata"]["uid"];
        let own = revisions.iter().find(its);
        own.map_or(json!(""), |own| own["metadata"]["labels"]["controller-revision-hash"].clone())
    };
    let sets: Vec<Value> = all("daemonsets")
        .iter()
        .map(|it| {
            json!({ "namespace": it["metadata"]["namespace"], "name": it["metadata"]["name"],
                "revision": hash(it), "available": 1 })
        })
        .collect();
    for node in all("nodes") {
        let name = node["metadata"]["name"].as_str().unwrap();
        let report = json!({ "apiVersion": "dsrules.dev/v1", "kind": "NodeReport", "node": name,
            "time": "2026-03-02T09:00:00Z", "daemonSets": sets,
            "pods": pods.get(name).cloned().unwrap_or_default() });
        session.write(&format!("reports/{name}.json"), report.to_string());
    }
}

#[test]
fn agents_come_to_what_one_store_says() {
    let session = Session::new();
    session.example("cluster");
    assert_eq!(session.quietly("apply -R cluster --schedule assume").code, 0);
    report_all(&session);
    let fleet = document(&session, "--source cluster");
    assert_eq!(troubles(&fleet), Vec::<String>::new());
    let one = session.quietly("get daemonsets -A -o json").out;
    let one: Value = serde_json::from_str(&one).unwrap();
    let shown = fleet["daemonsets"].as_array().unwrap();
    assert!(shown.len() > 3);
    for it in one["items"].as_array().unwrap() {
        let (key, status) = (&it["metadata"], &it["status"]);
        let own = shown.iter().find(|own| {
            own["daemonset"]["name"] == key["name"] && own["daemonset"]["namespace"] == key["namespace"]
        });
        let own = &own.unwrap()["status"];
        for figure in [
            "desiredNumberScheduled",
            "currentNumberScheduled",
            "numberReady",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberMisscheduled",
            "numberUnavailable",
        ] {
            assert_eq!(own[figure], status[figure], "{figure} of {key}");
        }
    }
    assert_eq!(session.quietly("fleet --source cluster --reports reports --exit-code").code, 0);
}

#[test]
fn only_a_fleet_that_is_right_ends_with_0() {
    let session = shops();
    let code = |line: &str| session.quietly(&format!("fleet --reports reports --exit-code -q {line}")).code;
    assert_eq!(code("--source source"), 2);
    assert_eq!(code(""), 2);
    for file in [
        "package",
        "shop-1 (copy)",
        "shop-2",
        "shop-3",
        "shop-4",
        "shop-5",
        "shop-6",
        "van-1",
        "van-2",
        "van-3",
    ] {
        session.remove(&format!("reports/{file}.json"));
    }
    assert_eq!(code("--source source"), 2, "five nodes are silent");
    let one = "apiVersion: v1\nkind: Node\nmetadata: {name: shop-1, labels: {site: north}}\n";
    session.write("source/nodes.yaml", one);
    assert_eq!(code("--source source"), 0);
    assert_eq!(code("--source source --stale 1s"), 2, "its report is older");
    session.write("reports/shop-1.json", "{");
    assert_eq!(code("--source source"), 2);
}

/// What the source changes the rules follow; the agents are behind until they have done so too.
#[test]
fn a_source_that_moves_on_leaves_agents_behind() {
    let session = shops();
    let of = |fleet: &Value, node: &str| -> Vec<String> {
        let here = format!(" {node} ");
        troubles(fleet).into_iter().filter(|it| it.contains(&here)).collect()
    };
    assert_eq!(of(&document(&session, "--source source"), "shop-1"), Vec::<String>::new());
    let till = std::fs::read_to_string(session.path("source/till.yaml")).unwrap();
    session.write("source/till.yaml", till.replace("till:2", "till:3"));
    assert_eq!(of(&document(&session, "--source source"), "shop-1"), ["behind shop-1 till OldSource"]);
    session.write("source/till.yaml", till.replace("name: till\n  labels", "name: kiosk\n  labels"));
    let renamed = document(&session, "--source source");
    assert_eq!(of(&renamed, "shop-1"), ["behind shop-1 kiosk OldSource", "behind shop-1 till NotInSource"]);
    session.write("source/till.yaml", till);
    session.write(
        "source/off.dl",
        "/// {N} is closed.\nblocked(\"default/till\", N) :- node(N), N = \"shop-1\".\n",
    );
    let rules = document(&session, "--source source --rules source/off.dl");
    assert_eq!(of(&rules, "shop-1"), ["behind shop-1 till Misscheduled"]);
}

#[test]
fn namespaces_names_and_labels_say_which_are_meant() {
    let session = shops();
    let names = |line: &str| {
        let fleet = document(&session, line);
        let all = fleet["daemonsets"].as_array().unwrap().iter();
        all.map(|it| it["daemonset"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("--source source"), "door till camera");
    assert_eq!(names("--source source -A"), "door till camera");
    assert_eq!(names("--source source -n watch"), "camera");
    assert_eq!(names("--source source -l team=shop"), "door till");
    assert_eq!(names("--source source ds/camera till"), "till camera");
    assert_eq!(
        session.quietly("fleet --source source --reports reports -o name -q").out,
        "daemonset.apps/door\ndaemonset.apps/till\ndaemonset.apps/camera\n"
    );
    let about_camera = troubles(&document(&session, "--source source camera"));
    assert!(about_camera.iter().all(|it| it.contains(" - ") || it.contains(" camera ")), "{about_camera:?}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_and_what_would_be_waited_for_is_passed_over() {
    let session = shops();
    std::fs::create_dir(session.path("reports/folder.json")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(session.path("reports/pipe.json")).status().unwrap();
    assert!(made.success());
    session.write("reports/empty.json", "");
    session.write("reports/not-text.json", [0xff, 0xfe, 0x00]);
    session.write(
        "reports/wrong.json",
        r#"{"apiVersion":"dsrules.dev/v1","kind":"NodeReport","node":"wrong","pods":{}}"#,
    );
    session
        .write("reports/new.json", r#"{"apiVersion":"dsrules.dev/v3","kind":"NodeReport","node":["new"]}"#);
    let fleet = document(&session, "--source source");
    let told: Vec<&str> =
        fleet["unreadable"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let of = |name: &str| told.iter().find(|it| it.contains(&format!("reports/{name}.json"))).unwrap();
    assert!(of("folder").contains("it is not a regular file"));
    assert!(of("pipe").contains("it is not a regular file"));
    assert!(of("empty").contains("it ends too early"));
    assert!(of("not-text").contains("UTF-8"));
    assert!(of("wrong").contains("invalid type: map, expected a sequence"));
    assert!(of("new").contains("it is of the version `dsrules.dev/v3`"));
    assert_eq!(told.len(), 4 + 6);
    assert_eq!(fleet["nodes"], json!({ "total": 8, "reporting": 5 }));
}
