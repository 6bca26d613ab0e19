//! What is told of two folders, in each form, and how it ends.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::session::{Session, daemonset, node, nodes};
use crate::{changed, fleet};

fn two() -> Session {
    let session = Session::new();
    fleet(&session, "old");
    changed(&session, "new");
    session
}

#[test]
fn a_change_is_told_in_each_form() {
    let mut session = two();
    session.ok("diff old new");
    session.ok("diff old new -o wide");
    session.ok("diff old new -o markdown");
    session.ok("diff new new");
    session.snapshot("diff_forms");
}

#[test]
fn the_document_has_every_pod_and_its_cause() {
    let said = two().quietly("diff old new -o json");
    let found: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["kind"], "Diff");
    assert_eq!(found["summary"]["gained"], 4, "{}", said.out);
    assert_eq!(found["summary"]["lost"], 4, "{}", said.out);
    assert_eq!(found["summary"]["replaced"], 1, "{}", said.out);
    let lost = found["pods"].as_array().unwrap().iter().filter(|it| it["change"] == "lost");
    let causes: BTreeSet<String> = lost.map(|it| it["because"][0].as_str().unwrap().to_owned()).collect();
    let expected = ["has the taint dedicated=db:NoExecute, which is not tolerated", "the node is gone"];
    assert_eq!(causes, expected.map(ToOwned::to_owned).into());
    assert_eq!(found["plan"]["kind"], "Plan");
}

#[test]
fn the_exit_code_tells_nothing_from_something_from_errors_from_violations() {
    let session = two();
    let code = |line: &str| session.quietly(line).code;
    assert_eq!(code("diff old old --detailed-exitcode"), 0);
    assert_eq!(code("diff old new --detailed-exitcode"), 2);
    assert_eq!(code("diff old new"), 0);
    assert_eq!(code("diff old nowhere --detailed-exitcode"), 1);
    assert_eq!(code("diff old --detailed-exitcode"), 1);
    assert_eq!(code("diff old new --max-delete 10% --detailed-exitcode"), 1);
    session.write(
        "own.dl",
        "/// {Node} is not wanted.\n.decl bad(node: Node) violation\nbad(N) :- node(N), N = \"d\".\n",
    );
    assert_eq!(code("diff old new --rules own.dl --detailed-exitcode"), 3);
    assert!(session.quietly("diff old new --rules own.dl -o markdown").out.contains("> ❌"));
}

#[test]
fn a_change_of_rules_alone_moves_pods() {
    let mut session = Session::new();
    for side in ["old", "new"] {
        fleet(&session, side);
        session.write(&format!("{side}/dsrules.yaml"), "rules: policy\n");
    }
    session.write("old/policy/own.dl", ".decl unused(n: Node)\nunused(N) :- node(N).\n");
    let rule = "/// {Node} is for databases.\nblocked(D, Node) :- daemonset(D), node(Node), Node = \"b\".\n";
    session.write("new/policy/own.dl", rule);
    session.ok("diff old new");
    session.ok("diff new old");
    session.snapshot("diff_rules");
}

#[test]
fn a_comment_is_never_too_long_and_nothing_in_it_acts() {
    let session = Session::new();
    let names: Vec<String> = (0..150).map(|nth| format!("node-{}-{nth}", "x".repeat(150))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    session.write("old/nodes.yaml", nodes(&["first"]));
    session.write("new/nodes.yaml", nodes(&names));
    for nth in 0..4 {
        let name = format!("{}{nth}", "d".repeat(50));
        session.write(&format!("old/{nth}.yaml"), daemonset(&name, "a:1", "", ""));
        let hostile =
            "annotations:\n    note: \"@everyone | <script>alert(1)</script> ![a](http://x.y) #1\"\n";
        let labels = "metadata:\n  labels:\n";
        let text =
            daemonset(&name, "a:1", "", "").replacen("  labels:\n", &format!("  {hostile}  labels:\n"), 1);
        assert!(!text.contains(labels), "{text}");
        session.write(&format!("new/{nth}.yaml"), text);
    }
    let rule = "/// @everyone <b>look</b> [x](http://evil.example) | {D}\n.decl odd(d: DaemonSet) warning\nodd(D) :- daemonset(D).\n";
    session.write("own.dl", rule);
    let said = session.quietly("diff old new -o markdown --rules own.dl");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.len() <= dsrules::report::MARKDOWN_MOST, "{}", said.out.len());
    let outside: Vec<&str> = said.out.split('`').step_by(2).collect();
    let outside = outside.join("`").replace("@<!-- -->", "").replace("#<!-- -->", "").replace("\\]", "");
    for hostile in ["@everyone", "<script", "<b>", "](http", "://"] {
        assert!(!outside.contains(hostile), "{hostile}: {outside}");
    }
    assert_eq!(said.out.matches("<details>").count(), said.out.matches("</details>").count());
}

/// What diff says of pods is what an apply of the one and then of the other leaves.
#[test]
fn the_pods_are_those_that_two_applies_leave() {
    for seed in 0..4_u32 {
        let session = Session::new();
        for (side, salt) in [("old", seed), ("new", seed.wrapping_mul(7) + 3)] {
            let bit = |nth: u32| (salt.wrapping_mul(2_654_435_761) >> (nth % 31)) & 1 == 1;
            let names: Vec<&str> = ["a", "b", "c", "d"]
                .into_iter()
                .zip(0..)
                .filter(|(_, nth)| bit(*nth) || *nth == 0)
                .map(|(n, _)| n)
                .collect();
            let taint = |nth: u32| if bit(nth + 9) { "k=v:NoExecute" } else { "" };
            let all: Vec<String> = names
                .iter()
                .zip(0..)
                .map(|(name, nth)| node(name, if bit(nth + 5) { "disk=ssd" } else { "" }, taint(nth)))
                .collect();
            session.write(&format!("{side}/nodes.yaml"), all.join("---\n"));
            for (name, nth) in ["one", "two"].into_iter().zip(20..) {
                let spec = if bit(nth) {
                    "nodeSelector: {disk: ssd}"
                } else {
                    "tolerations: [{key: k, operator: Exists}]"
                };
                session.write(
                    &format!("{side}/{name}.yaml"),
                    daemonset(name, if bit(nth + 2) { "i:1" } else { "i:2" }, spec, ""),
                );
            }
        }
        let pods = |session: &Session| -> BTreeSet<(String, String)> {
            let out = session.quietly("get pods -A -o json").out;
            let pods: Value = serde_json::from_str(&out).unwrap();
            let pair = |pod: &Value| {
                (
                    pod["metadata"]["ownerReferences"][0]["name"].as_str().unwrap().to_owned(),
                    pod["spec"]["nodeName"].as_str().unwrap().to_owned(),
                )
            };
            pods["items"].as_array().unwrap().iter().map(pair).collect()
        };
        let found: Value = serde_json::from_str(&session.quietly("diff old new -o json").out).unwrap();
        let told = |change: &str| -> BTreeSet<(String, String)> {
            let groups = found["pods"].as_array().unwrap().iter().filter(|it| it["change"] == change);
            groups
                .flat_map(|it| {
                    it["nodes"].as_array().unwrap().iter().map(|node| {
                        (
                            it["daemonset"]["name"].as_str().unwrap().to_owned(),
                            node.as_str().unwrap().to_owned(),
                        )
                    })
                })
                .collect()
        };
        assert_eq!(session.quietly("apply old -q").code, 0);
        let before = pods(&session);
        std::fs::rename(session.path("new"), session.path("fleet")).unwrap();
        assert_eq!(session.quietly("apply fleet --prune --input-of old --max-delete 100% -q").code, 0);
        let after = pods(&session);
        assert_eq!(told("gained"), after.difference(&before).cloned().collect(), "{seed}");
        assert_eq!(told("lost"), before.difference(&after).cloned().collect(), "{seed}");
    }
}
