//! What a plan claims where nothing was read, or nothing is done.

use crate::session::{Session, daemonset, node, nodes};
use crate::with;

const CLAIM: &str = "every node runs what the rules ask for";

#[test]
fn a_folder_of_which_nothing_is_read_is_an_error_that_says_what_to_do() {
    let mut session = Session::new();
    let limits = "apiVersion: v1\nkind: LimitRange\nmetadata:\n  name: web\n";
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
    session.write("store/all.yaml", nodes(&["a"]) + "---\n" + &daemonset("agent", "agent:1", "", ""));
    assert_eq!(session.quietly("apply store").code, 0);
    session.write("deeper/site/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.write("deeper-and-others/site/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.write("deeper-and-others/web.yaml", deployment);
    session.write("deeper-and-a-comment/site/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.write("deeper-and-a-comment/about.yaml", "# nothing yet\n");
    session.write("others/web.yaml", deployment);
    session.write("others/web2.yaml", format!("{}---\n{limits}", deployment.replace("web", "api")));
    std::fs::create_dir(session.path("empty")).unwrap();
    for folder in ["deeper", "deeper-and-others", "deeper-and-a-comment"] {
        for command in ["plan", "apply", "apply --dry-run", "plan --detailed-exitcode", "apply --keep-going"]
        {
            let said = session.quietly(&format!("{command} {folder}"));
            assert_eq!(said.code, 1, "{command} {folder}: {}", said.out);
            assert!(said.err.contains("`-R`"), "{command} {folder}: {}", said.err);
            assert!(!said.out.contains(CLAIM), "{command} {folder}: {}", said.out);
        }
        session.fails(&format!("plan {folder}"));
    }
    for folder in ["others", "empty"] {
        let told = session.fails(&format!("apply {folder}"));
        assert!(told.contains("help: ") && !told.contains("-R"), "{told}");
    }
    session.say("with something among it, what is of no use is a note");
    session.write("others/agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.ok("plan others");
    session.snapshot("nothing_read");
}

#[test]
fn nothing_is_claimed_of_daemonsets_and_nodes_that_there_are_not() {
    let mut session = Session::new();
    session.write("nodes.yaml", node("a", "", "key=value:NoSchedule"));
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    assert!(session.ok("apply nodes.yaml").contains("there is no daemonset"));
    assert!(session.ok("plan nodes.yaml").contains("No changes: there is no daemonset."));
    assert_eq!(session.quietly("apply nodes.yaml agent.yaml").code, 0);
    let idle = session.ok("plan nodes.yaml agent.yaml");
    assert!(idle.contains("No changes: no daemonset has a node to run on."), "{idle}");
}

#[test]
fn a_daemonset_that_is_being_deleted_is_said_to_be_left_alone() {
    let mut session = with("being-deleted");
    let plan = session.ok("plan being-deleted/in");
    assert!(plan.contains("left alone ops/gone: gone is being deleted") && !plan.contains(CLAIM), "{plan}");
    let json = session.quietly("plan being-deleted/in -o json").out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["leftAlone"][0]["daemonset"]["name"], "gone");
    assert_eq!(json["leftAlone"][0]["reason"], "gone is being deleted");
    session.ok("apply being-deleted/in");
    session.say("others are done all the same, and it is said as long as it is so");
    session.write("agent.yaml", daemonset("agent", "agent:1", "", ""));
    session.ok("apply agent.yaml");
    session.ok("plan agent.yaml");
    session.snapshot("left_alone");
}
