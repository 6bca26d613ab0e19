//! What a newcomer types wrong, and the way out that is told.

use crate::session::{Session, daemonset, nodes};

fn begun() -> Session {
    let session = Session::new();
    let agent = daemonset("log-agent-of-all", "agent:1", "", "")
        .replace("name: log-agent-of-all", "namespace: logging\n  name: log-agent-of-all");
    session.write("cluster/nodes/nodes.yaml", nodes(&["a", "b"]));
    session.write("cluster/sets.yaml", agent);
    session
}

#[test]
fn what_is_mistyped_or_forgotten_has_a_way_out() {
    let mut session = begun();
    session.say("The nodes stand in a folder in the folder.");
    session.ok("plan cluster");
    session.ok("apply -R cluster");
    session.say("The pods are in another namespace.");
    session.ok("get pods");
    session.ok("get all");
    session.ok("describe ds");
    session.ok("get pods -n logging -o name");
    session.fails("get ds log-agent");
    session.fails("describe ds log-agent -n logging");
    session.fails("explain log-agent a -n logging");
    session.fails("explain logging/log-agent-of-all c");
    session.fails("get ds log-agent-of-all");
    session.fails("get pods nodes -n logging");
    session.fails("get pods x -n elsewhere");
    session.fails("get controllerrevisions x -n logging");
    session.fails("rollout status log-agent-of-all -n logging");
    session.fails("rollout undo ds/log-agent-of-all -n logging --to-revision 7");
    session.fails("plan --cordon aa");
    session.fails("plan -n logging --remove ds/log-agent");
    session.fails("get pods -w");
    session.fails("help aply");
    session.ok("version");
    session.snapshot("newcomer");
}

#[test]
fn help_is_a_command_too() {
    let session = begun();
    let out = |line: &str| session.quietly(line).out;
    assert_eq!(out("help"), out("--help"));
    assert_eq!(out("help rollout undo"), out("rollout undo --help"));
    assert_eq!(out("help plan"), out("plan --help"));
}

#[test]
fn an_empty_pipe_among_other_inputs_is_told() {
    let session = begun();
    let said = session.quietly("plan -R cluster -");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("warning[empty-stdin]: nothing came from stdin"), "{}", said.err);
}

#[test]
fn a_watched_file_and_a_missing_folder_are_named() {
    let session = begun();
    session.write("broken.yaml", "kind: [\n");
    let said = session.quietly("watch broken.yaml --once");
    assert_eq!(said.code, 1);
    assert!(said.out.contains("watching 1 file with 0 objects: nothing to do; in error: "), "{}", said.out);
    assert!(said.out.contains("broken.yaml ("), "{}", said.out);
    let said = session.quietly("watch nowhere --once");
    assert_eq!(said.code, 1);
    assert!(said.err.starts_with("error[no-folder]: there is no folder `nowhere` to watch"), "{}", said.err);
    // Without `--once` too, which used to wait for the folder for ever.
    let said = session.quietly("watch nowhere --db other.db");
    assert_eq!((said.code, &*said.out), (1, ""), "{}", said.err);
    assert!(!session.path("other.db").exists(), "nothing is begun");
}

#[test]
fn habits_of_other_tools_are_answered_with_what_is_called_so_here() {
    let session = begun();
    for (line, code, way) in [
        ("drain a", "no-such-command", "--taint NODE=maintenance=true:NoExecute"),
        ("cordon a", "no-such-command", "dsrules plan --cordon NODE"),
        ("label node a x=y", "no-such-command", "--set node/NAME:label.KEY=VALUE"),
        ("logs x", "no-such-command", "kubectl, podman or journalctl"),
        ("rollout pause ds/x", "no-such-command", "hold(DaemonSet, Node)"),
        ("plan -R cluster --label a=x=y", "no-such-option", "--set node/NAME:label.KEY=VALUE"),
        ("plan -R cluster --set node/a:disk=ssd", "bad-what-if", "a label is `label.disk`"),
        ("report", "no-store", "take manifests without one"),
    ] {
        let said = session.quietly(line);
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{line}");
        assert!(
            said.err.starts_with(&format!("error[{code}]")) && said.err.contains(way),
            "{line}: {}",
            said.err
        );
    }
    // Whoever thinks of a drain is told what it is not.
    let said = session.quietly("plan -R cluster --cordon a");
    assert!(
        said.out.contains("no pod more, none less") && said.err.contains("keeps its daemon pods"),
        "{}",
        said.err
    );
}
