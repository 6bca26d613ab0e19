//! The rules of placement as operators: a join for two atoms, an antijoin for a negated one,
//! `distinct` for a relation. What several rules use is arranged by each of them, as it would be
//! by who writes them down one after the other.

use differential_dataflow::VecCollection;

/// Rows of some type.
pub type Rows<'scope, D> = VecCollection<'scope, u32, D, isize>;
/// A row of an input: symbols, and numbers.
pub type Cells = [i64; 5];

/// The symbols of what the rules say in words.
#[derive(Clone)]
pub struct Words {
    pub is_in: u32,
    pub not_in: u32,
    pub exists: u32,
    pub absent: u32,
    pub greater: u32,
    pub less: u32,
    pub equal: u32,
    pub empty: u32,
    pub no_schedule: u32,
    pub no_execute: u32,
    /// Key and effect of what every daemon pod tolerates.
    pub added: Vec<(u32, u32)>,
}

/// The input relations, in the order in which their rows are handed in.
pub const INPUTS: [&str; 19] = [
    "class",
    "profile",
    "labelled",
    "tolerant",
    "profile_label",
    "profile_number",
    "profile_name",
    "profile_taint",
    "taint",
    "class_node_name",
    "class_node_selector",
    "class_affinity",
    "class_term",
    "class_toleration",
    "toleration",
    "term_expression",
    "requirement",
    "requirement_value",
    "requirement_number",
];

fn sym(row: &Cells, at: usize) -> u32 {
    u32::try_from(row[at]).expect("a symbol")
}

type One<'scope> = Rows<'scope, u32>;
type Two<'scope> = Rows<'scope, (u32, u32)>;

fn one<'scope>(rows: &Rows<'scope, Cells>) -> One<'scope> {
    rows.clone().map(|row| sym(&row, 0))
}

fn two<'scope>(rows: &Rows<'scope, Cells>) -> Two<'scope> {
    rows.clone().map(|row| (sym(&row, 0), sym(&row, 1)))
}

fn swapped<'scope>(rows: &Two<'scope>) -> Two<'scope> {
    rows.clone().map(|(a, b)| (b, a))
}

/// Each of these with each of those.
fn product<'scope, A, B>(these: Rows<'scope, A>, those: Rows<'scope, B>) -> Rows<'scope, (A, B)>
where
    A: differential_dataflow::ExchangeData,
    B: differential_dataflow::ExchangeData,
{
    these.map(|it| ((), it)).join_map(those.map(|it| ((), it)), |(), a, b| (a.clone(), b.clone()))
}

/// `may_start` and `may_stay`, of class and profile.
pub fn placed<'scope>(inputs: &[Rows<'scope, Cells>], words: &Words) -> (Two<'scope>, Two<'scope>) {
    let input = |name: &str| &inputs[INPUTS.iter().position(|it| *it == name).expect("an input")];
    let classes = input("class");
    let suits = suits(&input, words);
    let tolerates = tolerates(&input, words);
    let drives = |effect: u32| {
        let taints = input("taint").clone().filter(move |row| sym(row, 3) == effect);
        product(taints.map(|row| sym(&row, 0)), one(input("tolerant")))
            .map(|(taint, tolerant)| ((tolerant, taint), ()))
            .antijoin(tolerates.clone())
            .map(|((tolerant, taint), ())| (taint, tolerant))
            .join_map(swapped(&two(input("profile_taint"))), |_, tolerant, node| (*tolerant, *node))
            .distinct()
    };
    let profiles = input("profile").clone().map(|row| (sym(&row, 1), (sym(&row, 0), sym(&row, 2))));
    let pairs = suits
        .map(|(class, labels)| (labels, class))
        .join_map(profiles, |_, class, (profile, taints)| (*class, (*profile, *taints)))
        .join_map(
            classes.clone().map(|row| (sym(&row, 0), sym(&row, 3))),
            |class, (profile, taints), tolerant| ((*tolerant, *taints), (*class, *profile)),
        );
    let stays = pairs.antijoin(drives(words.no_execute));
    let starts = stays.clone().antijoin(drives(words.no_schedule));
    (starts.map(|(_, pair)| pair), stays.map(|(_, pair)| pair))
}

/// Requirement and labels.
fn satisfies<'a, 'scope: 'a>(input: &impl Fn(&str) -> &'a Rows<'scope, Cells>, words: &Words) -> Two<'scope> {
    let requirements = input("requirement");
    let with = |operator: u32| {
        let found = requirements.clone().filter(move |row| sym(row, 2) == operator);
        found.map(|row| (sym(&row, 0), sym(&row, 1)))
    };
    let labelled = one(input("labelled"));
    let label = input("profile_label");
    let has_key = label.clone().map(|row| (sym(&row, 0), sym(&row, 1))).distinct();
    let has_listed = two(requirements)
        .join_map(two(input("requirement_value")), |requirement, key, value| ((*key, *value), *requirement))
        .join_map(
            label.clone().map(|row| ((sym(&row, 1), sym(&row, 2)), sym(&row, 0))),
            |_, requirement, node| (*requirement, *node),
        )
        .distinct();
    let listed = has_listed.clone().semijoin(with(words.is_in).map(|(requirement, _)| requirement));
    let unlisted = product(with(words.not_in).map(|(requirement, _)| requirement), labelled.clone())
        .map(|pair| (pair, ()))
        .antijoin(has_listed)
        .map(|(pair, ())| pair);
    let exists = swapped(&with(words.exists))
        .join_map(swapped(&has_key), |_, requirement, node| (*requirement, *node));
    let absent = product(with(words.absent), labelled)
        .map(|((requirement, key), node)| ((node, key), requirement))
        .antijoin(has_key)
        .map(|((node, _), requirement)| (requirement, node));
    let compared = |operator: u32, holds: fn(i64, i64) -> bool| {
        let bounds = input("requirement_number").clone().map(|row| (sym(&row, 0), row[1]));
        let numbers = input("profile_number").clone().map(|row| (sym(&row, 1), (sym(&row, 0), row[2])));
        with(operator)
            .join_map(bounds, |requirement, key, bound| (*key, (*requirement, *bound)))
            .join_map(numbers, |_, (requirement, bound), (node, number)| {
                ((*requirement, *node), (*bound, *number))
            })
            .filter(move |(_, (bound, number))| holds(*number, *bound))
            .map(|(pair, _)| pair)
    };
    let compared = compared(words.greater, |number, bound| number > bound)
        .concat(compared(words.less, |number, bound| number < bound));
    listed.concatenate([unlisted, exists, absent, compared]).distinct()
}

/// Class and labels.
fn suits<'a, 'scope: 'a>(input: &impl Fn(&str) -> &'a Rows<'scope, Cells>, words: &Words) -> Two<'scope> {
    let labelled = one(input("labelled"));
    let expressions = two(input("term_expression"));
    let satisfies = satisfies(input, words);
    let usable = expressions.clone().map(|(term, _)| term).distinct();
    let fails = product(expressions, labelled.clone())
        .map(|((term, requirement), node)| ((requirement, node), term))
        .antijoin(satisfies)
        .map(|((_, node), term)| (term, node))
        .distinct();
    let matches =
        product(usable, labelled.clone()).map(|pair| (pair, ())).antijoin(fails).map(|(pair, ())| pair);
    let affine = swapped(&two(input("class_term")))
        .join_map(matches, |_, affinity, node| (*affinity, *node))
        .distinct();
    let unmatched = product(one(input("class_affinity")), labelled.clone())
        .map(|pair| (pair, ()))
        .antijoin(affine)
        .map(|(pair, ())| pair);
    let unnamed = product(two(input("class_node_name")), labelled.clone())
        .map(|((selector, name), node)| ((node, name), selector))
        .antijoin(two(input("profile_name")))
        .map(|((node, _), selector)| (selector, node));
    let selectors =
        input("class_node_selector").clone().map(|row| (sym(&row, 0), (sym(&row, 1), sym(&row, 2))));
    let unselected = product(selectors, labelled.clone())
        .map(|((selector, (key, value)), node)| ((node, key, value), selector))
        .antijoin(input("profile_label").clone().map(|row| (sym(&row, 0), sym(&row, 1), sym(&row, 2))))
        .map(|((node, ..), selector)| (selector, node))
        .concat(unnamed)
        .distinct();
    let classes = input("class").clone().map(|row| (sym(&row, 0), sym(&row, 1), sym(&row, 2)));
    product(classes, labelled)
        .map(|((class, selector, affinity), node)| ((selector, node), (affinity, class)))
        .antijoin(unselected)
        .map(|((_, node), (affinity, class))| ((affinity, node), class))
        .antijoin(unmatched)
        .map(|((_, node), class)| (class, node))
}

/// Tolerations of daemonsets and taint.
fn tolerates<'a, 'scope: 'a>(input: &impl Fn(&str) -> &'a Rows<'scope, Cells>, words: &Words) -> Two<'scope> {
    let (toleration, taint) = (input("toleration"), input("taint"));
    let (empty, equal, exists) = (words.empty, words.equal, words.exists);
    let equal_at = |of: usize, at: usize| {
        let taints = taint.clone().map(move |row| (sym(&row, at), sym(&row, 0)));
        toleration.clone().map(move |row| (sym(&row, of), sym(&row, 0))).join_map(taints, |_, o, t| (*o, *t))
    };
    let every = |rows: Rows<'scope, Cells>| product(one(&rows), one(taint));
    let effect =
        equal_at(4, 3).concat(every(toleration.clone().filter(move |row| sym(row, 4) == empty))).distinct();
    let key =
        equal_at(1, 1).concat(every(toleration.clone().filter(move |row| sym(row, 1) == empty))).distinct();
    let by_value = toleration.clone().filter(move |row| [equal, empty].contains(&sym(row, 2)));
    let value = by_value
        .map(|row| (sym(&row, 3), sym(&row, 0)))
        .join_map(taint.clone().map(|row| (sym(&row, 2), sym(&row, 0))), |_, o, t| (*o, *t))
        .concat(every(toleration.clone().filter(move |row| sym(row, 2) == exists)))
        .distinct();
    let covers = key.map(|pair| (pair, ())).semijoin(value).semijoin(effect).map(|(pair, ())| pair);
    let added = words.added.clone();
    let always = taint.clone().filter(move |row| added.contains(&(sym(row, 1), sym(row, 3))));
    swapped(&two(input("class_toleration")))
        .join_map(covers, |_, tolerant, taint| (*tolerant, *taint))
        .concat(product(one(input("tolerant")), one(&always)))
        .distinct()
}
