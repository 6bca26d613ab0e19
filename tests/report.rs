//! `dsrules report`: how every daemonset stands on every node, as text, data and a page.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

#[path = "report/large.rs"]
mod large;
#[path = "cli/session.rs"]
mod session;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};
use session::Session;

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn document(session: &Session, line: &str) -> Value {
    let said = session.quietly(line);
    assert_eq!(said.code, 0, "{line}\n{}", said.err);
    parse(&said.out)
}

/// A store with the cluster of `tests/report`, whose pods run.
fn applied() -> Session {
    let session = Session::new();
    session.take("tests", "report");
    let said = session.quietly("apply report/cluster.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    session
}

/// The stored pod of a daemonset on a node, with another status.
fn pod_with(session: &Session, daemonset: &str, node: &str, change: impl FnOnce(&mut Value)) -> String {
    let pods = document(session, "get pods -A -o json");
    let is_it = |pod: &&Value| {
        pod["metadata"]["ownerReferences"][0]["name"] == daemonset && pod["spec"]["nodeName"] == node
    };
    let mut pod = pods["items"].as_array().unwrap().iter().find(is_it).unwrap().clone();
    change(&mut pod);
    pod.to_string()
}

/// What stands how, by daemonset and node.
fn stands(document: &Value) -> BTreeMap<String, (String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let lines = document["stands"].as_array().unwrap().iter();
    lines
        .map(|it| {
            let place = format!("{} {}", text(&it["daemonset"]["name"]), text(&it["node"]));
            (place, (text(&it["now"]), text(&it["after"])))
        })
        .collect()
}

/// A session in which each word there is stands somewhere.
fn all_words() -> (Session, Value) {
    let session = applied();
    let cluster = include_str!("report/cluster.yaml").replace("web:1", "web:2");
    let cluster = cluster
        .replace("{name: web-1, labels: {", "{name: web-1, labels: {care: hold, ")
        .replace("{name: web-3, labels: {", "{name: web-3, labels: {care: closed, ");
    session.write(
        "in/cluster.yaml",
        cluster + "---\n{apiVersion: v1, kind: Node, metadata: {name: web-4, labels: {pool: web}}}\n",
    );
    let pending = |pod: &mut Value| pod["status"] = json!({ "phase": "Pending" });
    let unbound = |pod: &mut Value| {
        pending(pod);
        pod["spec"].as_object_mut().unwrap().remove("nodeName");
    };
    let failed = |pod: &mut Value| pod["status"] = json!({ "phase": "Failed" });
    let ending = |pod: &mut Value| {
        pod["metadata"]["deletionTimestamp"] = json!("2026-03-02T08:59:50Z");
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    };
    session.write("in/1.json", pod_with(&session, "agent", "web-1", pending));
    let pod = pod_with(&session, "agent", "web-2", unbound);
    session.write(
        "in/2.json",
        pod.replace("web-2", "web-4").replace("\"name\":\"agent-", "\"name\":\"agent-new-"),
    );
    session.write("in/3.json", pod_with(&session, "agent", "web-3", failed));
    session.write("in/4.json", pod_with(&session, "agent", "gpu-1", ending));
    let found = document(&session, "report in --rules report/own.dl -o json");
    (session, found)
}

#[test]
fn each_word_is_that_of_the_rules() {
    let (_session, found) = all_words();
    let now: BTreeMap<String, String> = stands(&found).into_iter().map(|(place, it)| (place, it.0)).collect();
    let expected = [
        ("agent web-1", "starting"),
        ("agent web-2", "runs"),
        ("agent web-3", "failed"),
        ("agent gpu-1", "ending"),
        ("agent web-4", "pending"),
        ("web web-1", "held"),
        ("web web-2", "old version"),
        ("web web-3", "wrongly there"),
        ("web web-4", "missing"),
    ];
    let expected = expected.map(|(place, word)| (place.to_owned(), word.to_owned()));
    assert_eq!(now, BTreeMap::from(expected));
}

#[test]
fn a_person_sees_what_needs_looking_at() {
    let (mut session, _) = all_words();
    session.ok("report");
    session.say("with what the manifests change");
    session.ok("report in --rules report/own.dl");
    session.say("what a change would do");
    session.ok("report --cordon web-1 --set daemonset/shop/web:nodeSelector.pool=gpu");
    session.snapshot("report");
}

#[test]
fn groups_are_of_nodes_that_the_rules_say_the_same_of() {
    let session = applied();
    let groups = |line: &str| {
        let found = document(&session, line);
        let names = |it: &Value| {
            it["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        found["groups"].as_array().unwrap().iter().map(names).collect::<Vec<String>>()
    };
    assert_eq!(groups("report -o json"), ["gpu-1", "web-1 web-2 web-3"]);
    // A label that somebody asks for, though all get the same answer.
    assert_eq!(
        groups("report -o json --set daemonset/shop/web:nodeSelector.topology.kubernetes.io/zone=b"),
        ["gpu-1 web-1", "web-2 web-3"]
    );
    session.write("own.dl", "/// it is closed\nblocked(D, \"web-3\") :- daemonset_name(D, \"web\").\n");
    assert_eq!(groups("report -o json --rules own.dl"), ["gpu-1", "web-1 web-2", "web-3"]);
}

/// The page without its style and script, which are files of their own.
fn frame(page: &str) -> String {
    let style = Regex::new(r"(?s)<style>.*?</style>").unwrap();
    let script = Regex::new(r"(?s)<script>.*?</script>").unwrap();
    let hash = Regex::new(r"sha256-[A-Za-z0-9+/=]+").unwrap();
    let page = style.replace(page, "<style>…</style>").into_owned();
    let page = hash.replace_all(&script.replace(&page, "<script>…</script>"), "sha256-…").into_owned();
    page.replace("><", ">\n<").replace(",\"", ",\n\"")
}

#[test]
fn the_page_is_as_it_was() {
    let (session, _) = all_words();
    let page = session.quietly("report in --rules report/own.dl -o html").out;
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("report_page", frame(&page));
    });
}

/// The data of a page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("type=\"application/json\">").unwrap();
    parse(rest.split_once("</script>").unwrap().0)
}

#[test]
fn explanations_in_the_page_are_those_of_explain() {
    let session = Session::new();
    session.take("tests", "report");
    let cluster = include_str!("report/cluster.yaml")
        .replace("{name: web-1, labels: {", "{name: web-1, labels: {care: hold, ")
        .replace("{name: web-3, labels: {", "{name: web-3, labels: {care: closed, ");
    session.write("in.yaml", cluster);
    let said = session.quietly("apply in.yaml");
    assert_eq!(said.code, 0, "{}", said.err);
    let page = session.quietly("report --rules report/own.dl -o html").out;
    let data = data(&page);
    let text = |place: &Value, names: &[&str; 4]| {
        let text = data["texts"][place.as_u64().unwrap() as usize].as_str().unwrap().to_owned();
        ["\u{1}", "\u{2}", "\u{3}", "\u{4}"]
            .iter()
            .zip(names)
            .fold(text, |text, (mark, name)| text.replace(mark, name))
    };
    let cases = data["cases"].as_array().unwrap();
    assert!(cases.len() > 5, "{}", cases.len());
    for case in cases {
        let node = data["nodes"][case[3].as_u64().unwrap() as usize][0].as_str().unwrap();
        let daemonset = data["ds"][case[1].as_u64().unwrap() as usize].as_str().unwrap();
        let (space, name) = daemonset.split_once('/').unwrap();
        let line = format!("explain {name} {node} -n {space} --rules report/own.dl -o json");
        let told = document(&session, &line);
        let names = [node, daemonset, case[5].as_str().unwrap(), name];
        let tree = &data["trees"][case[4].as_u64().unwrap() as usize];
        assert_eq!(text(&tree[0], &names), told["headline"].as_str().unwrap());
        let steps: Vec<String> = tree[1].as_array().unwrap().iter().map(|it| text(&it[1], &names)).collect();
        let expected: Vec<&str> =
            told["steps"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
        assert_eq!(steps, expected, "{line}");
    }
}

#[test]
fn a_page_of_a_large_fleet_is_small() {
    let session = Session::new();
    session.write("in.yaml", large::changed());
    let said = session.quietly("report in.yaml -o html");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.len() < 1_000_000, "{} bytes", said.out.len());
    let data = data(&said.out);
    assert_eq!((data["nodes"].as_array().unwrap().len(), data["ds"].as_array().unwrap().len()), (1000, 50));
    let groups = data["groups"].as_array().unwrap().len();
    assert!(groups < 40, "{groups} groups");
}

#[test]
fn nothing_in_a_name_is_markup() {
    let session = Session::new();
    session.write("in.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: a, labels: {topology.kubernetes.io/zone: b}}\nspec: {taints: [{key: k, value: v, effect: NoSchedule}]}\n---\n\
        apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: d, namespace: e}\nspec: {selector: {matchLabels: {app: d}}, template: {metadata: {labels: {app: d}}, spec: {containers: [{name: a, image: b}]}}}\n");
    session.write("own.dl", "/// </script><script>alert(1)</script> & \"quoted\" \u{202e}backwards\nblocked(D, N) :- daemonset(D), node(N).\n/// <img src=x onerror=alert(2)>\n.decl odd(node: Node) violation\n/// <img src=x onerror=alert(2)> on {N}\nodd(N) :- node(N).\n");
    let said = session.quietly("report in.yaml --rules own.dl -o html");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out.matches("<script").count(), 2);
    assert_eq!(said.out.matches("</script>").count(), 2);
    assert!(!said.out.contains("<img") && !said.out.contains('\u{202e}'));
    assert!(said.out.contains("&lt;img src=x onerror=alert(2)&gt;"), "it is told as it is");
}
