//! What deletes much has to be asked for, and what failed after the commit says so.

use crate::session::{Session, daemonset, nodes};
use crate::with;

/// 25 nodes, each with a pod of `agent`, and a pod of nobody.
fn fleet() -> Session {
    let session = Session::new();
    let names: Vec<String> = (0..25).map(|nth| format!("n{nth:02}")).collect();
    session.write("nodes.yaml", nodes(&names.iter().map(String::as_str).collect::<Vec<_>>()));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    let lone = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: lone\nspec:\n  nodeName: n00\n  containers:\n  - {name: a, image: a}\n";
    session.write("lone.yaml", lone);
    assert_eq!(session.quietly("apply nodes.yaml agent.yaml lone.yaml").code, 0);
    session
}

#[test]
fn delete_holds_the_bounds_that_apply_holds() {
    let mut session = fleet();
    for line in [
        "delete nodes --all",
        "delete nodes --all --max-delete 0",
        "delete ds agent",
        "delete ds agent --cascade=foreground --max-delete 24",
        "delete daemonset --all --max-delete 50%",
        "delete pod lone --max-delete 0",
    ] {
        let told = session.quietly(line);
        assert_eq!(told.code, 1, "{line}: {}", told.out);
        assert!(told.err.contains("error[too-many-deletions]"), "{line}: {}", told.err);
        let dry = session.quietly(&format!("{line} --dry-run"));
        assert!(dry.code == 1 && dry.out.contains("(dry run)"), "{line}: {}", dry.out);
    }
    session.fails("delete nodes --all");
    session.say("pods that come back are not lost, orphans stay, and what was asked for is done");
    session.ok("delete pods -l app=agent --max-delete 0 -o name --dry-run");
    session.ok("delete ds agent --cascade=orphan --max-delete 0 --dry-run");
    session.ok("delete node n00 --max-delete 2 -q");
    session.ok("delete ds agent --max-delete 24 -q");
    assert_eq!(session.quietly("get pods -A").out, "");
    session.snapshot("delete_bounds");
}

#[test]
fn none_of_two_objects_of_one_name_is_applied() {
    let mut session = with("defined-twice");
    session.write("others.yaml", nodes(&["n1"]) + "---\n" + &daemonset("b", "b:1", "", ""));
    let said = session.run("apply defined-twice others.yaml --keep-going");
    assert_eq!(said.code, 1);
    assert_eq!((session.nodes_of("a"), session.nodes_of("b")), (vec![], vec!["n1".to_owned()]));
    session.say("what is stored of it stays");
    assert_eq!(session.quietly("apply defined-twice/a.yaml").code, 0);
    let said = session.run("apply defined-twice others.yaml --keep-going --prune");
    assert_eq!((said.code, session.nodes_of("a")), (1, vec!["n1".to_owned()]));
    session.say("with nothing else there is nothing to go on with");
    session.fails("plan defined-twice --keep-going");
    session.snapshot("defined_twice_keep_going");
}

#[test]
fn what_fails_after_the_commit_has_a_code_of_its_own() {
    let mut session = Session::new();
    session.write("all.yaml", nodes(&["a"]) + "---\n" + &daemonset("agent", "agent:1", "", ""));
    std::fs::create_dir(session.path("tree")).unwrap();
    std::fs::write(session.path("tree/a"), "in the way").unwrap();
    let said = session.run("apply all.yaml --tree tree");
    assert_eq!(said.code, 4, "{}", said.err);
    assert_eq!(session.nodes_of("agent"), ["a"], "it is in the store");
    let said = session.run("delete ds agent --tree tree");
    assert!([0, 4].contains(&said.code), "{}", said.err);
    std::fs::remove_file(session.path("tree/a")).unwrap();
    session.ok("apply all.yaml --tree tree");
    let full = |line: &str| {
        let out = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = session.command().args(line.split(' ')).stdout(out).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = full("rollout restart ds/agent");
    assert!(code == 4 && told.contains("the store holds what was asked for"), "{code}: {told}");
    let (code, told) = full("get pods");
    assert!(code == 1 && told.contains("nothing was changed"), "{code}: {told}");
    session.snapshot("after_the_commit");
}

#[test]
fn completions_offer_nothing_that_is_refused_and_help_names_all() {
    let session = Session::new();
    let offered = |line: &str| {
        let mut command = session.command();
        let words: Vec<&str> = line.split(' ').collect();
        command.env("DSRULES_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
        String::from_utf8(command.arg("--").args(words).output().unwrap().stdout).unwrap()
    };
    assert!(offered("dsrules plan --").contains("--detailed-exitcode"));
    assert!(offered("dsrules rollout ").contains("undo"));
    let get = offered("dsrules get --");
    assert!(get.contains("--namespace") && !get.contains("--watch") && !get.contains("--whole"), "{get}");
    let help = session.quietly("--help").out;
    assert!(help.contains("\n  man ") && help.contains("--now <TIME>"), "{help}");
    assert!(help.contains("  4  "), "{help}");
}
