//! placement: may a pod be placed on this node; may one that is there stay.

use dsrules::datalog::Program;
use dsrules::facts::Grouping;
use dsrules::policy::relations;
use dsrules::state::World;
use serde_json::{Value, json};

use super::corpus::{derive, put, same};

pub fn check(program: &Program, case: &Value) -> Result<(), String> {
    let mut world = World::default();
    put(&mut world, &case["node"], 0);
    put(&mut world, &case["daemonset"], 0);
    for grouping in [Grouping::On, Grouping::Off] {
        let reasoner = derive(program, &world, grouping, 0);
        let got = json!({
            "shouldRun": reasoner.rows(relations::may_start).next().is_some(),
            "shouldContinueRunning": reasoner.rows(relations::may_stay).next().is_some(),
        });
        same(&format!("grouping {grouping:?}"), &case["expect"], &got)?;
    }
    Ok(())
}
