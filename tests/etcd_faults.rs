//! A fleet on etcd, all of it real processes, and what becomes of them: killed, paused for longer
//! than a lease, cut off, wiped; a store that is compacted or full. After each everything comes to
//! be as the manifests say, and the history of etcd itself shows that nothing was done twice, by
//! nobody's lease, or beyond what a rollout may take.
//!
//! `DSRULES_FAULTS=1800` goes on with faults and changes at random for so many seconds.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

#[path = "etcd_faults/clocks.rs"]
mod clocks;
#[path = "naive/dice.rs"]
mod dice;
#[path = "etcd_faults/fleet.rs"]
mod fleet;
#[path = "etcd_faults/history.rs"]
mod history;
#[path = "etcd/members.rs"]
mod members;
#[path = "etcd_faults/proxy.rs"]
mod proxy;

use dice::Dice;
use fleet::{AGENTS, CONTROLLERS, DAEMONSETS, Fleet, MAX_UNAVAILABLE, MEMBERS};
use members::etcdctl;

/// Longer than a lease.
const LONG: Duration = Duration::from_millis(3_500);

fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// What is done to a fleet.
type Fault = fn(&mut Fleet, &mut Dice);

const FAULTS: &[(&str, Fault)] = &[
    ("a controller was killed", |fleet, dice| {
        let at = dice.below(CONTROLLERS);
        fleet.kill_controller(at);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(LONG);
        fleet.start_controller(at);
    }),
    ("a controller was paused for longer than its lease", |fleet, dice| {
        let at = dice.below(CONTROLLERS);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(Duration::from_millis(dice.below(300) as u64));
        fleet.stop_controller(at);
        sleep(LONG);
        fleet.continue_controller(at);
    }),
    ("a controller was cut off from the store", |fleet, dice| {
        let at = dice.below(CONTROLLERS);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(Duration::from_millis(dice.below(300) as u64));
        fleet.cut(at, true);
        sleep(LONG);
        fleet.cut(at, false);
    }),
    ("a controller was cut off from one member", |fleet, dice| {
        let (at, member) = (dice.below(CONTROLLERS), dice.below(3));
        fleet.cut_from(at, member, true);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(LONG);
        fleet.cut_from(at, member, false);
    }),
    ("a controller ended well", |fleet, dice| {
        let at = dice.below(CONTROLLERS);
        fleet.end_controller(at);
        fleet.roll(dice.below(DAEMONSETS));
        fleet.start_controller(at);
    }),
    ("two agents were killed", |fleet, dice| {
        let (one, other) = (dice.below(AGENTS / 2), AGENTS / 2 + dice.below(AGENTS / 2));
        fleet.kill_agent(one);
        fleet.kill_agent(other);
        let tainted = |fleet: &Fleet| {
            history::last(&fleet.recorder.events())
                .wrong(&Default::default(), 0)
                .is_some_and(|it| it.contains("tainted"))
        };
        fleet.wait_for("the taint of a node that is not heard of", tainted);
        fleet.start_agent(one);
        fleet.start_agent(other);
    }),
    ("an agent was paused for longer than its lease", |fleet, dice| {
        let at = dice.below(AGENTS);
        fleet.stop_agent(at);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(LONG);
        fleet.continue_agent(at);
    }),
    ("a member of the store was killed", |fleet, dice| {
        let at = dice.below(3);
        fleet.members.kill(at);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(Duration::from_secs(1));
        fleet.members.start_again(at);
    }),
    ("a member of the store stood still", |fleet, dice| {
        let at = dice.below(3);
        fleet.members.stop(at);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(LONG);
        fleet.members.go_on(at);
    }),
    ("the member that led the store was cut off from the others", |fleet, dice| {
        let leader = fleet.members.leader();
        fleet.cut_between(&[(leader, (leader + 1) % MEMBERS), (leader, (leader + 2) % MEMBERS)]);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(LONG);
        fleet.cut_between(&[]);
    }),
    ("two members of the store were cut off from each other", |fleet, dice| {
        let at = dice.below(MEMBERS);
        fleet.cut_between(&[(at, (at + 1) % MEMBERS)]);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(LONG);
        fleet.cut_between(&[]);
    }),
    ("a member of the store lost its data", |fleet, dice| {
        let at = dice.below(3);
        fleet.members.kill(at);
        fleet.members.replace(at);
        fleet.roll(dice.below(DAEMONSETS));
    }),
    ("the store was compacted under one that follows", |fleet, dice| {
        let at = dice.below(CONTROLLERS);
        fleet.stop_controller(at);
        fleet.roll(dice.below(DAEMONSETS));
        sleep(LONG);
        let revision = fleet.recorder.revision();
        etcdctl(&fleet.members.endpoint(0), &["compact", &revision.to_string()]);
        fleet.continue_controller(at);
    }),
    ("the clock was set forward and back", |fleet, dice| {
        let agent = dice.below(AGENTS);
        let keys = ["members/c9".to_owned(), format!("beats/n{agent}")];
        let made = |fleet: &Fleet| keys.each_ref().map(|key| history::made(&fleet.recorder.events(), key));
        let old = made(fleet);
        let running = fleet.in_here(agent);
        fleet.wait_for("a lease of both", |fleet| {
            made(fleet).iter().zip(&old).all(|(new, old)| new.is_some() && new != old)
        });
        let before = made(fleet);
        for hours in [3, -2] {
            clocks::set(hours * 3_600);
            fleet.roll(dice.below(DAEMONSETS));
            fleet.relabel(agent);
            fleet.converge("the clock was set");
        }
        assert_eq!(made(fleet), before, "leases know nothing of the time of day");
        clocks::set(0);
        drop(running);
        (0..CONTROLLERS).for_each(|at| fleet.start_controller(at));
        fleet.start_agent(agent);
    }),
    ("nodes moved", |fleet, dice| {
        fleet.relabel(dice.below(AGENTS));
        fleet.relabel(dice.below(AGENTS));
        fleet.roll(dice.below(DAEMONSETS));
    }),
];

/// The store is filled to its quota, and made room in again.
fn fill(fleet: &mut Fleet) {
    let endpoint = fleet.members.endpoint(0);
    let junk = "x".repeat(100_000);
    let put = |nth: usize| {
        let mut command = std::process::Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args([
            "--endpoints",
            &endpoint,
            "put",
            &format!("junk/{nth}"),
            &junk,
        ]);
        command.output().unwrap().status.success()
    };
    assert!((0..900).any(|nth| !put(nth)), "the store is full");
    fleet.roll(0);
    fleet.wait_for("a word of a full store", |fleet| {
        (0..CONTROLLERS).any(|at| fleet.said(at).contains("no space left"))
    });
    etcdctl(&endpoint, &["del", "--prefix", "junk/"]);
    let revision = fleet.recorder.revision();
    etcdctl(&endpoint, &["compact", &revision.to_string()]);
    (0..3).for_each(|at| drop(etcdctl(&fleet.members.endpoint(at), &["defrag"])));
    etcdctl(&endpoint, &["alarm", "disarm"]);
}

fn end(fleet: Fleet) {
    let counted = history::check(&fleet.recorder.events(), MAX_UNAVAILABLE);
    println!("{counted:?}");
    assert!(counted.by_members > 0 && counted.replaced > 0, "{counted:?}");
    let mut took: Vec<Duration> = fleet.took.iter().map(|(_, took)| *took).collect();
    took.sort();
    println!(
        "{} times it came to rest, in {:?} at the middle and {:?} at most",
        took.len(),
        took[took.len() / 2],
        took[took.len() - 1]
    );
}

#[test]
fn a_fleet_comes_to_be_as_its_manifests_say_whatever_becomes_of_its_parts() {
    let Some(mut fleet) = Fleet::start() else { return };
    let mut dice = Dice::new(1);
    fleet.converge("the start");
    for (name, fault) in FAULTS {
        fault(&mut fleet, &mut dice);
        fleet.converge(name);
    }
    fill(&mut fleet);
    fleet.converge("the store was full");
    let seconds = std::env::var("DSRULES_FAULTS").ok().and_then(|it| it.parse().ok()).unwrap_or(0);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        for _ in 0..dice.below(3) {
            fleet.relabel(dice.below(AGENTS));
            fleet.roll(dice.below(DAEMONSETS));
        }
        let (name, fault) = dice.pick(FAULTS);
        fault(&mut fleet, &mut dice);
        fleet.converge(name);
    }
    end(fleet);
}
