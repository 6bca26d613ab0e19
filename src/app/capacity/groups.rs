//! Nodes put together: those that look alike, those with one value of a label, or each alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::usage::{Room, Taken, Usage};
use crate::kube::{Name, short_amount};

/// How nodes are put together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum By {
    /// Those that look alike: what they have, what daemonsets take and would take.
    #[default]
    Alike,
    /// Each alone.
    Node,
    /// By the value of this label.
    Label(String),
}

/// Amounts of the nodes of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// That of the node with least.
    pub least: i64,
    /// That of the node with most.
    pub most: i64,
    /// All together.
    pub total: i128,
}

/// One resource of the nodes of a group.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// What they have; nothing where none says so.
    pub has: Option<Spread>,
    /// What daemon pods request.
    pub daemons: Option<Spread>,
    /// What all others request.
    pub others: Option<Spread>,
    /// What is free, where that is known.
    pub free: Option<Spread>,
    /// What daemonsets that should run there request.
    pub overhead: Option<Spread>,
    /// The node of which most is taken, and how much of a hundred.
    pub fullest: Option<(Name, i128)>,
}

/// The largest pod that a node takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Largest {
    /// The node.
    pub node: Name,
    /// Thousandths of a CPU.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
}

/// The nodes of a group at one time.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// How many there are.
    pub nodes: usize,
    /// By resource.
    pub resources: BTreeMap<Name, Sums>,
    /// How many pods wait for them.
    pub waiting: usize,
    /// How many of them take no pod at all.
    pub full: usize,
    /// Of what none of the others has more of what it has least of.
    pub largest: Option<Largest>,
}

/// Nodes that are shown together.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The value of the label that they have; nothing in a group of those that have it not.
    pub value: Option<Name>,
    /// The nodes, in order of their names.
    pub nodes: Vec<Name>,
    /// As they are.
    pub now: Part,
    /// As the plan leaves them, if there is one.
    pub after: Option<Part>,
}

impl Spread {
    fn of(amounts: impl Iterator<Item = i64>) -> Option<Spread> {
        amounts.fold(None, |all: Option<Spread>, it| {
            let one = Spread { least: it, most: it, total: it.into() };
            Some(all.map_or(one, |all| Spread {
                least: all.least.min(it),
                most: all.most.max(it),
                total: all.total + i128::from(it),
            }))
        })
    }
}

impl Sums {
    fn of(resource: &Name, rooms: &[(&Name, &Room)]) -> Sums {
        let nothing = Taken::default();
        let each = || rooms.iter().map(|(_, room)| room.resources.get(resource).unwrap_or(&nothing));
        let share = |(node, room): &(&Name, &Room)| {
            let taken = room.resources.get(resource)?;
            let has = taken.has().filter(|has| *has > 0)?;
            let all = i128::from(taken.daemons) + i128::from(taken.others);
            Some(((*node).clone(), all * 100 / i128::from(has)))
        };
        // Of equals the first by name.
        let fullest = rooms.iter().filter_map(share).reduce(|most, it| if it.1 > most.1 { it } else { most });
        Sums {
            has: Spread::of(each().filter_map(Taken::has)),
            daemons: Spread::of(each().map(|it| it.daemons)),
            others: Spread::of(each().map(|it| it.others)),
            free: Spread::of(each().filter_map(|it| it.free)),
            overhead: Spread::of(each().map(|it| it.overhead)),
            fullest,
        }
    }
}

impl Part {
    /// Those of the nodes that are there.
    pub(super) fn of(usage: &Usage, nodes: &[Name]) -> Part {
        let rooms: Vec<(&Name, &Room)> =
            nodes.iter().filter_map(|node| usage.nodes.get_key_value(node)).collect();
        let resources: BTreeSet<&Name> = rooms.iter().flat_map(|(_, room)| room.resources.keys()).collect();
        Part {
            nodes: rooms.len(),
            resources: resources.into_iter().map(|it| (it.clone(), Sums::of(it, &rooms))).collect(),
            waiting: rooms.iter().map(|(_, room)| room.waiting).sum(),
            full: rooms.iter().filter(|(_, room)| room.full).count(),
            largest: largest(&rooms),
        }
    }
}

/// The node whose free room is largest in that of cpu and memory which it has less of, as a
/// share of the most that any of them has free.
fn largest(rooms: &[(&Name, &Room)]) -> Option<Largest> {
    let free = |room: &Room, resource: &str| room.resources.get(resource).and_then(|it| it.free);
    let open = rooms.iter().filter(|(_, room)| !room.full).filter_map(|(node, room)| {
        let (cpu, memory) = (free(room, "cpu")?, free(room, "memory")?);
        (cpu >= 0 && memory >= 0).then(|| Largest { node: (*node).clone(), cpu, memory })
    });
    let open: Vec<Largest> = open.collect();
    let most = |amount: fn(&Largest) -> i64| open.iter().map(amount).max().unwrap_or(0).max(1);
    let (most_cpu, most_memory) = (most(|it| it.cpu), most(|it| it.memory));
    let parts = |amount: i64, most: i64| i128::from(amount) * 1_000_000 / i128::from(most);
    let scarce = |it: &Largest| {
        let (cpu, memory) = (parts(it.cpu, most_cpu), parts(it.memory, most_memory));
        (cpu.min(memory), cpu.max(memory))
    };
    open.iter().cloned().reduce(|best, it| if scarce(&it) > scarce(&best) { it } else { best })
}

impl Group {
    /// All of these nodes.
    pub(super) fn of(value: Option<Name>, nodes: Vec<Name>, now: &Usage, after: Option<&Usage>) -> Group {
        let after = after.map(|after| Part::of(after, &nodes));
        Group { value, now: Part::of(now, &nodes), after, nodes }
    }
}

/// The nodes put together, those that come first by name first.
pub(super) fn groups(nodes: &[Name], by: &By, now: &Usage, after: Option<&Usage>) -> Vec<Group> {
    let mut found: BTreeMap<String, (Option<Name>, Vec<Name>)> = BTreeMap::new();
    for node in nodes {
        let (before, later) = (now.nodes.get(node), after.and_then(|after| after.nodes.get(node)));
        let (key, value) = match by {
            By::Node => (node.to_string(), None),
            By::Alike => (format!("{}|{}", look(before), look(later)), None),
            By::Label(label) => {
                let value = later.or(before).and_then(|room| room.labels.get(label.as_str())).cloned();
                (value.as_ref().map_or_else(String::new, |value| format!("={value}")), value)
            }
        };
        found.entry(key).or_insert((value, Vec::new())).1.push(node.clone());
    }
    let mut groups: Vec<Group> =
        found.into_values().map(|(value, nodes)| Group::of(value, nodes, now, after)).collect();
    if !matches!(by, By::Label(_)) {
        groups.sort_by(|a, b| a.nodes.cmp(&b.nodes));
    }
    groups
}

/// What a node looks like, but for what other pods take of it.
fn look(room: Option<&Room>) -> String {
    let Some(room) = room else { return String::new() };
    let mut text = format!("{}{}", room.full, room.waiting > 0);
    for (resource, taken) in &room.resources {
        let short = |amount: i64| short_amount(resource, amount.into());
        let has = taken.has().map_or_else(|| "any".to_owned(), short);
        let is_over = taken.free.is_some_and(|free| free < 0);
        // A resource that nobody has or takes makes no difference.
        if (has.as_str(), taken.daemons, taken.overhead) != ("0", 0, 0) || is_over {
            let (daemons, overhead) = (short(taken.daemons), short(taken.overhead));
            let _ = write!(text, " {resource}:{has}/{daemons}/{overhead}/{is_over}");
        }
    }
    text
}
