//! What changed is all that is looked at, and the answer is the same: random clusters,
//! random sequences of changes, and after each change the plan that was made from it is
//! compared with one made from nothing.
//!
//! `DSRULES_SEQUENCES` says how many sequences there are, `DSRULES_SEED` where to begin.
#![allow(clippy::unwrap_used)]

#[path = "incremental/changes.rs"]
mod changes;
#[path = "naive/generate.rs"]
#[allow(dead_code)]
mod generate;

use dsrules::datalog::{Constraint, Declaration, Program, Row, Symbols};
use dsrules::facts::Grouping;
use dsrules::plan::constraint;
use dsrules::plan::{Judged, Plan, Readiness, Reconciled, Reconciler, Settings, reconcile};
use dsrules::policy::builtin::{UserRules, load};
use dsrules::reason::Reasoner;
use dsrules::state::{Changed, World};

use changes::Cluster;
use generate::Dice;

/// Rules that a user could have: waves, a hold, a block that looks at what others see, and
/// constraints on where pods are and on what a plan does to them.
const OWN: &str = r#"
/// {Node} comes first.
wave(DaemonSet, Node, 1) :- daemonset(DaemonSet), node_label(Node, "zone", "a").
/// {Node} comes next.
wave(DaemonSet, Node, 2) :- daemonset(DaemonSet), node_label(Node, "zone", "b").
/// {Node} is left alone.
hold(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, "hold", "yes").
/// {Node} has a larger number than {Other} and an equal zone.
blocked(DaemonSet, Node) :- daemonset_label(DaemonSet, "alone", "yes"), node_number(Node, "number", Number), node_label(Node, "zone", Zone), node_label(Other, "zone", Zone), node_number(Other, "number", Less), Less < Number.
/// {Node} is held.
required(DaemonSet, Node) :- fits(DaemonSet, Node), node_label(Node, "hold", "yes").
.decl bare(daemonset: DaemonSet, node: Node) violation
/// {Node} is in the zone a and has no pod of {DaemonSet}.
bare(DaemonSet, Node) :- daemonset(DaemonSet), node_label(Node, "zone", "a"), !has_pod(DaemonSet, Node).
.decl leaves(daemonset: DaemonSet, node: Node) warning
/// {DaemonSet} leaves {Node}.
leaves(DaemonSet, Node) :- planned("delete", DaemonSet, Node), !planned("create", DaemonSet, Node).
"#;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn programs() -> [Program; 2] {
    let own = UserRules { file: "own.dl".to_owned(), text: OWN.to_owned() };
    [load(&[]).program.unwrap(), load(&[own]).program.unwrap()]
}

/// A world that is reconciled again and again, with what is known of it.
struct Kept {
    world: World,
    reasoner: Reasoner,
    reconciler: Reconciler,
}

/// What two ways of reconciling disagree about.
fn difference(one: &Reconciled, other: &Reconciled) -> Option<String> {
    let waves = |reconciled: &Reconciled| -> Vec<_> {
        reconciled.waves.iter().map(|wave| (wave.time, wave.actions.clone())).collect()
    };
    let same = one.statuses == other.statuses
        && one.waiting == other.waiting
        && one.lost == other.lost
        && waves(one) == waves(other);
    (!same).then(|| format!("from nothing: {one:#?}\nfrom the change: {other:#?}"))
}

/// What the constraints say of a plan.
fn said(reasoner: &mut Reasoner, done: &Reconciled) -> Vec<Judged> {
    let plan = Plan { waves: done.waves.clone(), ..Plan::default() };
    let mut all = |_: &Declaration, rows: Vec<Row>, _: &Symbols| rows;
    constraint::check(reasoner, &plan, &[Constraint::Violation, Constraint::Warning], &mut all).unwrap()
}

/// One sequence; the number of steps in which something was done, and of those in which a
/// constraint said another thing than the time before.
fn sequence(seed: u64, program: &Program, steps: usize) -> (usize, usize) {
    let mut dice = Dice::new(seed);
    let readiness = if dice.chance(50) { Readiness::Assume } else { Readiness::Observe };
    let mut cluster = Cluster::new(&mut dice);
    let mut kept = Kept {
        world: World::default(),
        reasoner: Reasoner::new(program, Grouping::On),
        reconciler: Reconciler::default(),
    };
    let (mut acted, mut told, mut before) = (0, 0, Vec::new());
    let mut log = vec!["start".to_owned()];
    cluster.start(&mut kept.world);
    for step in 0..=steps {
        if step > 0 {
            log.push(cluster.change(&mut dice, &mut kept.world));
        }
        let settings = Settings { readiness, now: cluster.now };
        let mut fresh = kept.world.clone();
        let from_nothing = reconcile(&mut fresh, &mut Reasoner::new(program, Grouping::On), settings);
        let from_change = kept.reconciler.reconcile(&mut kept.world, &mut kept.reasoner, settings);
        let (from_nothing, from_change) = match (from_nothing, from_change) {
            (Ok(one), Ok(other)) => (one, other),
            (one, other) => panic!("seed {seed}, step {step}: {:?} {:?}", one.err(), other.err()),
        };
        let tell =
            |what: &str| format!("seed {seed}, step {step}: {what} differ after\n  {}", log.join("\n  "));
        if let Some(difference) = difference(&from_nothing, &from_change) {
            panic!("{}\n{difference}", tell("plans"));
        }
        assert!(fresh.pods == kept.world.pods, "{}", tell("pods"));
        assert!(fresh.resource_version == kept.world.resource_version, "{}", tell("versions"));
        let mut anew = Reasoner::new(program, Grouping::On);
        anew.derive(&fresh, &Changed::default(), settings.now).unwrap();
        let (anew, kept_said) = (said(&mut anew, &from_nothing), said(&mut kept.reasoner, &from_change));
        assert_eq!(anew, kept_said, "{}", tell("constraints"));
        acted += usize::from(!from_change.waves.is_empty());
        told += usize::from(kept_said != before);
        before = kept_said;
        kept.world.dirty = dsrules::state::Dirty::default();
    }
    (acted, told)
}

#[test]
fn a_change_comes_to_what_the_whole_comes_to() {
    let programs = programs();
    let (count, first) = (number("DSRULES_SEQUENCES", 60), number("DSRULES_SEED", 1));
    let (mut acted, mut told) = (0, 0);
    for seed in first..first + count {
        let counts = sequence(seed, &programs[usize::from(seed % 3 == 0)], 50);
        (acted, told) = (acted + counts.0, told + counts.1);
    }
    // A change that changes nothing proves nothing.
    assert!(told > usize::try_from(count).unwrap() * 5, "a constraint said another thing {told} times");
    assert!(acted > usize::try_from(count).unwrap() * 10, "{acted} of {} steps did something", count * 50);
}

#[test]
fn many_changes_at_once_are_derived_from_the_start_and_come_to_the_same() {
    let [program, _] = programs();
    let mut dice = Dice::new(7);
    let mut cluster = Cluster::new(&mut dice);
    let mut world = World::default();
    cluster.start(&mut world);
    let (mut reasoner, mut reconciler) = (Reasoner::new(&program, Grouping::On), Reconciler::default());
    let settings = Settings { readiness: Readiness::Assume, now: cluster.now };
    reconciler.reconcile(&mut world, &mut reasoner, settings).unwrap();
    for nth in 0..700 {
        cluster.add_node(&mut dice, &mut world, nth);
    }
    let mut fresh = world.clone();
    let from_nothing = reconcile(&mut fresh, &mut Reasoner::new(&program, Grouping::On), settings).unwrap();
    let from_change = reconciler.reconcile(&mut world, &mut reasoner, settings).unwrap();
    assert_eq!(difference(&from_nothing, &from_change), None);
    assert_eq!(fresh.pods, world.pods);
}
