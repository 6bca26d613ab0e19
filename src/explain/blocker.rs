//! The one sentence that a plan says of a pod that may not be where it is.

use super::{Step, pair};
use crate::datalog::Program;
use crate::diagnostic::Diagnostic;
use crate::kube::ObjectKey;
use crate::state::World;

/// Why no pod of the daemonset should be on the node, in the one sentence of the rule
/// that keeps it off; `None` where one should, or where the pair is not there.
///
/// Only the two are looked at, so it costs the same in any cluster; what a rule of a
/// user's own derives from others is left to `explain`.
///
/// # Errors
/// When a rule derives more than the limits allow.
pub fn blocker(
    world: &World,
    program: &Program,
    daemonset: &ObjectKey,
    node: &str,
    now: i64,
) -> Result<Option<String>, Diagnostic> {
    let node_key = ObjectKey::new("", node);
    let (Some(of), Some(on)) = (world.daemonsets.get(daemonset), world.nodes.get(&node_key)) else {
        return Ok(None);
    };
    let mut small = World { detailed: world.detailed, ..World::default() };
    small.daemonsets.insert(daemonset.clone(), of.clone());
    small.nodes.insert(node_key, on.clone());
    let explanation = pair(program, &small, of, on, now)?;
    Ok(if explanation.eligible { None } else { explanation.steps.iter().find_map(innermost) })
}

/// The sentence of the first rule that rests on facts alone.
fn innermost(step: &Step) -> Option<String> {
    let own = || step.rule.is_some().then(|| format!("{}.", step.text.trim_end_matches('.')));
    step.parts.iter().find_map(innermost).or_else(own)
}
