//! What a user's violations and warnings come to in the forms that programs read: every
//! row, with its columns, its rule and the manifests of its objects.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code)]
#[path = "cli/session.rs"]
mod session;

use serde_json::{Value, json};
use session::{Session, daemonset, nodes};

const RULES: &str = "/// No daemonset on such a node.\n\
    .decl unfit(node: Node, daemonset: DaemonSet, limit: number) violation\n\
    /// {Node} may not run {D}.\n\
    unfit(Node, D, 3) :- fits(D, Node).\n\
    .decl odd(node: Node) warning\n\
    /// {Node} is odd.\n\
    odd(Node) :- node(Node), Node > \"n298\".\n\
    .decl never(node: Node) violation\n\
    never(Node) :- node_label(Node, \"none\", _).\n";

fn with_rules() -> Session {
    let session = Session::new();
    let names: Vec<String> = (0..300).map(|at| format!("n{at:03}")).collect();
    session.write("in/nodes.yaml", nodes(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    session.write("in/agent.yaml", daemonset("agent", "x:1", "", ""));
    session.write("own/rule.dl", RULES);
    session
}

fn json_of(session: &Session, command: &str, code: i32) -> Value {
    let told = session.quietly(command);
    assert_eq!(told.code, code, "{command}: {}", told.err);
    serde_json::from_str(&told.out).unwrap_or_else(|error| panic!("{command}: {error}: {}", told.out))
}

#[test]
fn a_document_has_every_row_with_its_columns_and_places() {
    let session = with_rules();
    let plan = json_of(&session, "plan in --rules own -o json", 3);
    assert_eq!(plan["summary"]["violations"], 300);
    assert_eq!(plan["summary"]["warnings"], 1);
    assert_eq!(plan["summary"]["refused"], true);
    let rows = plan["violations"].as_array().unwrap();
    assert_eq!(rows.len(), 300);
    let row = &rows[7];
    assert_eq!(row["relation"], "unfit");
    assert_eq!(row["row"], json!({ "node": "n007", "daemonset": "default/agent", "limit": 3 }));
    assert_eq!(row["sentence"], "n007 may not run default/agent");
    assert_eq!((&row["rule"], &row["place"]["line"]), (&json!("own/rule.dl:4"), &json!(4)));
    let objects = row["objects"].as_array().unwrap();
    let place = |at: usize| (objects[at]["place"]["file"].clone(), objects[at]["place"]["text"].clone());
    assert_eq!(objects[0]["kind"], "Node");
    assert_eq!(place(0).0, "in/nodes.yaml");
    assert!(place(0).1.as_str().unwrap().contains("n007"), "{row}");
    assert_eq!(place(1).0, "in/agent.yaml");
    assert_eq!(plan["warnings"][0]["sentence"], "n299 is odd");
    // What is meant is told as warnings; what was refused is told in the document too.
    let meant = json_of(&session, "plan in --rules own -o json --ignore-violations", 0);
    assert_eq!((&meant["violations"], &meant["summary"]["warnings"]), (&Value::Null, &json!(301)));
    let refused = json_of(&session, "apply in --rules own -o json", 3);
    assert_eq!(refused["violations"].as_array().unwrap().len(), 300);
    assert_eq!(json_of(&session, "get nodes -o json", 0)["items"], json!([]));
}

#[test]
fn a_person_is_told_the_first_and_how_many_there_are() {
    let session = with_rules();
    let told = session.quietly("plan in --rules own").err;
    assert_eq!(told.matches("error[violation]").count(), 1, "{told}");
    assert!(told.contains("note: n009 may not run default/agent") && !told.contains("n010 may"), "{told}");
    assert!(
        told.contains("and 290 more of `unfit`") && told.contains("300 violations of your own"),
        "{told}"
    );
    let all = session.quietly("plan in --rules own -v").err;
    assert!(all.contains("n299 may not run") && !all.contains("more of"), "{all}");
}

#[test]
fn code_scanning_and_test_reports_have_a_rule_for_each_constraint() {
    let session = with_rules();
    let sarif = json_of(&session, "plan in --rules own -o sarif", 3);
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let named = |name: &str| rules.iter().find(|rule| rule["id"] == name).unwrap();
    assert_eq!(named("unfit")["shortDescription"]["text"], "No daemonset on such a node.");
    assert_eq!(named("odd")["defaultConfiguration"]["level"], "warning");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 301);
    for result in results {
        let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[at]["id"], result["ruleId"]);
        assert!(result["message"]["text"].is_string() && result["level"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "in/nodes.yaml");
        assert!(place["region"]["startLine"].as_u64().unwrap() > 0);
        let last = result["relatedLocations"].as_array().unwrap().last().unwrap();
        assert_eq!(last["physicalLocation"]["artifactLocation"]["uri"], "own/rule.dl");
    }
    let junit = session.quietly("plan in --rules own -o junit");
    assert_eq!(junit.code, 3);
    assert!(junit.out.contains("name=\"never\"/>"), "{}", junit.out);
    assert_eq!(junit.out.matches("<failure type=\"violation\"").count(), 1);
    assert_eq!(junit.out.matches("may not run default/agent").count(), 301);
    let github = session.quietly("plan in --rules own -o github").out;
    assert_eq!(
        github.lines().filter(|line| line.starts_with("::error file=in/nodes.yaml,line=")).count(),
        300
    );
    // What cannot be planned is told in the same form.
    session.write("own/rule.dl", "odd(N) :- node(N).\n");
    let broken = json_of(&session, "plan in --rules own -o sarif", 1);
    assert_eq!(broken["runs"][0]["results"][0]["ruleId"], "unknown-relation");
}

#[test]
fn nodes_that_a_rule_blocks_or_holds_are_named_with_the_rule() {
    let mut session = Session::new();
    let names: Vec<String> = (0..24).map(|at| format!("n{at:02}")).collect();
    session.write("in/nodes.yaml", nodes(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    session.write("in/agent.yaml", daemonset("agent", "x:1", "", ""));
    let rules = "/// {Node} is off limits.\nblocked(_, Node) :- node(Node), Node < \"n04\".\n\
        /// {DaemonSet} is left alone.\nhold(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), Node > \"n11\".\n"
        .replace("blocked(_, Node) :- ", "blocked(DaemonSet, Node) :- daemonset(DaemonSet), ");
    session.write("own.dl", &rules);
    session.ok("apply in --rules own.dl");
    session.write("in/agent.yaml", daemonset("agent", "x:2", "", ""));
    let told = session.quietly("plan in --rules own.dl").out;
    let held = "    held on 12 nodes: default/agent is left alone  [own.dl:4]\n        n12, n13, n14, n15, n16, n17, n18, n19 and 4 more; -o wide shows them\n";
    assert!(told.contains(held), "{told}");
    let blocked = "blocked default/agent: 4 nodes that it fits: n00 is off limits  [own.dl:2]\n    n00, n01, n02, n03\n";
    assert!(told.contains(blocked), "{told}");
    let plan = json_of(&session, "plan in --rules own.dl -o json", 0);
    let held: Vec<&Value> =
        plan["waiting"][0]["nodes"].as_array().unwrap().iter().filter(|it| it["held"] == true).collect();
    assert_eq!((held.len(), &held[0]["rule"]), (12, &json!("own.dl:4")));
    assert_eq!(plan["blocked"][0]["nodes"], json!(["n00", "n01", "n02", "n03"]));
    // The rollout that waits, for programs.
    let status = json_of(&session, "rollout status ds/agent -o json --rules own.dl", 0);
    assert_eq!(status["daemonsets"][0]["done"], true);
    session.ok("apply in --rules own.dl");
    let status = json_of(&session, "rollout status ds/agent -o json --rules own.dl", 1);
    assert_eq!(status["daemonsets"][0]["waiting"]["nodes"][0]["held"], true);
    assert_eq!(status["daemonsets"][0]["status"]["desiredNumberScheduled"], 20);
    let history = json_of(&session, "rollout history ds/agent -o json", 0);
    let revisions = history["daemonsets"][0]["revisions"].as_array().unwrap();
    assert_eq!(revisions[1]["images"], json!(["x:2"]));
    assert_eq!(revisions[1]["changed"], json!(["containers[main].image"]));
    assert_eq!(revisions[1]["template"], Value::Null);
    let one = json_of(&session, "rollout history ds/agent --revision 1 -o json", 0);
    let template = &one["daemonsets"][0]["revisions"][0]["template"];
    assert_eq!(template["spec"]["containers"][0]["image"], "x:1");
}
