//! `plan --tree`, and `--dry-run` with `--tree`: what would change in the tree is what then does.

use serde_json::{Value, json};

use crate::session::{Session, daemonset, node, nodes};

/// The files of a plan's document.
fn files(session: &Session, line: &str) -> Vec<(String, String)> {
    let said = session.quietly(line);
    assert!(said.code == 0 || said.code == 2, "{line}: {}\n{}", said.code, said.err);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let files = document["tree"].as_array().unwrap_or_else(|| panic!("{line}: {document}"));
    files.iter().map(|file| (text(&file["path"]), text(&file["change"]))).collect()
}

/// Every file of a tree with its content.
fn content(session: &Session) -> Vec<(String, Vec<u8>)> {
    let walk = walkdir::WalkDir::new(session.path("tree")).sort_by_file_name();
    let files = walk.into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
    files.map(|entry| (entry.path().display().to_string(), std::fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn a_plan_says_of_the_tree_what_apply_then_does() {
    let session = Session::new();
    let bare = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: bare, labels: {x: one}}\nspec: {nodeName: a, containers: [{name: c, image: i}]}\n";
    let orphan = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: orphan, labels: {app: agent}}\nspec: {nodeName: b, containers: [{name: c, image: agent:1}]}\n";
    let agent = |image: &str| daemonset("agent", image, "", "");
    let steps = [
        ("all is new", nodes(&["a", "b"]) + "---\n" + &agent("agent:1") + bare, "created"),
        ("another template", nodes(&["a", "b"]) + "---\n" + &agent("agent:2") + bare, "removed"),
        (
            "another label",
            nodes(&["a", "b"]) + "---\n" + &agent("agent:2") + &bare.replace("x: one", "x: two"),
            "rewritten",
        ),
        ("one that is adopted", nodes(&["a", "b", "c"]) + "---\n" + &agent("agent:2") + orphan, "created"),
        ("a node that is gone", nodes(&["a"]) + "---\n" + &agent("agent:2"), "removed"),
    ];
    for (step, text, change) in steps {
        session.write("in/all.yaml", text);
        let before = content(&session);
        let options = "in --prune --max-delete 100% --tree tree -o json";
        let planned = files(&session, &format!("plan {options} --detailed-exitcode"));
        assert_eq!(files(&session, &format!("apply --dry-run {options}")), planned, "{step}");
        assert_eq!(content(&session), before, "{step}: a plan writes nothing");
        assert_eq!(files(&session, &format!("apply {options}")), planned, "{step}");
        assert!(planned.iter().any(|(_, done)| done == change), "{step}: {planned:?}");
        assert_eq!(files(&session, &format!("plan {options}")), [], "{step}: nothing is left");
    }
    // A file that somebody changed is a change, though the store has none.
    let (file, _) = content(&session).into_iter().find(|(path, _)| path.ends_with(".yaml")).unwrap();
    std::fs::write(&file, "changed\n").unwrap();
    let said = session.quietly("plan in --tree tree --detailed-exitcode");
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.out.contains("1 to rewrite, 0 to remove"), "{}", said.out);
    let what_if = session.quietly("plan in --tree tree -o json --remove node/a");
    let document: Value = serde_json::from_str(&what_if.out).unwrap();
    assert_eq!(document["plan"]["tree"].as_array().map(Vec::len), Some(1), "{document}");
    assert_eq!(document["plan"]["tree"][0]["change"], json!("removed"));
}

#[test]
fn a_dry_run_of_any_command_looks_at_the_tree_too() {
    let mut session = Session::new();
    session.write("in.yaml", node("a", "", "") + "---\n" + &daemonset("agent", "agent:1", "", ""));
    session.ok("plan in.yaml --tree tree");
    assert!(!session.path("tree").exists());
    session.ok("apply in.yaml --tree tree");
    session.ok("rollout restart ds/agent --dry-run --tree tree");
    session.ok("delete node a --dry-run --tree tree");
    session.write("tree/b/default_agent-x.yaml", "# not ours\n");
    session.ok("delete node a --tree tree");
    session.write("file", "");
    session.fails("plan in.yaml --tree file");
    session.snapshot("tree_plans");
}
