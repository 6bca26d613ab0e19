//! Rules of a user's that depend on their own effect.
//!
//! `blocked` takes pods away. If it comes from a pod that it takes away, it goes with the
//! pod, the pod comes back, and it comes back too: no plan of that ends. `hold` and `wave`
//! only delay what happens once to each pod, so they may ask for what they like.
//!
//! ```text
//!   blocked(D, N) :- has_pod(D, N).                    refused: of the same pod
//!   blocked(D, N) :- has_pod(Other, N), Other != D.    refused: each is another's other
//!   blocked(D, N) :- has_pod(Other, N), Other < D.     ends: the first by name stays
//!   blocked("a/b", N) :- has_pod("a/c", N).            ends: nothing leads back to a/c
//!   blocked(D, N) :- fits(D, N), !has_pod(D, N).       ends: nothing new is placed
//!   blocked(D, N) :- count : { … !has_pod(D, M) } < 2  refused: fewer may be what it asks for
//! ```
//! What is said of pods that no daemonset is named for can be anybody's; if such a rule
//! goes in circles, it is noticed when the plan is made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::relations;
use crate::datalog::{
    Atom, Declaration, Expression, Kind, Literal, Operator, Program, RelationId, Rule, Term,
};
use crate::diagnostic::Diagnostic;

/// More names than this are not told apart.
const MAX_NAMES: usize = 100;

/// The two things that a pod of a daemonset is known by.
const PARTS: [&str; 2] = ["DaemonSet", "Node"];

/// Whose pod a row depends on, and where: as it is seen from the row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Column(usize),
    Text(Arc<str>),
    Any,
}

/// The pods that a row depends on. With `negative` it needs that they are not there.
type Pods = (bool, [Part; 2]);

/// The pods that each relation depends on, with the relation that asks for them.
type Known = BTreeMap<RelationId, BTreeMap<Pods, RelationId>>;

/// Pods that a rule asks for, by its own terms, and the relation by which it does.
type Asked = ((bool, [Option<Term>; 2]), RelationId);

/// A daemonset or node that a rule names; without a name, whoever is not named.
type Named = Option<Arc<str>>;

/// Finds the rules for `blocked` that depend on what they do, and rules that ask for the
/// plan before there is one.
pub(super) fn check(program: &Program, found: &mut Vec<Diagnostic>) {
    planned_too_early(program, found);
    let blocked = program.id(relations::blocked);
    if program.rules_for(blocked).all(|rule| rule.builtin) {
        return;
    }
    let mut known = builtin(program);
    loop {
        let before: usize = known.values().map(BTreeMap::len).sum();
        for rule in program.rules().filter(|rule| !rule.builtin) {
            for ((negative, parts), by) in asked(program, rule, &known) {
                let parts = parts.map(|term| upwards(rule, term));
                let _ = known.entry(rule.head.relation).or_default().entry((negative, parts)).or_insert(by);
            }
        }
        if known.values().map(BTreeMap::len).sum::<usize>() == before {
            break;
        }
    }
    let mut edges: Vec<Edge<'_>> = Vec::new();
    for rule in program.rules_for(blocked).filter(|rule| !rule.builtin) {
        for ((negative, from), by) in asked(program, rule, &known) {
            if !negative {
                edges.push(Edge { rule, from, by });
            }
        }
    }
    ordered(&mut edges);
    if (0..PARTS.len()).all(|part| leads_back(&edges, part)) {
        let rules: BTreeSet<(&str, u32)> =
            edges.iter().map(|edge| (&*edge.rule.file, edge.rule.line)).collect();
        for (file, line) in rules {
            let edge = edges.iter().find(|edge| (&*edge.rule.file, edge.rule.line) == (file, line));
            found.extend(edge.map(|edge| refused(program, edge)));
        }
    }
}

fn refused(program: &Program, edge: &Edge<'_>) -> Diagnostic {
    let name = |id| &program.declaration(id).name;
    let asks = name(edge.by);
    let direct = edge.rule.body.iter().filter_map(atom).any(|(it, _)| it.relation == edge.by);
    let through = edge.rule.body.iter().filter_map(atom).map(|(it, _)| it.relation);
    let through = through.filter(|id| !program.declaration(*id).builtin).map(|id| format!("`{}`", name(id)));
    let through: Vec<String> = if direct { Vec::new() } else { through.collect() };
    let needs = match through.as_slice() {
        [] => format!("`blocked` needs `{asks}`"),
        some => format!("`blocked` needs `{asks}`, by way of {}", some.join(" and ")),
    };
    Diagnostic::error("own-effect", "`blocked` depends on its own effect")
        .at(program.place_of_head(edge.rule))
        .because(format!(
            "{needs}, which a pod makes true; `blocked` takes that pod away, so it does not hold any more; then the pod comes back: no plan of that ends"
        ))
        .help("ask `fits` (where pods could be) or labels instead of pods, or keep pods as they are with `hold`")
}

/// A rule for `blocked`, and the pods it comes from.
struct Edge<'a> {
    rule: &'a Rule,
    from: [Option<Term>; 2],
    by: RelationId,
}

fn atom(literal: &Literal) -> Option<(&Atom, bool)> {
    match literal {
        Literal::Positive(atom) => Some((atom, false)),
        Literal::Negative(atom) => Some((atom, true)),
        Literal::Comparison(_) => None,
    }
}

fn column(declaration: &Declaration, ty: &str) -> Option<usize> {
    declaration.columns.iter().position(|column| &*column.ty == ty)
}

/// The pods that the built-in relations depend on: all that is known of pods is input, and
/// what is derived from it about a daemonset is about that daemonset's pods.
fn builtin(program: &Program) -> Known {
    let mut signs: BTreeMap<RelationId, BTreeSet<bool>> = BTreeMap::new();
    for input in program.declarations().filter(|it| it.builtin && it.kind == Kind::Input) {
        if column(input, "Pod").is_some() {
            signs.entry(input.id).or_default().insert(false);
        }
    }
    loop {
        let before: usize = signs.values().map(BTreeSet::len).sum();
        for rule in program.rules().filter(|rule| rule.builtin) {
            for (atom, not) in counted(program, rule) {
                let of: Vec<bool> = signs.get(&atom.relation).into_iter().flatten().copied().collect();
                let both = of.iter().flat_map(|sign| through(rule, *sign != not));
                signs.entry(rule.head.relation).or_default().extend(both);
            }
        }
        if signs.values().map(BTreeSet::len).sum::<usize>() == before {
            break;
        }
    }
    let pods = |(id, signs): (RelationId, BTreeSet<bool>)| {
        let parts = PARTS.map(|ty| column(program.declaration(id), ty).map_or(Part::Any, Part::Column));
        (id, signs.into_iter().map(|negative| ((negative, parts.clone()), id)).collect())
    };
    signs.into_iter().map(pods).collect()
}

/// The pods that a rule asks for, by its own terms, and the relation by which it does.
fn asked(program: &Program, rule: &Rule, known: &Known) -> Vec<Asked> {
    let mut all = Vec::new();
    for (atom, not) in counted(program, rule) {
        let pod = pod_of(program, atom);
        for ((negative, parts), by) in known.get(&atom.relation).into_iter().flatten() {
            let mut terms = parts.clone().map(|part| match part {
                Part::Column(at) => Some(atom.terms[at].clone()).filter(|term| *term != Term::Any),
                Part::Text(text) => Some(Term::Text(text)),
                Part::Any => None,
            });
            if let Some(pod) = pod {
                let said = |ty| whose(program, rule, pod, ty);
                for (term, ty) in terms.iter_mut().zip(PARTS) {
                    *term = term.take().or_else(|| said(ty));
                }
                if terms[0].is_none() && is_told_apart(program, rule, pod) {
                    continue;
                }
            }
            all.extend(through(rule, *negative != not).map(|sign| ((sign, terms.clone()), *by)));
        }
    }
    all
}

/// What a rule makes of what it asks for: an aggregate, and the first few, may well come of
/// fewer rows where they come of more.
fn through(rule: &Rule, negative: bool) -> impl Iterator<Item = bool> + use<> {
    [negative, !negative].into_iter().take(if rule.folds() { 2 } else { 1 })
}

/// The atoms of a rule that a pod's coming and going decides: what is not true of a pod
/// that is there does not matter when it is gone.
fn counted<'a>(program: &'a Program, rule: &'a Rule) -> impl Iterator<Item = (&'a Atom, bool)> {
    let is_there = |pod: &Term| {
        let mut atoms = rule.body.iter().filter_map(atom);
        *pod != Term::Any && atoms.any(|(atom, not)| !not && pod_of(program, atom) == Some(pod))
    };
    let atoms = rule.body.iter().filter_map(atom);
    atoms.filter(move |(atom, not)| !not || !pod_of(program, atom).is_some_and(is_there))
}

/// The pod that an atom of a built-in relation is about.
fn pod_of<'a>(program: &Program, atom: &'a Atom) -> Option<&'a Term> {
    let declaration = program.declaration(atom.relation);
    column(declaration, "Pod").filter(|_| declaration.builtin).map(|at| &atom.terms[at])
}

/// The daemonset or node that another part of the rule says the pod is of.
fn whose(program: &Program, rule: &Rule, pod: &Term, ty: &str) -> Option<Term> {
    rule.body.iter().filter_map(atom).find_map(|(atom, not)| {
        let same = !not && *pod != Term::Any && pod_of(program, atom) == Some(pod);
        let at = column(program.declaration(atom.relation), ty).filter(|_| same)?;
        Some(atom.terms[at].clone()).filter(|term| *term != Term::Any)
    })
}

/// Whether a rule speaks of some pods only: those with a name or a label, or those that
/// no daemonset has.
fn is_told_apart(program: &Program, rule: &Rule, pod: &Term) -> bool {
    *pod != Term::Any
        && rule.body.iter().filter_map(atom).any(|(atom, not)| {
            let constant = |term: &Term| matches!(term, Term::Text(_));
            atom.terms.contains(pod)
                && (not || (pod_of(program, atom).is_some() && atom.terms.iter().any(constant)))
        })
}

/// A term of a rule, as it is seen from the rows that it derives.
fn upwards(rule: &Rule, term: Option<Term>) -> Part {
    match term {
        Some(Term::Text(text)) => Part::Text(text),
        Some(term @ Term::Variable(_)) => {
            rule.head.terms.iter().position(|it| *it == term).map_or(Part::Any, Part::Column)
        }
        _ => Part::Any,
    }
}

/// What a rule's comparisons say of two terms.
fn compared(rule: &Rule, a: &Term, b: &Term) -> Option<Operator> {
    rule.body.iter().find_map(|literal| {
        let Literal::Comparison(comparison) = literal else { return None };
        let (left, right) = (comparison.left.term()?, comparison.right.term()?);
        let operator = comparison.operator;
        match ((left, right) == (a, b), (left, right) == (b, a)) {
            (true, _) => Some(operator),
            (_, true) => Some(match operator {
                Operator::Less => Operator::Greater,
                Operator::Greater => Operator::Less,
                other => other,
            }),
            _ => None,
        }
    })
}

/// How the pod that a rule asks for stands to the one that it takes away.
fn order(edge: &Edge<'_>, part: usize) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering;
    let (from, to) = (edge.from[part].as_ref()?, edge.rule.head.terms.get(part)?);
    match (from, to) {
        (Term::Text(a), Term::Text(b)) => Some(a.cmp(b)),
        _ if from == to => Some(Ordering::Equal),
        _ => match compared(edge.rule, from, to)? {
            Operator::Equal => Some(Ordering::Equal),
            Operator::Less => Some(Ordering::Less),
            Operator::Greater => Some(Ordering::Greater),
            _ => None,
        },
    }
}

/// Leaves out what goes one way only, by name: it cannot lead back.
fn ordered(edges: &mut Vec<Edge<'_>>) {
    use std::cmp::Ordering;
    loop {
        let before = edges.len();
        for part in 0..PARTS.len() {
            for way in [Ordering::Less, Ordering::Greater] {
                let orders = edges.iter().map(|edge| order(edge, part));
                if orders.into_iter().all(|it| it == Some(way) || it == Some(Ordering::Equal)) {
                    edges.retain(|edge| order(edge, part) != Some(way));
                }
            }
        }
        if edges.len() == before {
            return;
        }
    }
}

/// Whether the rules lead from the pods of some daemonset (or on some node) back to them.
fn leads_back(edges: &[Edge<'_>], part: usize) -> bool {
    let text = |term: &Term| match term {
        Term::Text(text) => Some(text.clone()),
        _ => None,
    };
    let mut names: BTreeSet<Named> = [None].into();
    for edge in edges {
        let ends = edge.from[part].iter().chain(edge.rule.head.terms.get(part));
        names.extend(ends.filter_map(text).map(Some));
        names.extend(excluded(edge.rule, None).map(Some));
        names.extend(self::names(edge.rule, None, [Operator::In, Operator::Equal]).map(Some));
    }
    if names.len() > MAX_NAMES {
        return true;
    }
    let may_be = |rule: &Rule, term: Option<&Term>, name: &Named| match term {
        Some(Term::Text(text)) => name.as_ref() == Some(text),
        Some(term) => {
            let is_listed =
                listed(rule, term).is_none_or(|names| name.as_ref().is_some_and(|it| names.contains(it)));
            is_listed && name.as_ref().is_none_or(|name| excluded(rule, Some(term)).all(|not| not != *name))
        }
        None => true,
    };
    let mut leads: BTreeSet<(&Named, &Named)> = BTreeSet::new();
    for edge in edges {
        let (from, to) = (edge.from[part].as_ref(), edge.rule.head.terms.get(part));
        let same = order(edge, part) == Some(std::cmp::Ordering::Equal);
        let differ = from.zip(to).is_some_and(|(a, b)| compared(edge.rule, a, b) == Some(Operator::NotEqual));
        for a in names.iter().filter(|name| may_be(edge.rule, from, name)) {
            for b in names.iter().filter(|name| may_be(edge.rule, to, name)) {
                if (!same || a == b) && !(differ && a == b && a.is_some()) {
                    leads.insert((a, b));
                }
            }
        }
    }
    // What nobody leads to, or what leads to nobody, is in no circle.
    loop {
        let before = leads.len();
        let ends: BTreeSet<_> = leads.iter().map(|(_, to)| *to).collect();
        let starts: BTreeSet<_> = leads.iter().map(|(from, _)| *from).collect();
        leads.retain(|(from, to)| ends.contains(from) && starts.contains(to));
        if leads.len() == before {
            return !leads.is_empty();
        }
    }
}

/// The names that a rule says that a term, or any term, is not.
fn excluded<'a>(rule: &'a Rule, term: Option<&'a Term>) -> impl Iterator<Item = Arc<str>> + 'a {
    names(rule, term, [Operator::NotEqual, Operator::NotIn])
}

/// The names of which a rule says that a term is one of them.
fn listed(rule: &Rule, term: &Term) -> Option<Vec<Arc<str>>> {
    let is_it = |literal: &Literal| match literal {
        Literal::Comparison(it) => it.operator == Operator::In && it.left.term() == Some(term),
        _ => false,
    };
    rule.body.iter().any(is_it).then(|| names(rule, Some(term), [Operator::In, Operator::Equal]).collect())
}

/// The names that a term, or any term, is compared with by such operators.
fn names<'a>(
    rule: &'a Rule,
    term: Option<&'a Term>,
    operators: [Operator; 2],
) -> impl Iterator<Item = Arc<str>> + 'a {
    let comparisons = rule.body.iter().filter_map(|literal| match literal {
        Literal::Comparison(comparison) => Some(comparison),
        _ => None,
    });
    let asked = comparisons.filter(move |comparison| operators.contains(&comparison.operator));
    asked.flat_map(move |comparison| {
        let right: Vec<&Term> = match &comparison.right {
            Expression::List(items) => items.iter().filter_map(Expression::term).collect(),
            right => right.term().into_iter().collect(),
        };
        let sides = comparison
            .left
            .term()
            .into_iter()
            .flat_map(move |left| right.clone().into_iter().map(move |right| (left, right)));
        sides.filter_map(move |pair| match pair {
            (other, Term::Text(text)) | (Term::Text(text), other) => {
                term.is_none_or(|term| term == other).then(|| text.clone())
            }
            _ => None,
        })
    })
}

/// `planned` is filled when the plan is made; what the plan is made from sees none of it.
fn planned_too_early(program: &Program, found: &mut Vec<Diagnostic>) {
    let planned = program.id(relations::planned);
    let asks = |id: RelationId| program.needed(&[id])(planned);
    for relation in [relations::blocked, relations::hold, relations::wave].map(|it| program.id(it)) {
        let open = &program.declaration(relation).name;
        for rule in program.rules_for(relation).filter(|rule| !rule.builtin) {
            let mut atoms = rule.body.iter().filter_map(atom);
            if atoms.any(|(atom, _)| atom.relation == planned || asks(atom.relation)) {
                let error = Diagnostic::error("planned-too-early", format!("`{open}` asks for `planned`, which is empty there"))
                    .at(program.place_of_head(rule))
                    .because(format!("a plan is made from what `{open}` says, so nothing is planned yet when it is asked"))
                    .help("`planned` is for violations and warnings: `.decl NAME(daemonset: DaemonSet, node: Node) violation`");
                found.push(error);
            }
        }
    }
}
