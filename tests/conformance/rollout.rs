//! rollout: a cluster played step by step, each step one reconcile.

use dsrules::datalog::Program;
use dsrules::facts::Grouping;
use dsrules::kube::{Kind, ObjectKey, Pod};
use dsrules::plan::{Readiness, Simulation, Verb, pass};
use dsrules::reason::Reasoner;
use dsrules::state::World;
use serde_json::{Value, json};

use super::corpus::{names, put, same, time};
use super::sync::{created, reported};

pub fn check(program: &Program, case: &Value) -> Result<(), String> {
    let mut world = World::default();
    for node in case["nodes"].as_array().unwrap() {
        put(&mut world, node, 0);
    }
    let mut daemonset = case["daemonset"].clone();
    let key = put(&mut world, &daemonset, 0);
    // One reasoner for all steps: what is derived incrementally is compared, too.
    let mut reasoner = Reasoner::new(program, Grouping::On);
    let mut simulation = Simulation::default();
    for (index, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        let now = time(&step["now"]);
        for event in step["events"].as_array().into_iter().flatten() {
            happen(&mut world, &mut daemonset, event, now);
        }
        let changed = std::mem::take(&mut world.changed);
        reasoner.derive(&world, &changed, now).map_err(|error| error.to_string())?;
        let pass = pass(&reasoner, &world);
        let deleted = pass.actions.iter().filter(|action| action.verb == Verb::Delete);
        let at = |what: &str| format!("step {index} {what}");
        same(&at("create"), &step["create"], &created(&pass))?;
        same(&at("delete"), &step["delete"], &names(deleted.map(|action| action.object.name.to_string())))?;
        same(&at("status"), &step["status"], &reported(&world, &pass, &key))?;
        let pending: Vec<ObjectKey> = world
            .pods
            .values()
            .filter(|pod| &*pod.phase == "Pending")
            .map(|pod| pod.meta.key.clone())
            .collect();
        let wave = simulation.carry_out(&mut world, &reasoner, pass, Readiness::Observe, now);
        for pod in pending {
            turn_ready(&mut world, &pod, now + 10);
        }
        for action in wave.actions.iter().filter(|action| action.verb == Verb::Create) {
            let name = format!("agent-{}-{index}", action.node.as_deref().unwrap());
            let mut pod: Pod = world.pods[&action.object].clone();
            world.remove(Kind::Pod, &action.object);
            pod.meta.key = ObjectKey::new(key.namespace.clone(), name.as_str());
            let named = pod.meta.key.clone();
            world.pods.insert(named.clone(), pod);
            world.touch(Kind::Pod, &named);
            if !step["slow"].as_array().into_iter().flatten().any(|slow| *slow == json!(name)) {
                turn_ready(&mut world, &named, now + 10);
            }
        }
    }
    Ok(())
}

fn turn_ready(world: &mut World, key: &ObjectKey, since: i64) {
    if let Some(pod) = world.pods.get_mut(key) {
        pod.phase = "Running".into();
        pod.ready = true;
        pod.ready_since = Some(since);
        world.touch(Kind::Pod, key);
    }
}

fn happen(world: &mut World, daemonset: &mut Value, event: &Value, now: i64) {
    let pod = |name: &Value| {
        ObjectKey::new(daemonset["metadata"]["namespace"].as_str().unwrap(), name.as_str().unwrap())
    };
    match event["type"].as_str().unwrap() {
        "setImage" => {
            daemonset["spec"]["template"]["spec"]["containers"][0]["image"] = event["image"].clone();
            // The corpus counts every such event as a change of the spec.
            let generation = daemonset["metadata"]["generation"].as_i64().unwrap() + 1;
            daemonset["metadata"]["generation"] = json!(generation);
            put(world, daemonset, now);
        }
        "addNode" => {
            put(world, &event["node"], now);
        }
        "removeNode" => {
            let name = event["name"].as_str().unwrap();
            world.remove(Kind::Node, &ObjectKey::new("", name));
            let gone: Vec<ObjectKey> = world
                .pods
                .values()
                .filter(|pod| pod.target().is_some_and(|node| &**node == name))
                .map(|pod| pod.meta.key.clone())
                .collect();
            for pod in gone {
                world.remove(Kind::Pod, &pod);
            }
        }
        "setTaints" => {
            let key = ObjectKey::new("", event["name"].as_str().unwrap());
            let node = json!({ "kind": "Node", "metadata": { "name": &*key.name }, "spec": { "taints": event["taints"] } });
            let taints = dsrules::kube::Node::from_value(key.clone(), &node).taints;
            world.nodes.get_mut(&key).unwrap().taints = taints;
            world.touch(Kind::Node, &key);
        }
        "podNotReady" => {
            let key = pod(&event["name"]);
            let it = world.pods.get_mut(&key).unwrap_or_else(|| panic!("{event}"));
            it.ready = false;
            it.ready_since = Some(now);
            world.touch(Kind::Pod, &key);
        }
        "podDeleted" => {
            world.remove(Kind::Pod, &pod(&event["name"]));
        }
        other => panic!("unknown event {other}"),
    }
}
