//! EndpointSlices of a store: derived when they are asked for, and stored nowhere. A million
//! pods cost nothing for them until then.

use serde_json::Value;

use crate::datalog::{Limits, Program, RelationId};
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::policy::{builtin, relations};
use crate::reach::{Derived, Endpoints, slices};
use crate::state::World;
use crate::target::Memory;

use super::derived::{State, Wanted, derive_wanted};
use crate::facts::{self, Grouping};

/// A world with what the rules derive of how clients reach its pods.
pub(super) struct Found {
    pub world: World,
    program: Program,
    state: State,
}

impl Found {
    /// Loads the world of a store and derives it.
    pub fn of_store(store: &dyn Memory, now: i64) -> Result<Self, Diagnostic> {
        let (program, wanted) = program()?;
        let mut world = store.load()?;
        store.load_details(&mut world)?;
        store.load_whole(&mut world, facts::wants_whole(&program, &wanted, std::iter::empty()))?;
        let wanted = Wanted { relations: &wanted, atoms: &[], grouping: Grouping::On };
        let state = derive_wanted(&program, &world, now, None, &wanted, &Limits::default())?;
        Ok(Found { world, program, state })
    }

    /// What was derived.
    pub fn derived(&self) -> Derived<'_> {
        let State { symbols, evaluation } = &self.state;
        Derived { program: &self.program, evaluation, symbols }
    }
}

/// The built-in rules, and what of them says how pods are reached.
fn program() -> Result<(Program, Vec<RelationId>), Diagnostic> {
    let loaded = builtin::load(&[]);
    let Some(program) = loaded.program else {
        let first = loaded.diagnostics.into_iter().next();
        return Err(first.unwrap_or_else(|| Diagnostic::error("built-in", "a built-in rule is wrong")));
    };
    let wanted = relations::REACHED.iter().map(|handle| program.id(*handle)).collect();
    Ok((program, wanted))
}

/// The slices of all services, or of those of a namespace.
pub(super) fn derived(
    store: &dyn Memory,
    namespace: Option<&str>,
    now: i64,
) -> Result<Vec<Value>, Diagnostic> {
    let mut services = false;
    store.objects(Kind::Service, namespace, &mut |_, _| {
        services = true;
        Ok(())
    })?;
    if !services {
        return Ok(Vec::new());
    }
    let found = Found::of_store(store, now)?;
    let is_service = |key: &ObjectKey| namespace.is_none_or(|namespace| *namespace == *key.namespace);
    let services =
        found.world.others.iter().filter(|((kind, key), _)| *kind == Kind::Service && is_service(key));
    let all = services
        .flat_map(|(_, service)| slices(service, &Endpoints::of(service, &found.world, found.derived())));
    let mut all: Vec<Value> = all.collect();
    let key = |slice: &Value| {
        ["namespace", "name"].map(|field| slice["metadata"][field].as_str().unwrap_or_default().to_owned())
    };
    all.sort_by_cached_key(key);
    Ok(all)
}
