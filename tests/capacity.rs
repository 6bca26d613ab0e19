//! What pods take of their nodes and what is free: what rules say of it, and what a person
//! is shown.
#![allow(clippy::unwrap_used, dead_code)]

#[path = "cli/session.rs"]
mod session;

use std::collections::BTreeMap;

use dsrules::kube::amount;
use serde_json::Value;
use session::Session;

/// A store with the nodes, daemonsets and pods of `tests/capacity`.
fn applied() -> Session {
    let session = Session::new();
    session.take("tests", "capacity");
    let said = session.quietly("apply capacity --schedule assume");
    assert_eq!(said.code, 0, "{}", said.err);
    session
}

#[test]
fn rules_may_ask_what_is_requested_and_what_is_free() {
    let mut session = applied();
    session.ok("query 'requested(Node, Resource, Amount), daemon_requested(Node, Resource, OfDaemons)'");
    session.ok("query 'free(Node, Resource, Amount)'");
    session.say("more is requested there than there is");
    session.ok("query 'overcommitted(Node, Resource)'");
    session.say("what an autoscaler counts for such a node");
    session.ok("query 'daemonset_overhead(Node, Resource, Amount)'");
    session.ok("query 'requested_by(DaemonSet, Resource, Amount)'");
    session.snapshot("capacity_rules");
}

#[test]
fn a_person_sees_what_daemonsets_and_others_take() {
    let mut session = applied();
    session.ok("capacity");
    session.say("each node, and every resource");
    session.ok("capacity web-1 gpu-1 -o wide");
    session.say("by a label, and by daemonset");
    session.ok("capacity --by pool -l 'pool in (web, gpu)'");
    session.ok("capacity --by daemonset");
    session.say("nodes that there are not");
    session.fails("capacity web-9 gpu-1");
    session.ok("capacity -l pool=none");
    session.snapshot("capacity");
}

#[test]
fn a_person_sees_what_a_plan_adds() {
    let mut session = applied();
    let more = "daemonset/logging/agent:spec.template.spec.containers[0].resources.requests.memory=3Gi";
    session.ok(&format!("capacity --set {more}"));
    session.ok(&format!("capacity --by daemonset --set {more}"));
    session.say("a node that is new, one that goes, and a daemonset that is new");
    session.write(
        "new.yaml",
        "apiVersion: v1\nkind: Node\nmetadata: {name: web-6, labels: {pool: web}}\nstatus: {allocatable: {cpu: '4', memory: 8Gi, pods: '110'}}\n---\n\
         apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: probe, namespace: net}\nspec:\n  selector: {matchLabels: {app: probe}}\n  \
         template:\n    metadata: {labels: {app: probe}}\n    spec:\n      nodeSelector: {pool: web}\n      containers:\n      \
         - {name: probe, image: 'example.org/probe:1', resources: {requests: {cpu: 50m, memory: 64Mi}}}\n",
    );
    session.ok("capacity -l pool=web -f new.yaml --remove node/web-2");
    session.say("nothing was written");
    session.ok("get nodes web-2");
    session.say("a store is not needed to ask about manifests");
    session.ok("--db none.db capacity -f capacity/cluster.yaml -f capacity/daemonsets.yaml -l pool=web");
    session.snapshot("capacity_planned");
}

#[test]
fn a_plan_warns_of_pods_that_run_now_and_would_wait() {
    let mut session = Session::new();
    session.write("few/agent.yaml", agent());
    session.write("few/nodes.yaml", nodes());
    session.ok("apply few -q");
    let more = "daemonset/logging/agent:spec.template.spec.containers[0].resources.requests.memory=2Gi";
    session.ok(&format!("plan --set {more}"));
    session.say("all at once");
    let all = "daemonset/logging/agent:spec.updateStrategy.rollingUpdate.maxUnavailable=100%";
    session.ok(&format!("plan --set {more} --set {all} -o name"));
    let plan = document(&session, &format!("plan --set {more} --set {all} -o json"));
    assert_eq!(plan["plan"]["warnings"][0]["code"], "pods-would-wait");
    session.say("what fits is not warned of");
    let less = "daemonset/logging/agent:spec.template.spec.containers[0].resources.requests.memory=1Gi";
    session.ok(&format!("plan --set {less} -o name"));
    session.snapshot("capacity_would_wait");
}

fn agent() -> String {
    let all = include_str!("capacity/daemonsets.yaml");
    all.split("---").next().unwrap().to_owned()
}

fn nodes() -> String {
    let node = |n| {
        format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: edge-{n}}}\nstatus: {{allocatable: {{cpu: '1', memory: 1536Mi, pods: '9'}}}}\n"
        )
    };
    (1..=5).map(node).collect::<Vec<_>>().join("---\n")
}

/// The document, read.
fn document(session: &Session, line: &str) -> Value {
    let said = session.quietly(line);
    assert_eq!(said.code, 0, "{line}\n{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// Amounts of a map of quantities.
fn amounts(of: &Value) -> BTreeMap<String, i128> {
    let entry = |(resource, text): (&String, &Value)| {
        (resource.clone(), i128::from(amount(resource, text.as_str().unwrap()).unwrap()))
    };
    of.as_object().unwrap().iter().map(entry).collect()
}

#[test]
fn the_document_adds_up_and_agrees_with_the_pages_of_nodes() {
    let session = applied();
    let found = document(&session, "capacity -o json");
    assert_eq!((&found["apiVersion"], &found["kind"]), (&"dsrules.dev/v1".into(), &"Capacity".into()));
    let nodes = found["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 9);
    let mut sums: BTreeMap<(String, &str), i128> = BTreeMap::new();
    for node in nodes {
        let name = node["name"].as_str().unwrap();
        let page = session.quietly(&format!("describe node {name}")).out;
        let allocated = page.split("Allocated resources:").nth(1).unwrap();
        for (resource, it) in node["now"]["resources"].as_object().unwrap() {
            let of = |what: &str| Some(i128::from(amount(resource, it[what].as_str()?).unwrap()));
            let taken = of("daemons").unwrap() + of("others").unwrap();
            if let Some(has) = of("allocatable").filter(|_| name != "huge-1") {
                assert_eq!(has - taken, of("free").unwrap(), "{name} {resource}");
            }
            for what in ["allocatable", "daemons", "others", "free", "overhead"] {
                *sums.entry((resource.clone(), what)).or_default() += of(what).unwrap_or(0);
            }
            let mut words = allocated.lines().map(str::split_whitespace).map(Iterator::collect::<Vec<_>>);
            if let Some(line) = words.find(|words| words.first() == Some(&&**resource)) {
                assert_eq!(amount(resource, line[1]).map(i128::from), Some(taken), "{name} {resource}");
            }
        }
    }
    for ((resource, what), sum) in sums {
        let total = &found["total"]["now"]["resources"][&resource][what]["total"];
        if resource != "memory" {
            assert_eq!(
                amount(&resource, total.as_str().unwrap_or("0")).map(i128::from),
                Some(sum),
                "{resource} {what}"
            );
        }
    }
    let alike = found["groups"].as_array().unwrap().iter().find(|it| it["names"][0] == "web-2").unwrap();
    assert_eq!(alike["names"], serde_json::json!(["web-2", "web-4", "web-5"]));
    let agent = found["daemonsets"].as_array().unwrap().iter().find(|it| it["daemonset"]["name"] == "agent");
    assert_eq!(
        amounts(&agent.unwrap()["now"]),
        amounts(&serde_json::json!({ "cpu": "900m", "memory": "1800Mi", "pods": "9" }))
    );
}

#[test]
fn the_document_says_what_is_now_and_what_is_after() {
    let mut session = applied();
    let more = "daemonset/logging/agent:spec.template.spec.containers[0].resources.requests.memory=3Gi";
    session.ok(&format!("capacity small-1 -o yaml --set {more}"));
    session.snapshot("capacity_document");
}
