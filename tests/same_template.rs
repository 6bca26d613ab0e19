//! Whether two templates are the same: by real objects, as a person meets the question.
//!
//! Each folder of `tests/same-template/` is a small cluster; what the binary says of it is
//! a snapshot. `pairs.yaml` goes over the kinds of fields, one pair of templates each.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use dsrules::kube::kept_template;
use serde_json::{Value, json};
use session::Session;

/// From the time of every session to that of the clusters.
const LATER: i64 = 91 * 86_400 + 3 * 3600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/same-template")
}

/// A session in which the folder of this name lies, with what it holds.
fn cluster(name: &str) -> Session {
    let mut session = Session::new();
    session.later(LATER);
    for entry in fs::read_dir(root().join(name)).unwrap() {
        let folder = entry.unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            let to = Path::new(&folder.file_name()).join(file.file_name());
            session.write(to.to_str().unwrap(), fs::read(file.path()).unwrap());
        }
    }
    session
}

/// What a cluster stored and what its user wrote are the same template.
#[test]
fn what_a_cluster_stored_is_what_its_user_wrote() {
    for name in ["defaults", "canonical", "divisor", "size-limit"] {
        let mut session = cluster(name);
        let said = session.ok("plan in");
        assert!(said.contains("daemonset.apps/"), "{name}: {said}");
        assert!(!said.contains("revision ") && !said.contains(" to create"), "{name}: {said}");
        session.snapshot(&format!("same-template-{name}"));
    }
}

#[test]
fn another_spelling_of_a_quantity_is_no_change() {
    let mut session = cluster("quantities");
    session.ok("apply v1 -q");
    assert!(session.ok("plan v2").contains("No changes"));
    session.ok("rollout history ds/efs -n ops");
    session.snapshot("same-template-quantities");
}

#[test]
fn an_empty_pointer_makes_another_template() {
    for name in ["affinity", "namespace-selector", "weight"] {
        let mut session = cluster(name);
        session.ok("apply v1 -q");
        let said = session.ok("plan v2");
        assert!(said.contains("has a former template"), "{name}: {said}");
        session.snapshot(&format!("same-template-{name}"));
    }
}

#[test]
fn a_manifest_does_not_undo_a_restart() {
    let mut session = cluster("restart");
    session.ok("apply v1 -q");
    session.ok("rollout restart ds/rr -n ops -q");
    assert!(session.ok("plan v1").contains("No changes"));
    session.ok("rollout history ds/rr -n ops");
    session.ok("rollout undo ds/rr -n ops");
    session.ok("rollout history ds/rr -n ops");
    session.snapshot("same-template-restart");
}

/// The name of the new revision is taken, by one of its own or by a stranger: it gets
/// another, and what is there stays as it is.
#[test]
fn a_revision_whose_name_is_taken_gets_another() {
    let mut session = cluster("name-taken");
    session.ok("plan in");
    session.ok("apply in -q");
    session.ok("get controllerrevisions -n ops");
    let revisions = session.quietly("get controllerrevisions -n ops -o json").out;
    let revisions: Value = serde_json::from_str(&revisions).unwrap();
    let image = |it: &Value| it["data"]["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    let images: Vec<_> = revisions["items"].as_array().unwrap().iter().map(image).collect();
    assert!(images.contains(&json!("reg.test/col:1")) && images.contains(&json!("reg.test/col:2")));
    let status = session.quietly("get ds col -n ops -o json").out;
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["status"]["collisionCount"], 1);
    assert!(session.ok("apply in").contains("No changes"), "and then it is done");
    session.snapshot("same-template-name-taken");
    let mut session = cluster("name-taken");
    session.ok("apply foreign -q");
    session.ok("get controllerrevisions -n ops");
    session.snapshot("same-template-name-taken-by-a-stranger");
}

/// The template generations of the pods.
fn generations(session: &Session) -> Vec<String> {
    let pods: Value = serde_json::from_str(&session.quietly("get pods -o json").out).unwrap();
    let label =
        |pod: &Value| pod["metadata"]["labels"]["pod-template-generation"].as_str().unwrap().to_owned();
    pods["items"].as_array().unwrap().iter().map(label).collect()
}

/// A daemonset of a cluster whose template is edited: its pods carry the generation that
/// it had, and are of the former template all the same.
#[test]
fn the_template_generation_grows_with_the_template() {
    let mut session = Session::new();
    let manifest = |image: &str, generation: i64| {
        session::daemonset("agent", image, "", "").replacen(
            "metadata:\n",
            &format!(
                "metadata:\n  annotations:\n    deprecated.daemonset.template.generation: \"{generation}\"\n"
            ),
            1,
        )
    };
    session.write("nodes.yaml", session::nodes(&["n1", "n2"]));
    session.write("agent.yaml", manifest("x:1", 3));
    session.ok("apply nodes.yaml agent.yaml -q");
    assert_eq!(generations(&session), ["3", "3"]);
    session.write("agent.yaml", manifest("x:2", 3));
    session.ok("apply agent.yaml");
    assert_eq!(generations(&session), ["4", "4"]);
    session.ok("rollout undo ds/agent -q");
    let shown = session.quietly("get ds agent -o json").out;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["metadata"]["annotations"]["deprecated.daemonset.template.generation"], "5");
    session.snapshot("same-template-generation");
}

/// A template with one container and one volume; what a side of a pair says is laid over.
fn template(side: &Value) -> Value {
    let mut template = json!({
        "metadata": { "labels": { "app": "a" } },
        "spec": { "containers": [{ "name": "c", "image": "a:1" }] },
    });
    let mut lay = |at: &str, over: &Value| {
        let place = template.pointer_mut(at).unwrap();
        for (name, value) in over.as_object().into_iter().flatten() {
            place[name] = value.clone();
        }
    };
    lay("/metadata", &side["metadata"]);
    lay("/spec/containers/0", &side["container"]);
    lay("/spec", &side["spec"]);
    if !side["volume"].is_null() {
        lay("/spec", &json!({ "volumes": [{ "name": "v" }] }));
        lay("/spec/volumes/0", &side["volume"]);
    }
    template
}

#[test]
fn every_kind_of_field_is_compared_as_kubernetes_keeps_it() {
    let text = fs::read_to_string(root().join("pairs.yaml")).unwrap();
    let pairs: Vec<Value> = serde_yaml::from_str(&text).unwrap();
    assert!(pairs.len() > 70, "{}", pairs.len());
    let mut wrong = Vec::new();
    for pair in &pairs {
        let [a, b] = ["a", "b"].map(|side| kept_template(&template(&pair[side])));
        assert_eq!(kept_template(&a).to_string(), a.to_string());
        let same = pair["same"].as_bool().unwrap();
        if (a == b) != same {
            wrong.push(format!("{}: same is to be {same}\n  {a}\n  {b}", pair["about"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
