//! Ctrl-C at any time: what is said is so, and the store is whole.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::session::{Session, daemonset, node};

const NODES: usize = 80;
const DAEMONSETS: usize = 4;

fn large() -> Session {
    let session = Session::new();
    let all: Vec<String> = (0..NODES).map(|nth| node(&format!("n{nth}"), "a=b", "")).collect();
    session.write("fleet/nodes.yaml", all.join("---\n"));
    for nth in 0..DAEMONSETS {
        session.write(&format!("fleet/{nth}.yaml"), daemonset(&format!("d{nth}"), "i:1", "", ""));
    }
    session
}

/// Begins a command, interrupts it after a while, and gives its exit code and what it said.
fn interrupted(session: &Session, line: &str, after: Duration) -> (Option<i32>, String) {
    let mut command = session.command();
    let child = command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(after);
    let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    let _ = rustix::process::kill_process(id, rustix::process::Signal::INT);
    let said = child.wait_with_output().unwrap();
    (said.status.code(), String::from_utf8(said.stderr).unwrap())
}

#[test]
fn an_apply_that_is_interrupted_is_done_or_was_never_begun() {
    let session = large();
    let begun = Instant::now();
    assert_eq!(session.quietly("apply fleet --tree whole -q --db whole.db").code, 0);
    let takes = begun.elapsed();
    let (mut stopped, tries) = (0, 4);
    for nth in 0..tries {
        let db = format!("{nth}.db");
        let line = format!("apply fleet -q --db {db} --tree tree-{nth}");
        let (code, text) =
            interrupted(&session, &line, takes * (nth + 1) / (tries + 2) + Duration::from_millis(20));
        let pods = session.quietly(&format!("get pods -A -o name --db {db}")).out.lines().count();
        match code {
            Some(0) => assert_eq!(pods, NODES * DAEMONSETS),
            Some(130) if text.contains("interrupted: nothing was changed") => assert_eq!(pods, 0, "{text}"),
            Some(130) if text.contains("interrupted: the store holds what was asked for") => {
                assert_eq!(pods, NODES * DAEMONSETS, "{text}");
            }
            other => panic!("{other:?}: {text}"),
        }
        stopped += usize::from(code == Some(130));
        let again = session.quietly(&format!("apply fleet -q --db {db} --tree tree-{nth}"));
        assert_eq!(again.code, 0, "{}", again.err);
    }
    assert!(stopped > 0, "no signal came in time");
}

#[test]
fn a_plan_that_is_interrupted_changes_nothing_and_says_so() {
    let session = large();
    session.write("begun/node.yaml", node("n0", "a=b", ""));
    assert_eq!(session.quietly("apply begun -q").code, 0);
    let before = std::fs::read(session.path("dsrules.db")).unwrap();
    let (mut after, mut code) = (Duration::from_millis(300), Some(0));
    // The sooner the likelier that it is at work; before it listens nothing is said.
    while code != Some(130) && after > Duration::from_millis(5) {
        let (ended, text) = interrupted(&session, "plan fleet --out kept.json", after);
        assert!(matches!(ended, None | Some(0 | 130)), "{ended:?}: {text}");
        if ended == Some(130) {
            assert!(text.ends_with("interrupted: nothing was changed\n"), "{text}");
            // Kept or not, and never half of it.
            let kept = std::fs::read_to_string(session.path("kept.json")).unwrap_or("{}".to_owned());
            assert!(serde_json::from_str::<serde_json::Value>(&kept).is_ok(), "{kept}");
        }
        let _ = std::fs::remove_file(session.path("kept.json"));
        (code, after) = (ended, after * 2 / 3);
    }
    assert_eq!(code, Some(130), "no signal came in time");
    assert_eq!(std::fs::read(session.path("dsrules.db")).unwrap(), before);
}

#[test]
fn a_watch_that_is_interrupted_ends_behind_a_whole_step() {
    let session = large();
    for after in [150, 900] {
        let db = format!("{after}.db");
        let line = format!("watch fleet --tree tree-{after} --db {db}");
        let (code, text) = interrupted(&session, &line, Duration::from_millis(after));
        let pods = session.quietly(&format!("get pods -A -o name --db {db}")).out.lines().count();
        match code {
            Some(0) => {
                assert_eq!(pods, NODES * DAEMONSETS, "{text}");
                assert!(text.contains("stopped: no step was left half done"), "{text}");
            }
            // Before it listened.
            None => assert_eq!(pods, 0, "{text}"),
            other => panic!("{other:?}: {text}"),
        }
    }
}
