//! podtemplate: the pod that is sent to be created for a node, field by field.

use dsrules::datalog::Program;
use dsrules::facts::Grouping;
use dsrules::kube::pin;
use dsrules::plan::template;
use dsrules::state::World;
use serde_json::Value;

use super::corpus::{derive, put, same};

pub fn check(program: &Program, case: &Value) -> Result<(), String> {
    let mut world = World::default();
    let node = put(&mut world, &case["node"], 0);
    let key = put(&mut world, &case["daemonset"], 0);
    let reasoner = derive(program, &world, Grouping::On, 0);
    let hash = case["revisionHash"].as_str().unwrap();
    let base = template::base(&world.daemonsets[&key], hash, &reasoner.added_tolerations(&key));
    let mut pod = base.value;
    pin(&mut pod["spec"], &node.name);
    same("pod", &case["expect"]["pod"], &pod)
}
