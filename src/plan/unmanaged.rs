//! The daemonsets for which the controller does nothing, in the words of the rules that
//! say so: a plan that is silent about them would seem to say that all is well.

use crate::datalog::Literal;
use crate::kube::ObjectKey;
use crate::policy::relations;
use crate::reason::Reasoner;
use crate::state::World;

/// Each with the sentence of the rule that fired, in key order.
#[must_use]
pub fn left_alone(world: &World, reasoner: &Reasoner) -> Vec<(ObjectKey, String)> {
    if reasoner.len(relations::unmanaged) == 0 {
        return Vec::new();
    }
    let program = reasoner.program();
    let unmanaged = program.id(relations::unmanaged);
    let why = |key: &ObjectKey| {
        let it = reasoner.symbols().find_text(&key.to_string())?;
        let rule = program.rules_for(unmanaged).find(|rule| {
            rule.body.iter().any(|literal| match literal {
                Literal::Positive(atom) => reasoner
                    .evaluation()
                    .is_some_and(|done| done.rows_with_prefix(atom.relation, &[it]).next().is_some()),
                _ => false,
            })
        })?;
        Some(rule.sentence.trim_end_matches('.').replace("{DaemonSet}", &key.name))
    };
    world.daemonsets.keys().filter_map(|key| Some((key.clone(), why(key)?))).collect()
}
