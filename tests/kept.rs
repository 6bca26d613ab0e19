//! `plan --out`, `show` and `apply FILE`: just that plan, or nothing and what moved.
#![allow(clippy::unwrap_used)]

#[path = "cli/session.rs"]
#[allow(dead_code)]
mod session;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use session::{Session, daemonset, node, nodes};

/// A store with an agent on a and b, and a change of it that is planned and kept.
fn kept() -> Session {
    let session = Session::new();
    session.write("fleet/nodes.yaml", nodes(&["a", "b"]));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    assert_eq!(session.quietly("apply fleet").code, 0);
    session.write("fleet/agent.yaml", daemonset("agent", "agent:2", "", ""));
    session.write("fleet/nodes.yaml", nodes(&["a", "b", "c"]));
    let said = session.quietly("plan fleet --out plan.json");
    assert_eq!(said.code, 0, "{}", said.err);
    session
}

fn store(session: &Session) -> Vec<u8> {
    fs::read(session.path("dsrules.db")).unwrap()
}

/// That it is refused, that nothing is changed, and what is said.
fn refused(session: &Session, line: &str, parts: &[&str]) {
    let before = store(session);
    let said = session.quietly(line);
    assert_eq!(said.code, 1, "{line}: {}{}", said.out, said.err);
    for part in parts {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert_eq!(store(session), before, "nothing is written");
}

#[test]
fn a_kept_plan_is_shown_again_and_carried_out_just_so() {
    let mut session = kept();
    let planned = session.quietly("plan fleet").out;
    let wide = session.quietly("plan fleet -o wide").out;
    let document = session.quietly("plan fleet -o json").out;
    session.later(600);
    let shown = session.ok("show plan.json");
    assert!(shown.contains(&planned), "{shown}\n{planned}");
    assert!(session.quietly("show plan.json -o wide").out.contains(&wide));
    let same = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(same(&session.quietly("show plan.json -o json").out)["waves"], same(&document)["waves"]);
    assert!(session.quietly("show plan.json -o yaml").out.contains("kind: Plan"));
    session.ok("apply plan.json");
    assert_eq!(session.nodes_of("agent"), ["a", "b", "c"]);
    session.say("a second time it is another plan");
    session.fails("apply plan.json");
    let text = session.quietly("plan fleet --detailed-exitcode");
    assert_eq!(text.code, 0, "it is just as an apply would have left it: {}", text.out);
}

#[test]
fn the_result_is_that_of_an_apply_at_that_time() {
    let (one, two) = (kept(), kept());
    assert_eq!(one.quietly("apply plan.json -q").code, 0);
    assert_eq!(two.quietly("apply fleet -q").code, 0);
    let all = "get nodes,ds,pods,controllerrevisions -A -o json";
    assert_eq!(one.quietly(all).out, two.quietly(all).out);
}

#[test]
fn what_moved_is_named_and_nothing_is_changed() {
    let session = kept();
    session.write("fleet/agent.yaml", daemonset("agent", "agent:3", "", ""));
    session.write("fleet/more.yaml", daemonset("more", "more:1", "", ""));
    refused(
        &session,
        "apply plan.json",
        &["plan-moved", "fleet/agent.yaml` was changed", "fleet/more.yaml` is new", "plan again"],
    );
    let session = kept();
    session.remove("fleet/nodes.yaml");
    refused(&session, "apply plan.json", &["fleet/nodes.yaml` is gone"]);
    let session = kept();
    session.write("other.yaml", node("b", "", "x=y:NoExecute"));
    assert_eq!(session.quietly("apply other.yaml").code, 0);
    refused(&session, "apply plan.json", &["node/b is at version", "it was at"]);
    let session = kept();
    assert_eq!(session.quietly("delete node b").code, 0);
    refused(&session, "apply plan.json", &["node/b is gone; it was at version"]);
    let session = kept();
    fs::remove_file(session.path("dsrules.db")).unwrap();
    let said = session.quietly("apply plan.json");
    assert!(said.err.contains("dsrules.db is gone; it was at version"), "{}", said.err);
    assert!(!session.path("dsrules.db").exists(), "and none is made");
}

#[test]
fn a_change_elsewhere_that_the_plan_does_not_touch_is_none_of_its_business() {
    let session = kept();
    session.write("label.yaml", node("d", "", "").replace("name: d", "name: d\n  labels: {x: z}"));
    assert_eq!(session.quietly("apply label.yaml --schedule assume").code, 0);
    // The agent runs on d by now, so how things stand afterwards is not what was planned.
    refused(&session, "apply plan.json", &["node/d is at version"]);
}

#[test]
fn rules_and_the_time_may_move_as_well() {
    let mut session = Session::new();
    session.write("fleet/nodes.yaml", nodes(&["a", "b"]));
    session.write("fleet/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.write(
        "own.dl",
        "/// {N} sleeps.\nblocked(D, N) :- daemonset(D), node(N), N = \"b\", now(T), T > 1772442300.\n",
    );
    assert_eq!(session.quietly("plan fleet --rules own.dl --out plan.json").code, 0);
    assert_eq!(session.quietly("apply plan.json --db other.db").code, 1);
    session.later(600);
    let said = session.quietly("apply plan.json");
    assert!(
        said.err.contains("time: planned at 2026-03-02T09:00:00Z, and it is 2026-03-02T09:10:00Z"),
        "{}",
        said.err
    );
    session.write("own.dl", "blocked(D, N) :- daemonset(D), node(N), N = \"a\".\n");
    let said = session.quietly("apply plan.json");
    assert!(said.err.contains("your rules: `") && said.err.contains("own.dl` was changed"), "{}", said.err);
}

#[test]
fn a_hand_in_the_tree_is_named() {
    let session = kept();
    assert_eq!(session.quietly("apply fleet --tree pods -q").code, 0);
    session.write("fleet/agent.yaml", daemonset("agent", "agent:5", "", ""));
    assert_eq!(session.quietly("plan fleet --tree pods --out plan.json").code, 0);
    let file = fs::read_dir(session.path("pods/c")).unwrap().map(|file| file.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|it| it == "yaml")).unwrap();
    let (right, name) = (fs::read(&file).unwrap(), file.file_name().unwrap().to_str().unwrap().to_owned());
    fs::remove_file(&file).unwrap();
    refused(&session, "apply plan.json", &["the tree: `c/", &name]);
    fs::write(&file, right).unwrap();
    let said = session.quietly("apply plan.json");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("Tree "), "{}", said.out);
}

#[test]
fn what_came_through_a_pipe_is_kept_with_the_plan() {
    let session = Session::new();
    let text = format!("{}---\n{}", nodes(&["a"]), daemonset("agent", "agent:1", "", ""));
    let mut process = session
        .command()
        .args(["plan", "-", "--out", "plan.json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(process.wait().unwrap().success());
    assert_eq!(session.quietly("apply plan.json").code, 0);
    assert_eq!(session.nodes_of("agent"), ["a"]);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs::metadata(session.path("plan.json")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o077, 0, "a pipe may have had Secrets in it");
}

#[test]
fn what_is_no_plan_or_a_damaged_or_newer_one_is_told_apart() {
    let session = kept();
    let text = fs::read_to_string(session.path("plan.json")).unwrap();
    let cases: BTreeMap<&str, (String, &str)> = [
        (
            "list.json",
            (
                r#"{"apiVersion":"v1","kind":"List","items":[]}"#.to_owned(),
                "it says that it is the kind List",
            ),
        ),
        ("text.json", ("agent:1".to_owned(), "it is no JSON")),
        ("half.json", (text[..text.len() / 2].to_owned(), "is damaged, or was edited")),
        ("edited.json", (text.replace("agent.yaml", "other.yaml"), "is damaged, or was edited")),
        ("newer.json", (text.replacen("\"format\":1", "\"format\":2", 1), "was kept by a newer dsrules")),
        (
            "empty.json",
            (
                r#"{"apiVersion":"dsrules.dev/v1","kind":"KeptPlan","format":1}"#.to_owned(),
                "is damaged, or was edited",
            ),
        ),
    ]
    .into();
    for (name, (text, expected)) in cases {
        session.write(name, &text);
        let said = session.quietly(&format!("show {name}"));
        assert_eq!(said.code, 1, "{name}");
        assert!(said.err.contains(expected), "{name}: {}", said.err);
        if text.contains("KeptPlan") {
            refused(&session, &format!("apply {name}"), &[expected]);
        }
    }
    assert!(session.quietly("show nowhere.json").err.contains("cannot be read"));
    assert!(session.quietly("plan fleet --out fleet/plan.json").err.contains("would be among the manifests"));
    assert!(session.quietly("plan fleet --keep-going --out p.json").err.contains("do not go together"));
    assert!(session.quietly("plan fleet --out no/such/plan.json").err.contains("cannot be kept in"));
    assert!(session.quietly("apply plan.json --prune").err.contains("has all options in it"));
    assert!(session.quietly("apply plan.json fleet").err.contains("by itself"));
}

#[test]
fn what_could_not_be_carried_out_can_be_shown() {
    let session = kept();
    session.write("own.dl", "/// {N} is bad.\n.decl bad(n: Node) violation\nbad(N) :- node(N), N = \"c\".\n");
    for (line, why) in [
        ("plan fleet --rules own.dl --out p.json", "rules of your own call it a violation"),
        ("plan fleet --base fleet --out p.json", "it was made over a base"),
        ("plan fleet --taint a=x=y:NoExecute --out p.json", "changes that stand in no manifest"),
        ("plan fleet --prune --max-delete 0 --out p.json", "the plan deletes"),
    ] {
        if line.contains("max-delete") {
            session.write("fleet/nodes.yaml", nodes(&["a"]));
        }
        session.quietly(line);
        let said = session.quietly("show p.json");
        assert_eq!(said.code, 0, "{line}: {}", said.err);
        assert!(
            said.out.contains("It can only be shown: ") && said.out.contains(why),
            "{line}: {}",
            said.out
        );
        refused(&session, "apply p.json", &["only-shown", why]);
    }
}
