//! R7: many processes on one store, of which one is killed while it holds the lock.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::base::{Place, Said, daemonset, ended, figure, integrity, is_full, node, pods, times};
use crate::dice::Dice;

/// An input of its own for each process: a daemonset whose image differs each time.
fn write(place: &Place, process: usize, turn: usize) {
    place
        .write(&format!("in{process}/all.yaml"), daemonset(&format!("d{process}"), &format!("i:{turn}"), ""));
}

fn check(said: &Said, line: &str) {
    assert_eq!(said.code, Some(0), "{line}: {said:?}");
    for raw in ["database is locked", "SQLITE_BUSY", "panicked"] {
        assert!(!said.err.contains(raw) && !said.out.contains(raw), "{line}: {said:?}");
    }
}

/// A writer that holds the lock until it is killed: its rules count on without an end.
fn holder(place: &Place) -> Child {
    let rules = ".decl n(a: number)\nn(0).\nn(B) :- n(A), B = A + 1.\n/// {Node}.\n.decl hit(node: Node) warning\n\
        hit(Node) :- node(Node), n(A), A < 0.\n";
    place.write("endless.dl", rules);
    place.command("apply in -q --rules endless.dl").spawn().unwrap()
}

#[test]
fn many_processes_share_a_store() {
    let (processes, applies) = if is_full() { (32, 50) } else { (8, 3) };
    let applies = times(applies, applies);
    let place = Place::new();
    let nodes: String = (0..3).map(|nth| node(&format!("n{nth}"), "ssd")).collect();
    place.write("nodes.yaml", nodes);
    place.ok("apply nodes.yaml");
    let killed = std::thread::scope(|scope| {
        let place = &place;
        let workers: Vec<_> = (0..processes)
            .map(|process| {
                scope.spawn(move || {
                    for turn in 0..applies {
                        write(place, process, turn);
                        let line = format!("apply in{process} -q --lock-timeout 600s");
                        check(&place.run(&line), &line);
                    }
                })
            })
            .collect();
        // Meanwhile others are killed, each at some moment of its life.
        let mut dice = Dice::new(5);
        let mut killed = 0;
        place.write("other/all.yaml", daemonset("other", "i:0", ""));
        while workers.iter().any(|worker| !worker.is_finished()) {
            place.write("other/all.yaml", daemonset("other", &format!("i:{killed}"), ""));
            let mut child = place.command("apply other -q --lock-timeout 600s").spawn().unwrap();
            std::thread::sleep(Duration::from_millis(dice.below(300) as u64));
            let _ = child.kill();
            ended(child, "a killed apply");
            killed += 1;
        }
        killed
    });
    place.ok("apply other -q");
    let store = place.path("dsrules.db");
    let mut expected: Vec<String> = (0..processes)
        .flat_map(|process| (0..3).map(move |nth| format!("d{process} on n{nth}")))
        .chain((0..3).map(|nth| format!("other on n{nth}")))
        .collect();
    expected.sort();
    assert_eq!(pods(&store), expected);
    assert_eq!(integrity(&store), "ok");
    figure(
        "R7",
        format!(
            "{processes} processes x {applies} applies, {killed} others killed meanwhile: all done, no raw error, 0 duplicates"
        ),
    );
}

#[test]
fn the_lock_of_a_killed_process_is_free_at_once() {
    let place = Place::new();
    place.write("in/all.yaml", node("n0", "ssd") + &daemonset("agent", "i:0", ""));
    place.ok("apply in -q");
    let mut longest = Duration::ZERO;
    let turns = times(5, 100);
    let mut held = 0;
    for turn in 0..turns {
        let mut child = holder(&place);
        place.write("in/all.yaml", node("n0", "ssd") + &daemonset("agent", &format!("i:{turn}"), ""));
        // Held or not yet: both have to end well.
        std::thread::sleep(Duration::from_millis(200));
        held += usize::from(place.run("apply in -q").err.contains("store-locked"));
        child.kill().unwrap();
        let start = Instant::now();
        ended(child, "the holder");
        let said = place.run("apply in -q --lock-timeout 5s");
        longest = longest.max(start.elapsed());
        check(&said, "apply in");
    }
    assert!(held > turns / 2, "{held} of {turns} held the lock");
    figure(
        "R7",
        format!(
            "{turns} holders killed ({held} held the lock when asked): the next apply done within {longest:?} of the kill"
        ),
    );
}
