//! The same rules, written for `ascent`, which compiles them into the program: over the
//! same classes and profiles, from facts that are there already.
#![allow(clippy::just_underscores_and_digits)] // the macro's own names

use std::time::Duration;

use ascent::ascent_run;
use dsrules::datalog::{Facts, Program, Symbols, Value};
use dsrules::state::World;

use super::rules;
use crate::timing::median;

/// The time it takes to derive which class may start on which profile, and which pairs
/// of a daemonset and a node follow.
pub fn times(world: &World, pairs: usize, runs: usize) -> [Duration; 2] {
    let program = rules::program();
    let (encoder, facts) = rules::encode(&program, world);
    let inputs = Inputs { program: &program, facts: &facts, symbols: &encoder.symbols };
    [inputs.run(runs, None), inputs.run(runs, Some(pairs))]
}

struct Inputs<'a> {
    program: &'a Program,
    facts: &'a Facts,
    symbols: &'a Symbols,
}

impl Inputs<'_> {
    fn rows(&self, name: &str) -> impl Iterator<Item = dsrules::datalog::Row> + '_ {
        self.facts.rows(self.program.relation(name).expect("a built-in relation"))
    }

    fn one(&self, name: &str) -> Vec<(u32,)> {
        self.rows(name).map(|row| (row[0],)).collect()
    }

    fn two(&self, name: &str) -> Vec<(u32, u32)> {
        self.rows(name).map(|row| (row[0], row[1])).collect()
    }

    fn three(&self, name: &str) -> Vec<(u32, u32, u32)> {
        self.rows(name).map(|row| (row[0], row[1], row[2])).collect()
    }

    fn four(&self, name: &str) -> Vec<(u32, u32, u32, u32)> {
        self.rows(name).map(|row| (row[0], row[1], row[2], row[3])).collect()
    }

    fn number(&self, sym: u32) -> i64 {
        match self.symbols.value(sym) {
            Value::Number(number) => number,
            Value::Text(_) => panic!("a number"),
        }
    }

    /// With `pairs`, of which there must be so many, or without.
    fn run(&self, runs: usize, pairs: Option<usize>) -> Duration {
        let pairs_are_wanted: Vec<(bool,)> = pairs.map(|_| (true,)).into_iter().collect();
        let in_class = self.two("in_class");
        let in_profile = self.two("in_profile");
        let class = self.four("class");
        let profile = self.three("profile");
        let labelled = self.one("labelled");
        let tolerant = self.one("tolerant");
        let profile_label = self.three("profile_label");
        let profile_number: Vec<(u32, u32, i64)> =
            self.rows("profile_number").map(|row| (row[0], row[1], self.number(row[2]))).collect();
        let profile_name = self.two("profile_name");
        let profile_taint = self.two("profile_taint");
        let taint = self.four("taint");
        let class_node_name = self.two("class_node_name");
        let class_node_selector = self.three("class_node_selector");
        let class_affinity = self.one("class_affinity");
        let class_term = self.two("class_term");
        let class_toleration = self.two("class_toleration");
        let toleration: Vec<(u32, u32, u32, u32, u32)> =
            self.rows("toleration").map(|row| (row[0], row[1], row[2], row[3], row[4])).collect();
        let term_expression = self.two("term_expression");
        let term_field = self.two("term_field");
        let requirement = self.three("requirement");
        let requirement_value = self.two("requirement_value");
        let requirement_number: Vec<(u32, i64)> =
            self.rows("requirement_number").map(|row| (row[0], self.number(row[1]))).collect();
        // A text that no fact has is a symbol that no row has.
        let text = |text: &str| self.symbols.find_text(text).unwrap_or(u32::MAX);
        let (is_in, not_in, exists, absent) =
            (text("In"), text("NotIn"), text("Exists"), text("DoesNotExist"));
        let (greater, less) = (text("Gt"), text("Lt"));
        let (equal, empty) = (text("Equal"), text(""));
        let (no_schedule, no_execute) = (text("NoSchedule"), text("NoExecute"));
        let added: Vec<(u32, u32)> =
            super::ADDED.iter().map(|(key, effect)| (text(key), text(effect))).collect();
        median(runs, || {
            let found = ascent_run! {
                relation pairs_are_wanted(bool) = pairs_are_wanted.clone();
                relation in_class(u32, u32) = in_class.clone();
                relation in_profile(u32, u32) = in_profile.clone();
                relation class(u32, u32, u32, u32) = class.clone();
                relation profile(u32, u32, u32) = profile.clone();
                relation labelled(u32) = labelled.clone();
                relation tolerant(u32) = tolerant.clone();
                relation profile_label(u32, u32, u32) = profile_label.clone();
                relation profile_number(u32, u32, i64) = profile_number.clone();
                relation profile_name(u32, u32) = profile_name.clone();
                relation profile_taint(u32, u32) = profile_taint.clone();
                relation taint(u32, u32, u32, u32) = taint.clone();
                relation class_node_name(u32, u32) = class_node_name.clone();
                relation class_node_selector(u32, u32, u32) = class_node_selector.clone();
                relation class_affinity(u32) = class_affinity.clone();
                relation class_term(u32, u32) = class_term.clone();
                relation class_toleration(u32, u32) = class_toleration.clone();
                relation toleration(u32, u32, u32, u32, u32) = toleration.clone();
                relation term_expression(u32, u32) = term_expression.clone();
                relation term_field(u32, u32) = term_field.clone();
                relation requirement(u32, u32, u32) = requirement.clone();
                relation requirement_value(u32, u32) = requirement_value.clone();
                relation requirement_number(u32, i64) = requirement_number.clone();
                relation added(u32, u32) = added.clone();

                relation has_key(u32, u32);
                has_key(n, k) <-- profile_label(n, k, _);
                relation has_listed(u32, u32);
                has_listed(n, r) <-- requirement(r, k, _), requirement_value(r, v), profile_label(n, k, v);
                relation satisfies(u32, u32);
                satisfies(n, r) <-- requirement(r, _, o), if *o == is_in, has_listed(n, r);
                satisfies(n, r) <-- requirement(r, _, o), if *o == not_in, labelled(n), !has_listed(n, r);
                satisfies(n, r) <-- requirement(r, k, o), if *o == exists, has_key(n, k);
                satisfies(n, r) <-- requirement(r, k, o), if *o == absent, labelled(n), !has_key(n, k);
                satisfies(n, r) <-- requirement(r, k, o), if *o == greater, requirement_number(r, b), profile_number(n, k, x), if x > b;
                satisfies(n, r) <-- requirement(r, k, o), if *o == less, requirement_number(r, b), profile_number(n, k, x), if x < b;

                relation usable(u32);
                usable(t) <-- term_expression(t, _);
                usable(t) <-- term_field(t, _);
                relation fails(u32, u32);
                fails(n, t) <-- term_expression(t, r), labelled(n), !satisfies(n, r);
                relation matches(u32, u32);
                matches(n, t) <-- usable(t), labelled(n), !fails(n, t);
                relation affine(u32, u32);
                affine(d, n) <-- class_term(d, t), matches(n, t);
                relation unmatched(u32, u32);
                unmatched(d, n) <-- class_affinity(d), labelled(n), !affine(d, n);
                relation unselected(u32, u32);
                unselected(d, n) <-- class_node_name(d, x), labelled(n), !profile_name(n, x);
                unselected(d, n) <-- class_node_selector(d, k, v), labelled(n), !profile_label(n, k, v);
                relation suits(u32, u32);
                suits(d, n) <-- class(d, s, a, _), labelled(n), !unselected(s, n), !unmatched(a, n);

                relation covers_effect(u32, u32);
                covers_effect(o, t) <-- toleration(o, _, _, _, e), if *e == empty, taint(t, _, _, _);
                covers_effect(o, t) <-- toleration(o, _, _, _, e), taint(t, _, _, e);
                relation covers_key(u32, u32);
                covers_key(o, t) <-- toleration(o, k, _, _, _), if *k == empty, taint(t, _, _, _);
                covers_key(o, t) <-- toleration(o, k, _, _, _), taint(t, k, _, _);
                relation covers_value(u32, u32);
                covers_value(o, t) <-- toleration(o, _, p, _, _), if *p == exists, taint(t, _, _, _);
                covers_value(o, t) <-- toleration(o, _, p, v, _), if *p == equal || *p == empty, taint(t, _, v, _);
                relation tolerates(u32, u32);
                tolerates(d, t) <-- class_toleration(d, o), covers_key(o, t), covers_value(o, t), covers_effect(o, t);
                tolerates(d, t) <-- added(k, e), taint(t, k, _, e), tolerant(d);
                relation repelled(u32, u32);
                repelled(d, n) <-- tolerant(d), taint(t, _, _, e), if *e == no_schedule, !tolerates(d, t), profile_taint(n, t);
                relation evicted(u32, u32);
                evicted(d, n) <-- tolerant(d), taint(t, _, _, e), if *e == no_execute, !tolerates(d, t), profile_taint(n, t);
                relation may_stay(u32, u32);
                may_stay(d, n) <-- suits(d, l), profile(n, l, x), class(d, _, _, t), !evicted(t, x);
                relation may_start(u32, u32);
                may_start(d, n) <-- may_stay(d, n), profile(n, _, x), class(d, _, _, t), !repelled(t, x);
                relation eligible(u32, u32);
                eligible(d, n) <-- pairs_are_wanted(_), in_class(d, c), may_start(c, p), in_profile(n, p);
            };
            assert_eq!(found.eligible.len(), pairs.unwrap_or(0));
            found.may_start.len()
        })
    }
}
