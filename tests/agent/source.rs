//! What becomes of the source, and what the agent makes of it.

use std::fs;

use crate::fleet::{Fleet, Running, Said, daemonset, node};

fn fleet() -> Fleet {
    Fleet::of(&[
        ("nodes/n1.yaml", &node("n1", "ssd")),
        ("nodes/n2.yaml", &node("n2", "hdd")),
        ("daemonsets/web.yaml", &daemonset("web", "web:1", "")),
    ])
}

#[test]
fn it_does_what_is_to_be_done_once_and_then_nothing() {
    let fleet = fleet();
    let said = fleet.once("n1");
    assert!(said.succeeded && said.out.contains("1 pod created"), "{said:?}");
    assert_eq!(fleet.tree("n1").len(), 1);
    let said = fleet.once("n1");
    assert!(said.succeeded && said.out.contains("nothing to do"), "{said:?}");
    // A hand in the tree is mended.
    let (name, text) = fleet.tree("n1").pop_first().unwrap();
    fs::remove_file(fleet.path("tree").join("n1").join(&name)).unwrap();
    assert!(fleet.once("n1").succeeded);
    assert_eq!(fleet.tree("n1"), [(name, text)].into());
}

/// Each is what a source may look like for a while; no pod is stopped for it.
#[test]
fn nothing_is_stopped_for_a_source_that_is_not_there_or_half_there() {
    let fleet = fleet();
    assert!(fleet.once("n1").succeeded);
    let before = fleet.tree("n1");
    let source = fleet.source();
    let away = fleet.path("away");
    let stays = |what: &str, expected: &str, again: &dyn Fn()| {
        let said = fleet.once("n1");
        assert_eq!(said.code, Some(1), "{what}: {said:?}");
        assert!((said.out + &said.err).contains(expected), "{what}: expected `{expected}`");
        assert_eq!(fleet.tree("n1"), before, "{what}");
        // What went from the tree meanwhile comes back all the same.
        let file = fleet.path("tree").join("n1").join(before.keys().next().unwrap());
        fs::remove_file(&file).unwrap();
        fleet.once("n1");
        assert_eq!(fleet.tree("n1"), before, "{what}");
        again();
        assert!(fleet.once("n1").succeeded, "{what}");
        assert_eq!(fleet.tree("n1"), before, "{what}, and is over");
    };
    fs::rename(&source, &away).unwrap();
    stays("the folder is gone", "there is no file or folder", &|| fs::rename(&away, &source).unwrap());
    fs::rename(&source, &away).unwrap();
    fs::create_dir(&source).unwrap();
    stays("it is empty", "has lost all of the 2 objects", &|| {
        fs::remove_dir(&source).unwrap();
        fs::rename(&away, &source).unwrap();
    });
    fs::rename(source.join("daemonsets"), &away).unwrap();
    stays("its daemonsets are gone", "has lost the one daemonset", &|| {
        fs::rename(&away, source.join("daemonsets")).unwrap();
    });
    let text = daemonset("web", "web:1", "");
    fleet.write("daemonsets/web.yaml", &text[..text.len() / 2]);
    stays("a file is cut off", "web.yaml", &|| fleet.write("daemonsets/web.yaml", &text));
    fleet.write("daemonsets/web.yaml", "");
    stays("a file is cut to nothing", "the file is empty", &|| fleet.write("daemonsets/web.yaml", &text));
    fs::create_dir(source.join(".git")).unwrap();
    fs::write(source.join(".git/index.lock"), "").unwrap();
    fs::remove_file(source.join("daemonsets/web.yaml")).unwrap();
    stays("git is at work", "git is at work", &|| {
        fleet.write("daemonsets/web.yaml", &text);
        fs::remove_file(source.join(".git/index.lock")).unwrap();
    });
}

#[test]
fn its_own_node_is_never_gone() {
    let fleet = fleet();
    assert!(fleet.once("n1").succeeded);
    let before = fleet.tree("n1");
    fleet.remove("nodes/n1.yaml");
    assert!(fleet.once("n1").succeeded);
    assert!(fleet.once("n1").succeeded);
    assert_eq!(fleet.tree("n1"), before);
    // Back with another label, it decides again.
    fleet.write(
        "daemonsets/web.yaml",
        &daemonset("web", "web:1", "").replace("containers:", "nodeSelector: {disk: ssd}\n      containers:"),
    );
    assert!(fleet.once("n1").succeeded);
    assert_eq!(fleet.tree("n1").len(), 1);
    fleet.write("nodes/n1.yaml", &node("n1", "hdd"));
    assert!(fleet.once("n1").succeeded);
    assert_eq!(fleet.tree("n1").len(), 0);
}

#[test]
fn a_node_that_no_manifest_has_is_gathered_from_the_machine() {
    let fleet = fleet();
    let text = daemonset("web", "web:1", "")
        .replace("containers:", "nodeSelector: {rack: r7, kubernetes.io/os: linux}\n      containers:");
    fleet.write("daemonsets/web.yaml", &text);
    let once = |args: &[&str]| Said::of(fleet.agent("shop").arg("--once").args(args).output().unwrap());
    assert!(once(&[]).succeeded);
    assert_eq!(fleet.tree("shop").len(), 0);
    assert!(once(&["--label", "rack=r7"]).succeeded);
    assert_eq!(fleet.tree("shop").len(), 1);
    assert!(once(&["--label", "rack=r7", "--taint", "x=y:NoExecute"]).succeeded);
    assert_eq!(fleet.tree("shop").len(), 0);
    // A manifest of the source is what counts, once there is one, and flags are added to it.
    fleet.write("nodes/shop.yaml", &node("shop", "ssd"));
    assert!(once(&["--label", "rack=r7", "--label", "kubernetes.io/os=linux"]).succeeded);
    assert_eq!(fleet.tree("shop").len(), 1);
    let own = fleet.path("own.yaml");
    fs::write(&own, node("shop", "ssd")).unwrap();
    assert!(once(&["--node-file", own.to_str().unwrap()]).succeeded);
    assert_eq!(fleet.tree("shop").len(), 0, "a file that is named comes first");
    fs::write(&own, node("other", "ssd")).unwrap();
    let said = once(&["--node-file", own.to_str().unwrap()]);
    assert!(said.err.contains("there is no Node `shop`"), "{said:?}");
}

#[test]
fn what_is_wrong_on_the_command_line_is_told_before_anything_is_done() {
    let fleet = fleet();
    let said = Said::of(fleet.agent("Not_a_name").args(["--label", "a=b c", "--once"]).output().unwrap());
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("the node `Not_a_name` cannot be so"), "{said:?}");
    assert!(!fleet.path("Not_a_name.db").exists());
}

#[test]
fn changes_are_followed_and_a_signal_ends_it() {
    let fleet = fleet();
    let agent = Running::start(fleet.agent("n1"), fleet.path("log"));
    agent.until("the pod is there", || fleet.tree("n1").len() == 1);
    fleet.write("daemonsets/two.yaml", &daemonset("two", "two:1", ""));
    agent.until("the second is there", || fleet.tree("n1").len() == 2);
    // A hand in the tree.
    let gone = fleet.path("tree").join("n1").join(fleet.tree("n1").keys().next().unwrap());
    fs::remove_file(gone).unwrap();
    agent.until("what was removed is back", || fleet.tree("n1").len() == 2);
    // A second one, and a third with another store but the same tree.
    let said = fleet.once("n1");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("the node `n1` has an agent already"), "{said:?}");
    assert!(said.err.contains(&format!("`dsrules agent --node n1` (process {})", agent.id())), "{said:?}");
    // The source goes away and comes back.
    fs::rename(fleet.source(), fleet.path("away")).unwrap();
    agent.until("it is told", || agent.said().contains("cannot be read"));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(agent.said().matches("cannot be read").count(), 1, "it is said once: {}", agent.said());
    assert_eq!(fleet.tree("n1").len(), 2);
    fs::rename(fleet.path("away"), fleet.source()).unwrap();
    fleet.remove("daemonsets/two.yaml");
    agent.until("it goes on", || fleet.tree("n1").len() == 1);
    // Killed, it goes on where it was.
    agent.end("KILL");
    fleet.write("daemonsets/two.yaml", &daemonset("two", "two:1", ""));
    let agent = Running::start(fleet.agent("n1"), fleet.path("log2"));
    agent.until("the second is back", || fleet.tree("n1").len() == 2);
    assert_eq!(agent.end("TERM"), Some(0));
    assert_eq!(fleet.tree("n1").len(), 2);
}

/// The next look at what stands for the pods comes sooner than the next one at the source, and
/// must not put that off.
#[test]
fn a_source_that_sends_no_events_is_looked_at_all_the_same() {
    let fleet = fleet();
    let mut command = fleet.agent("n1");
    command.args(["--poll=500ms", "--interval", "100ms"]);
    let agent = Running::start(command, fleet.path("log"));
    agent.until("there is a pod", || fleet.tree("n1").len() == 1);
    fleet.write("daemonsets/log.yaml", &daemonset("log", "log:1", ""));
    agent.until("there is the other", || fleet.tree("n1").len() == 2);
    assert_eq!(agent.end("TERM"), Some(0));
}
