//! R1: `kill -9` at a random moment of an apply, then one plain run.

use std::collections::BTreeSet;

use crate::base::{Place, daemonset, ended, figure, integrity, node, pods, timed, times};
use crate::dice::Dice;

/// Which nodes there are, with which disk, and which daemonsets, with which image.
struct Fleet {
    nodes: Vec<(usize, &'static str)>,
    daemonsets: Vec<(usize, usize, &'static str)>,
}

impl Fleet {
    fn roll(dice: &mut Dice) -> Self {
        let nodes = (0..12).filter(|_| dice.chance(80)).collect::<Vec<_>>();
        let daemonsets = (0..4).filter(|_| dice.chance(75)).collect::<Vec<_>>();
        Fleet {
            nodes: nodes.into_iter().map(|it| (it, *dice.pick(&["ssd", "hdd"]))).collect(),
            daemonsets: daemonsets
                .into_iter()
                .map(|it| (it, dice.below(3), *dice.pick(&["", "ssd", "hdd"])))
                .collect(),
        }
    }

    fn write(&self, place: &Place) {
        // Whatever the dice say, the input is not empty.
        let mut text = node("always", "ssd") + &daemonset("always", "a:1", "");
        self.nodes.iter().for_each(|(name, disk)| text += &node(&format!("n{name}"), disk));
        for (name, image, disk) in &self.daemonsets {
            text += &daemonset(&format!("d{name}"), &format!("i:{image}"), disk);
        }
        place.write("in/all.yaml", text);
    }

    /// What there is to be, said once more: a pod of each daemonset on each node that it is for.
    fn expected(&self) -> Vec<String> {
        let mut nodes = vec![("always".to_owned(), "ssd")];
        nodes.extend(self.nodes.iter().map(|(name, disk)| (format!("n{name}"), *disk)));
        let mut daemonsets = vec![("always".to_owned(), "")];
        daemonsets.extend(self.daemonsets.iter().map(|(name, _, disk)| (format!("d{name}"), *disk)));
        let mut expected = Vec::new();
        for (daemonset, wants) in &daemonsets {
            let fitting = nodes.iter().filter(|(_, disk)| wants.is_empty() || disk == wants);
            expected.extend(fitting.map(|(node, _)| format!("{daemonset} on {node}")));
        }
        expected.sort();
        expected
    }
}

/// How the kills went: while nothing was committed, after the commit, after the end.
#[derive(Default, Debug)]
struct Moments {
    before: usize,
    after: usize,
    late: usize,
}

fn kill_over_and_over(kills: usize, tree: &str, seed: u64) -> Moments {
    let place = Place::new();
    let mut dice = Dice::new(seed);
    let apply = format!("apply in --prune --max-delete 100% -q{tree}");
    let mut fleet = Fleet::roll(&mut dice);
    fleet.write(&place);
    let (_, mut whole) = timed(|| place.ok(&apply));
    let mut moments = Moments::default();
    for kill in 0..kills {
        let before = pods(&place.path("dsrules.db"));
        fleet = Fleet::roll(&mut dice);
        fleet.write(&place);
        let mut child = place.command(&apply).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(dice.below(1_100) as f64 / 1_000.0));
        let _ = child.kill();
        let was_late = ended(child, &apply).code.is_some();
        let store = place.path("dsrules.db");
        // A reader sees the state before or the one after, and SQLite finds nothing wrong.
        let expected = fleet.expected();
        let found = pods(&store);
        assert!(found == before || found == expected, "kill {kill}: {found:#?}");
        assert_eq!(integrity(&store), "ok", "kill {kill}");
        match (was_late, found == expected) {
            (true, _) => moments.late += 1,
            (false, true) => moments.after += 1,
            (false, false) => moments.before += 1,
        }
        let (_, took) = timed(|| place.ok(&apply));
        if found != expected {
            // As long as a run takes that has all of it to do.
            whole = (whole * 9 + took) / 10;
        }
        assert_eq!(pods(&store), expected, "kill {kill}");
        assert_eq!(integrity(&store), "ok", "kill {kill}");
        place.ok(&format!("plan in --prune --detailed-exitcode -q{tree}"));
        if !tree.is_empty() {
            check_tree(&place, &expected, kill);
        }
    }
    moments
}

/// A file of each pod, and nothing else.
fn check_tree(place: &Place, expected: &[String], kill: usize) {
    let seen = place.look("pods");
    let files: Vec<&String> = seen.keys().filter(|path| path.ends_with(".yaml")).collect();
    let nodes: BTreeSet<&str> = expected.iter().filter_map(|pod| pod.rsplit(' ').next()).collect();
    assert_eq!(files.len(), expected.len(), "kill {kill}: {files:#?}");
    for path in seen.keys() {
        let (node, file) = path.split_once('/').unwrap_or((path, ".dsrules"));
        let known = file == ".dsrules" || file.ends_with(".yaml");
        assert!(nodes.contains(node) && known, "kill {kill}: {path} was left behind");
    }
}

#[test]
fn what_is_killed_is_mended_by_a_plain_run() {
    for (what, tree) in [("store", ""), ("store and tree", " --tree pods")] {
        let kills = times(12, 1_000);
        let moments = kill_over_and_over(kills, tree, 7);
        figure(
            "R1",
            format!(
                "{kills} kills, {what}: 0 lost, 0 duplicate, 0 orphan pods, integrity ok each time \
                 ({} before the commit, {} after it, {} too late)",
                moments.before, moments.after, moments.late
            ),
        );
    }
}
