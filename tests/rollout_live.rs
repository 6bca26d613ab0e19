//! A rollout in a live cluster, against a simulated one in which everything goes wrong that can.
//!
//! The cluster (`cluster.rs`) has a controller that leaves old pods alone (OnDelete), kubelets, and
//! a watch that lags behind. Requests are refused, lost before and after they were carried out, or
//! carried out late; pods fail, change and come back; the one who rolls out is killed and begun
//! anew. `naive.rs` says again, from what was heard alone, what may be asked for, and from what is
//! so, how many pods were taken at a time. `DSRULES_ROLLOUTS` says how many rollouts there are (40; 1,000
//! take some minutes), `DSRULES_ROLLOUT` which is the first.
#![allow(clippy::unwrap_used)]

#[path = "rollout_live/cluster.rs"]
mod cluster;
#[path = "naive/dice.rs"]
mod dice;
#[path = "rollout_live/host.rs"]
mod host;
#[path = "rollout_live/naive.rs"]
mod naive;

use host::{Ended, Host};

#[test]
fn waves_and_bounds_hold_whatever_happens() {
    let rollouts: u64 = std::env::var("DSRULES_ROLLOUTS").map_or(40, |it| it.parse().unwrap());
    let first: u64 = std::env::var("DSRULES_ROLLOUT").map_or(0, |it| it.parse().unwrap());
    let mut all = host::Counts::default();
    for seed in first..first + rollouts {
        eprintln!("rollout {seed}");
        let mut host = Host::new(seed);
        let ended = host.run();
        assert_eq!(ended, Ended::Complete, "rollout {seed}");
        all.add(&host.counts);
    }
    println!("{rollouts} rollouts: {all:?}");
    if rollouts >= 100 {
        assert!(all.each().iter().all(|(_, count)| *count > 0), "everything happened: {all:?}");
    }
}

/// What examples/in-cluster allows is what is asked for, verb by verb.
#[test]
fn the_roles_allow_what_is_done_and_nothing_else() {
    use dsrules::app::rollout::live::{ASKED, FOLLOWED};
    use serde::Deserialize as _;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/in-cluster/rbac.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let mut allowed = std::collections::BTreeSet::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        let value = serde_json::Value::deserialize(document).unwrap();
        for rule in value["rules"].as_array().into_iter().flatten() {
            let all = |field: &str| {
                rule[field].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned())
            };
            for group in all("apiGroups") {
                for resource in all("resources") {
                    allowed.extend(all("verbs").map(|verb| (group.clone(), resource.clone(), verb)));
                }
            }
        }
    }
    let reads =
        FOLLOWED.iter().flat_map(|(_, group, plural)| ["list", "watch"].map(|verb| (*group, *plural, verb)));
    let asked =
        reads.chain(ASKED).map(|(group, resource, verb)| (group.into(), resource.into(), verb.into()));
    assert_eq!(allowed, asked.collect());
}
