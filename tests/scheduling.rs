//! What the default scheduler does with daemon pods: as a person sees it, and compared with
//! a naive restatement on random clusters.
#![allow(clippy::unwrap_used, clippy::cast_possible_wrap, dead_code)]

#[path = "conformance/corpus.rs"]
mod corpus;
#[path = "naive/generate.rs"]
mod generate;
#[path = "scheduling/naive.rs"]
mod naive;
#[path = "conformance/scheduling.rs"]
mod recorded;
#[path = "cli/session.rs"]
mod session;

use naive::{Case, Pod, clash};
use serde_json::Value;
use session::Session;

#[test]
fn a_pod_that_does_not_fit_stays_pending_and_says_why() {
    let mut session = Session::new();
    session.take("tests", "scheduling");
    session.ok("plan scheduling/cluster.yaml scheduling/agent.yaml --schedule simulate");
    session.say("nobody asks whether it fits");
    session.ok("plan scheduling/cluster.yaml scheduling/agent.yaml");
    session.ok("apply scheduling/cluster.yaml scheduling/agent.yaml --schedule simulate");
    session.ok("get pods -A -o wide");
    session.ok("describe ds agent -n ops");
    session.say("what asks for less fits");
    let less = "daemonset/ops/agent:spec.template.spec.containers[0].resources.requests.memory=100Mi";
    session.ok(&format!("plan --schedule simulate --set {less}"));
    session.say("what makes room binds it");
    session.ok("delete pod ledger -n pay --schedule simulate");
    session.ok("get pods -A -o wide");
    session.snapshot("scheduling");
}

#[test]
fn random_clusters_are_scheduled_as_a_naive_restatement_does() {
    let program = dsrules::policy::builtin::load(&[]).program.unwrap();
    let (mut preempted, mut refused) = (0, 0);
    for seed in 0..400 {
        let case = Case::random(seed);
        let json = case.to_json();
        if let Err(difference) = recorded::check(&program, &json) {
            panic!("seed {seed}: {case:#?}\n{difference}");
        }
        sound(&case, &json["expect"]);
        preempted += json["expect"]["victims"].as_array().unwrap().len();
        refused += json["expect"]["pending"].as_array().unwrap().len();
    }
    assert!(preempted > 100 && refused > 100, "{preempted} preempted, {refused} refused");
}

/// Whatever was decided: nothing is overcommitted by a bind, no port is taken twice by one, and only
/// what has a lower priority goes.
fn sound(case: &Case, done: &Value) {
    let named = |name: &Value| -> &Pod {
        let name = name.as_str().unwrap().strip_prefix("ns/").unwrap();
        case.pods.iter().find(|pod| pod.name == name).unwrap()
    };
    let list = |of: &str| done[of].as_array().unwrap();
    let gone: Vec<&str> = list("victims").iter().map(|it| &*named(&it["pod"]).name).collect();
    for it in list("victims") {
        assert!(named(&it["pod"]).priority < named(&it["by"]).priority, "{it}");
    }
    let bound: Vec<&Pod> = list("bound").iter().map(|it| named(&it["pod"])).collect();
    let is_bound = |pod: &Pod| pod.bound || bound.iter().any(|it| it.name == pod.name);
    for pod in bound.iter().filter(|pod| !gone.contains(&&*pod.name)) {
        let others = case.pods.iter().filter(|it| it.node == pod.node && it.name != pod.name);
        let others: Vec<&Pod> = others.filter(|it| is_bound(it) && !gone.contains(&&*it.name)).collect();
        assert!(!others.iter().any(|other| clash(pod, other)), "{pod:?}");
        let has = &case.nodes[pod.node];
        assert!((others.len() as i64) < has["pods"], "{pod:?}");
        for (resource, asked) in pod.asks.iter().filter(|(_, asked)| **asked > 0) {
            let all: i128 = others.iter().map(|other| i128::from(other.asks[resource])).sum();
            let room = i128::from(has.get(resource).copied().unwrap_or(0));
            assert!(all + i128::from(*asked) <= room, "{resource} of {pod:?}");
        }
    }
}
