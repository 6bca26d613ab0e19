//! Which parts of a cluster the rules ask about: a node with its pods is one.
//!
//! What is said of a node or a pod is about that part alone; labels, taints and shapes are
//! shared between parts; daemonsets, revisions and all other objects are common to them.

use super::relations;
use crate::datalog::locality::{Lies, Locality};
use crate::datalog::{Kind, Literal, Program, RelationId};

/// How the values of a type lie.
#[must_use]
pub fn lies(ty: &str) -> Lies {
    match ty {
        "Node" | "Pod" => Lies::Placed,
        "Profile" | "NodeLabels" | "NodeTaints" | "Taint" | "LabelSet" | "Shape" | "Tolerance" | "Net" => {
            Lies::Shared
        }
        "Requirement" | "Term" | "Toleration" => Lies::Spelled,
        _ => Lies::Common,
    }
}

/// What the relations that are `wanted` are of a part of a cluster, where those that are
/// `empty` have no rows anywhere.
#[must_use]
pub fn locality(program: &Program, wanted: &[RelationId], empty: impl Fn(RelationId) -> bool) -> Locality {
    Locality::of(program, wanted, lies, empty)
}

/// Whether what is `wanted` rests on pods.
#[must_use]
pub fn rests_on_pods(program: &Program, wanted: &[RelationId]) -> bool {
    const OF_PODS: [&str; 5] = ["Pod", "LabelSet", "Shape", "Tolerance", "Net"];
    let needed = program.needed(wanted);
    let inputs = program.declarations().filter(|it| it.builtin && it.kind == Kind::Input && needed(it.id));
    inputs.flat_map(|it| &it.columns).any(|column| OF_PODS.contains(&&*column.ty))
}

/// Whether rules of a user's ask what time it is.
#[must_use]
pub fn ask_the_time(program: &Program) -> bool {
    let times = [relations::now, relations::minute_of_day, relations::weekday, relations::date];
    let times = times.map(|handle| program.id(handle));
    let own = program.rules().filter(|rule| !rule.builtin);
    own.flat_map(|rule| &rule.body).filter_map(Literal::atom).any(|atom| times.contains(&atom.relation))
}
