//! Ctrl-C at any time: what is said is so, and the store is whole.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::session::{Session, daemonset, node};

const NODES: usize = 150;
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

#[test]
fn an_apply_that_is_interrupted_is_done_or_was_never_begun() {
    let session = large();
    let begun = Instant::now();
    assert_eq!(session.quietly("apply fleet --tree whole -q --db whole.db").code, 0);
    let takes = begun.elapsed();
    let (mut interrupted, tries) = (0, 8);
    for nth in 0..tries {
        let db = format!("{nth}.db");
        let mut command = session.command();
        command.args(["apply", "fleet", "-q", "--db", &db, "--tree", &format!("tree-{nth}")]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(takes * (nth + 1) / (tries + 2) + Duration::from_millis(20));
        let id = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        let _ = rustix::process::kill_process(id, rustix::process::Signal::INT);
        let said = child.wait_with_output().unwrap();
        let text = String::from_utf8(said.stderr).unwrap();
        let pods = session.quietly(&format!("get pods -A -o name --db {db}")).out.lines().count();
        match said.status.code() {
            Some(0) => assert_eq!(pods, NODES * DAEMONSETS),
            Some(130) if text.contains("interrupted: nothing was changed") => assert_eq!(pods, 0, "{text}"),
            Some(130) if text.contains("interrupted: the store holds what was asked for") => {
                assert_eq!(pods, NODES * DAEMONSETS, "{text}");
            }
            other => panic!("{other:?}: {text}"),
        }
        interrupted += usize::from(said.status.code() == Some(130));
        let again = session.quietly(&format!("apply fleet -q --db {db} --tree tree-{nth}"));
        assert_eq!(again.code, 0, "{}", again.err);
    }
    assert!(interrupted > 0, "no signal came in time");
}
