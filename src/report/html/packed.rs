//! The data of a page: short, as texts, rows and explanations that are alike stand there once.
//!
//! Explanations of daemonsets and nodes that are alike differ in names alone. So a mark stands in
//! a text in place of the names that it is about, and texts and trees that are equal then are
//! one. The marks are control characters, which no text has once it is made visible.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Value, json};

use super::signs::sign;
use crate::app::capacity::Room;
use crate::app::picture::{Case, Cells, Change, Picture};
use crate::diagnostic::visible;
use crate::explain::{Mark, Step};
use crate::kube::{ObjectKey, timestamp};
use crate::plan::Verb;

/// The label by whose values nodes are in zones.
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
/// The letter of the first word; what is not there has none.
const FIRST: u8 = b'a';

/// Texts, each once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    known: HashMap<String, usize>,
}

impl Texts {
    fn place(&mut self, text: String) -> usize {
        if let Some(known) = self.known.get(&text) {
            return *known;
        }
        self.all.push(text.clone());
        self.known.insert(text, self.all.len() - 1);
        self.all.len() - 1
    }
}

/// What a text is about: names that marks stand for.
struct Names([String; 4]);

impl Names {
    fn of(node: &str, daemonset: &ObjectKey, pod: &str) -> Names {
        let names = [node.to_owned(), daemonset.to_string(), pod.to_owned(), daemonset.name.to_string()];
        Names(names.map(|name| shown(&name)))
    }

    /// The text with marks; with the names back in their places it is as it was.
    fn marked(&self, text: &str) -> String {
        let [node, daemonset, pod, bare] = &self.0;
        let longest_first = [(pod, "\u{3}"), (daemonset, "\u{2}"), (node, "\u{1}"), (bare, "\u{4}")];
        longest_first
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .fold(shown(text), |text, (name, mark)| text.replace(name.as_str(), mark))
    }
}

/// A text as it can be seen, whatever is in it.
fn shown(text: &str) -> String {
    visible(text).into_owned()
}

struct Packer {
    texts: Texts,
    trees: Texts,
    rules: Vec<String>,
}

/// All that the script of a page draws from.
#[derive(Serialize)]
struct Packed {
    live: Option<u64>,
    zone: &'static str,
    words: Vec<(String, &'static str, &'static str)>,
    ds: Vec<String>,
    nodes: Vec<(String, Vec<usize>, Vec<String>)>,
    labels: Vec<String>,
    groups: Vec<(usize, usize)>,
    rows: Vec<String>,
    now: Vec<usize>,
    after: Vec<usize>,
    caps: Vec<Value>,
    room: Vec<usize>,
    later: Vec<usize>,
    changes: Vec<Value>,
    cases: Vec<Value>,
    texts: Vec<String>,
    trees: Vec<Value>,
    rules: Vec<(String, String)>,
}

/// The data as JSON that can stand in a page: no `<` is in it.
pub(super) fn packed(picture: &Picture, live: Option<u64>) -> String {
    let mut packer = Packer {
        texts: Texts::default(),
        trees: Texts::default(),
        rules: picture.rules.keys().cloned().collect(),
    };
    let (mut rows, mut labels, mut caps) = (Texts::default(), Texts::default(), Texts::default());
    let mut cells =
        |cells: &Cells| (0..picture.nodes.len()).map(|node| rows.place(row(cells, node))).collect();
    let (now, after) = (cells(&picture.now), cells(&picture.after));
    let mut room = |room: Option<&Room>| caps.place(amounts(room).to_string());
    let (now_room, later) =
        picture.nodes.iter().map(|it| (room(it.now.as_ref()), room(it.after.as_ref()))).unzip();
    let changes = packer.changes(picture);
    let cases = picture.cases.iter().map(|it| packer.case(picture, it)).collect();
    let parsed = |texts: Vec<String>| texts.iter().filter_map(|it| serde_json::from_str(it).ok()).collect();
    let packed = Packed {
        live,
        zone: ZONE,
        words: picture
            .words
            .iter()
            .map(|word| {
                let (sign, class) = sign(word);
                (shown(word), sign, class)
            })
            .collect(),
        ds: picture.daemonsets.iter().map(|key| shown(&key.to_string())).collect(),
        nodes: picture
            .nodes
            .iter()
            .map(|node| {
                let own =
                    node.labels.iter().map(|(key, value)| labels.place(shown(&format!("{key}={value}"))));
                (shown(&node.name), own.collect(), node.taints.iter().map(|it| shown(it)).collect())
            })
            .collect(),
        groups: picture.groups.iter().map(|it| (it.first, it.count)).collect(),
        now,
        after,
        room: now_room,
        later,
        changes,
        cases,
        labels: labels.all,
        rows: rows.all,
        caps: parsed(caps.all),
        texts: packer.texts.all,
        trees: parsed(packer.trees.all),
        rules: picture.rules.iter().map(|(place, text)| (shown(place), shown(text))).collect(),
    };
    let text = serde_json::to_string(&packed).unwrap_or_default();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A letter for each daemonset on a node.
fn row(cells: &Cells, node: usize) -> String {
    let letter = |place: Option<usize>| match place.and_then(|it| u8::try_from(it).ok()) {
        Some(place) => char::from(FIRST + place.min(b'z' - FIRST)),
        None => '-',
    };
    cells.of_node(node).map(letter).collect()
}

/// What a node has of cpu and memory, what daemon pods and what others request of it.
fn amounts(room: Option<&Room>) -> Value {
    let Some(room) = room else { return Value::Null };
    let of = |resource: &str, unit: i64| {
        let taken = room.resources.get(resource).copied().unwrap_or_default();
        [taken.has().unwrap_or(0), taken.daemons, taken.others].map(|it| it / unit)
    };
    let (cpu, memory) = (of("cpu", 1), of("memory", 1 << 20));
    json!([cpu, memory].concat())
}

impl Packer {
    /// What is done to pods of a daemonset for one reason: on which nodes, and to which pods. One
    /// that is new has no name that anybody knows yet.
    fn changes(&mut self, picture: &Picture) -> Vec<Value> {
        let mut found: BTreeMap<(usize, String, usize, i64), Vec<&Change>> = BTreeMap::new();
        for it in &picture.changes {
            let names = picture.names(it.node, it.daemonset, &it.pod);
            let text = self.texts.place(names.marked(&it.reason));
            let verb = serde_json::to_value(it.verb).ok().and_then(|it| it.as_str().map(str::to_owned));
            let key = (it.daemonset, verb.unwrap_or_default(), text, self.rule(Some(&it.rule)));
            found.entry(key).or_default().push(it);
        }
        let told = found.into_iter().map(|((daemonset, verb, text, rule), all)| {
            let nodes: Vec<usize> = all.iter().map(|it| it.node).collect();
            let is_new = all.iter().all(|it| it.verb == Verb::Create);
            let pods: Vec<String> =
                if is_new { Vec::new() } else { all.iter().map(|it| shown(&it.pod)).collect() };
            json!([daemonset, verb, text, rule, nodes, pods])
        });
        told.collect()
    }

    fn case(&mut self, picture: &Picture, it: &Case) -> Value {
        let told = &it.explanation;
        let pod = told.pods.first().map_or("", |pod| &pod.name);
        let names = picture.names(it.node, it.daemonset, pod);
        let headline = self.texts.place(names.marked(&told.headline));
        let steps = self.steps(&told.steps, &names);
        let mends: Vec<Value> = told
            .causes
            .iter()
            .map(|cause| {
                let mend = cause.mend.as_ref().map(|mend| self.texts.place(names.marked(mend)));
                json!([self.texts.place(names.marked(&cause.says)), or_none(mend)])
            })
            .collect();
        let tree = self.trees.place(json!([headline, steps, mends]).to_string());
        json!([it.group, it.daemonset, it.word, it.node, tree, names.0[2]])
    }

    fn steps(&mut self, steps: &[Step], names: &Names) -> Vec<Value> {
        let told = steps.iter().map(|step| {
            let mark = match step.mark {
                Mark::Yes => "yes",
                Mark::No => "no",
                Mark::Fact => "fact",
                Mark::Missing => "missing",
            };
            let text = self.texts.place(names.marked(&step.text));
            let from = step.from.as_ref().map(|from| self.texts.place(names.marked(from)));
            let rule = self.rule(step.rule.as_deref());
            if step.parts.is_empty() {
                return json!([mark, text, rule, or_none(from)]);
            }
            json!([mark, text, rule, or_none(from), self.steps(&step.parts, names)])
        });
        told.collect()
    }

    /// The place of a rule's text, if it is known.
    fn rule(&self, place: Option<&str>) -> i64 {
        let found = place.and_then(|place| self.rules.binary_search_by(|it| it.as_str().cmp(place)).ok());
        or_none(found)
    }
}

/// A place, or less than any.
fn or_none(place: Option<usize>) -> i64 {
    place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}

impl Picture {
    fn names(&self, node: usize, daemonset: usize, pod: &str) -> Names {
        let nobody = ObjectKey::new("", "");
        let node = self.nodes.get(node).map_or("", |node| &node.name);
        Names::of(node, self.daemonsets.get(daemonset).unwrap_or(&nobody), pod)
    }
}

/// The values of a label, in order, each with how many nodes have it.
pub(super) fn values(picture: &Picture, label: &str) -> BTreeMap<String, usize> {
    let mut values = BTreeMap::new();
    for value in picture.nodes.iter().filter_map(|node| node.labels.get(label)) {
        *values.entry(shown(value)).or_default() += 1;
    }
    values
}

/// When it was, to be read.
pub(super) fn moment(picture: &Picture) -> String {
    timestamp(picture.at).replace('T', " ").replace('Z', " UTC")
}
