//! The clusters that are measured: Kubernetes `List`s beside this file, and what is
//! known of them.

use std::io::Read;

use dsrules::kube::{Kind, Object, ObjectKey, Origin};
use dsrules::state::World;
use flate2::read::GzDecoder;
use serde_json::Value;

/// A cluster with the number of (daemonset, node) pairs that should have a pod.
pub struct Workload {
    pub name: &'static str,
    pub world: World,
    pub pairs: usize,
}

const FILES: [(&str, &[u8], usize); 3] = [
    ("50 x 1,000", include_bytes!("workloads/workload-50x1000.json.gz"), 26_331),
    ("200 x 5,000", include_bytes!("workloads/workload-200x5000.json.gz"), 566_948),
    ("1,000 x 10,000", include_bytes!("workloads/workload-1000x10000.json.gz"), 5_696_796),
];

/// All workloads, the smallest first.
pub fn all() -> impl Iterator<Item = Workload> {
    FILES.iter().map(|(name, bytes, pairs)| load(name, bytes, *pairs))
}

/// The largest workload.
pub fn largest() -> Workload {
    let (name, bytes, pairs) = FILES[2];
    load(name, bytes, pairs)
}

fn load(name: &'static str, bytes: &[u8], pairs: usize) -> Workload {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).expect("a workload is gzip");
    let mut list: Value = serde_json::from_str(&text).expect("a workload is JSON");
    let Value::Array(items) = list["items"].take() else { panic!("a workload is a list") };
    let mut world = World::default();
    for value in items {
        world.put(object(value), 0);
    }
    Workload { name, world, pairs }
}

/// An object of a list.
pub fn object(value: Value) -> Object {
    let kind = value["kind"].as_str().and_then(Kind::from_name).expect("a known kind");
    let text = |name: &str| value["metadata"][name].as_str().unwrap_or("").to_owned();
    let key = ObjectKey::new(text("namespace"), text("name"));
    Object { kind, key, value, origin: Origin { file: "bench".into(), document: 0, path: String::new() } }
}
