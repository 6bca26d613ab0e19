//! When the rules of a user may answer otherwise though nothing but the time has changed: a
//! watcher looks again then, and not before.
//!
//! Rules that compare `now` or `minute_of_day` with something say by that when it is
//! (`datalog::next_moment`). Those that do something else with the time are asked again
//! whenever it has passed.

use crate::datalog::{Evaluation, Moment, Program, RelationId, Rule, Symbols, next_moment};
use crate::policy::relations;

/// Seconds of a minute and of a day.
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// When rules are to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick {
    /// The time, in seconds of Unix time.
    pub at: i64,
    /// Whether the answer may be another one at any such time: it is asked for again and
    /// again.
    pub again: bool,
}

impl Tick {
    /// When the rules of a user are to be asked again that were asked at `now`. Those that
    /// are built in say by themselves what waits for time.
    #[must_use]
    pub fn after(program: &Program, evaluation: &Evaluation, symbols: &Symbols, now: i64) -> Option<Tick> {
        let own: Vec<&Rule> = program.rules().filter(|rule| !rule.builtin).collect();
        let uses = |relation: RelationId| {
            let of = |rule: &&Rule| evaluation.has(rule.head.relation) && asks(rule, relation);
            own.iter().any(of)
        };
        let moment = |relation: RelationId, now: i64| {
            next_moment(evaluation, symbols, own.iter().copied(), relation, now)
        };
        let mut ticks = Vec::new();
        ticks.extend(match moment(program.id(relations::now), now) {
            Moment::Any => Some(Tick { at: now + 1, again: true }),
            Moment::At(at) => Some(Tick { at, again: false }),
            Moment::Never => None,
        });
        let midnight = now - now.rem_euclid(DAY) + DAY;
        let minute_of_day = program.id(relations::minute_of_day);
        if uses(minute_of_day) {
            ticks.extend(match moment(minute_of_day, now.rem_euclid(DAY) / MINUTE) {
                Moment::Any => Some(Tick { at: now - now.rem_euclid(MINUTE) + MINUTE, again: true }),
                Moment::At(minute) => {
                    Some(Tick { at: midnight - DAY + minute.min(24 * 60) * MINUTE, again: false })
                }
                Moment::Never => None,
            });
        }
        // The minutes begin anew then, and another day begins.
        if [minute_of_day, program.id(relations::weekday), program.id(relations::date)].into_iter().any(uses)
        {
            ticks.push(Tick { at: midnight, again: false });
        }
        ticks.into_iter().min()
    }
}

/// Whether a rule asks for a relation.
fn asks(rule: &Rule, relation: RelationId) -> bool {
    rule.body.iter().any(|literal| literal.atom().is_some_and(|atom| atom.relation == relation))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::facts::Grouping;
    use crate::kube::{Kind, Object, ObjectKey, Origin};
    use crate::policy::builtin::{UserRules, load};
    use crate::reason::Reasoner;
    use crate::state::{Changed, World};

    /// Noon of a day.
    const NOON: i64 = 20_000 * DAY + DAY / 2;

    /// When rules are asked again, in seconds from noon, in a world of a node that is ten
    /// minutes old.
    fn of(text: &str) -> Option<(i64, bool)> {
        let own = [UserRules { file: "own.dl".to_owned(), text: text.to_owned() }];
        let program = load(&own).program.unwrap();
        let mut world = World::default();
        let mut put = |kind: Kind, namespace: &str, spec| {
            let value = json!({
                "metadata": { "name": "x", "creationTimestamp": crate::kube::timestamp(NOON - 600) }, "spec": spec
            });
            let origin = Origin { file: "x".into(), document: 0, path: String::new() };
            world.put(Object { kind, key: ObjectKey::new(namespace, "x"), value, origin }, NOON);
        };
        put(Kind::Node, "", json!({}));
        put(Kind::DaemonSet, "a", json!({ "template": { "spec": { "containers": [] } } }));
        let mut reasoner = Reasoner::new(&program, Grouping::On);
        reasoner.derive(&world, &Changed::default(), NOON).unwrap();
        let tick = Tick::after(&program, reasoner.evaluation().unwrap(), reasoner.symbols(), NOON);
        tick.map(|tick| (tick.at - NOON, tick.again))
    }

    fn blocked(body: &str) -> String {
        format!("/// it is not the time.\nblocked(D, N) :- daemonset(D), node(N), {body}.\n")
    }

    #[test]
    fn rules_are_asked_again_when_what_they_compare_comes_to_be() {
        assert_eq!(of(""), None);
        assert_eq!(of(&blocked("N != \"a\"")), None);
        assert_eq!(of(&blocked("node_created(N, T), now(W), W - T < 900")), Some((300, false)));
        assert_eq!(of(&blocked("node_created(N, T), now(W), W - T < 60")), None);
        assert_eq!(of(&blocked("minute_of_day(M), M >= 540, M < 1080")), Some((6 * 3600, false)));
        assert_eq!(of(&blocked("minute_of_day(M), M < 60")), Some((DAY / 2, false)));
        assert_eq!(of(&blocked("!weekday(\"Sunday\")")), Some((DAY / 2, false)));
        assert_eq!(of(&blocked("date(_, 12, 24)")), Some((DAY / 2, false)));
        let two = blocked("now(W), W < 9") + &blocked("minute_of_day(M), M > 725, now(W), W > 5");
        assert_eq!(of(&two), Some((6 * 60, false)));
    }

    #[test]
    fn what_else_is_done_with_the_time_is_asked_whenever_it_has_passed() {
        let age = ".decl age(node: Node, seconds: number)\n/// {Node} is that old.\n\
            age(Node, Age) :- node_created(Node, T), now(W), Age = W - T.\n";
        assert_eq!(of(&(age.to_owned() + &blocked("age(N, A), A > 5"))), Some((1, true)));
        // Nobody asks for it.
        assert_eq!(of(age), None);
        let at = ".decl from(minute: number) input\nfrom(725).\n".to_owned();
        assert_eq!(of(&(at + &blocked("from(M), minute_of_day(M)"))), Some((60, true)));
    }
}
