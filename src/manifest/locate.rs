//! The place of a field in a text, found by reading the text a second time.
//!
//! Reading keeps no places, so manifests that are right cost nothing. When something
//! is wrong, all wanted fields of one piece of text are found in one pass. A field
//! that is not there is shown at the nearest thing around it that is.

use std::collections::BTreeMap;

use super::grammar::{Event, Events, Span};
use super::limits::Limits;
use super::marks::Marks;
use super::problem::Spot;
use super::scan::{self, Entries, Entry};
use super::source::Mark;
use super::yaml::{bounds, with_end};
use crate::validate::path::{FieldPath, Part, Step};

/// A field whose place is wanted: of the object that starts at a mark.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) start: Mark,
    pub(super) path: FieldPath,
    pub(super) part: Part,
}

/// Finds fields in a piece of YAML, all in one pass.
pub(super) fn in_yaml(text: &str, lines_before: u32, wanted: &[Wanted]) -> Vec<Option<Spot>> {
    let text = &*with_end(text);
    let mut walk = Walk::default();
    let targets: Vec<(usize, Vec<usize>)> = wanted.iter().map(|wanted| walk.want(wanted)).collect();
    let mut marks = Marks::new(text, lines_before);
    let mut events = Events::new(text, bounds(&Limits::default()));
    while let Some(Ok((event, span))) = events.next() {
        walk.event(&event, span.start == span.end, marks.mark(span.start, span.end));
    }
    let found = wanted.iter().zip(targets);
    found.map(|(wanted, (root, steps))| walk.spot(root, &steps, wanted)).collect()
}

/// Where the first mapping of a piece of YAML starts: its object.
pub(super) fn first_mapping(text: &str, lines_before: u32) -> Option<Mark> {
    let text = &*with_end(text);
    let mut events = Events::new(text, bounds(&Limits::default()));
    while let Some(Ok((event, Span { start, end }))) = events.next() {
        if matches!(event, Event::MappingStart(_)) {
            return Some(Marks::new(text, lines_before).mark(start, end));
        }
    }
    None
}

/// The wanted fields as a tree, and the walk over the events that fills it.
#[derive(Default)]
struct Walk {
    starts: BTreeMap<(u32, u32), usize>,
    nodes: Vec<Node>,
    stack: Vec<Frame>,
    /// A mapping whose first key is about to come: its mark gets that key's width.
    opened: Option<usize>,
}

#[derive(Default)]
struct Node {
    children: BTreeMap<Hop, usize>,
    key: Option<Mark>,
    value: Option<Mark>,
    is_container: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Hop {
    Key(String),
    Index(usize),
}

struct Frame {
    node: Option<usize>,
    mapping: bool,
    key: Option<(String, Mark)>,
    index: usize,
}

impl Walk {
    fn want(&mut self, wanted: &Wanted) -> (usize, Vec<usize>) {
        let start = (wanted.start.line, wanted.start.column);
        let root = *self.starts.entry(start).or_insert_with(|| {
            self.nodes.push(Node::default());
            self.nodes.len() - 1
        });
        let mut at = root;
        let mut steps = Vec::new();
        for step in &wanted.path.0 {
            let hop = match step {
                Step::Field(name) | Step::Key(name) => Hop::Key(name.clone()),
                Step::Index(index) => Hop::Index(*index),
            };
            let next = match self.nodes[at].children.get(&hop) {
                Some(&next) => next,
                None => {
                    self.nodes.push(Node::default());
                    let next = self.nodes.len() - 1;
                    self.nodes[at].children.insert(hop, next);
                    next
                }
            };
            at = next;
            steps.push(at);
        }
        (root, steps)
    }

    fn event(&mut self, event: &Event<'_>, is_empty: bool, mark: Mark) {
        match event {
            Event::Scalar { text, .. } => {
                if let Some(node) = self.opened.take()
                    && let Some(value) = &mut self.nodes[node].value
                {
                    value.width = mark.width;
                }
                match self.stack.last_mut() {
                    Some(frame) if frame.mapping && frame.key.is_none() => {
                        frame.key = Some((text.to_string(), mark))
                    }
                    _ => drop(self.value(mark, is_empty)),
                }
            }
            Event::Alias(_) => match self.stack.last_mut() {
                Some(frame) if frame.mapping && frame.key.is_none() => {
                    frame.key = Some((String::new(), mark))
                }
                _ => drop(self.value(mark, false)),
            },
            Event::SequenceStart(_) | Event::MappingStart(_) => {
                let mapping = matches!(event, Event::MappingStart(_));
                let mut node = self.value(mark, true);
                if mapping && let Some(&root) = self.starts.get(&(mark.line, mark.column)) {
                    self.nodes[root].value.get_or_insert(mark);
                    self.nodes[root].is_container = true;
                    node = Some(root);
                }
                self.opened = node.filter(|_| mapping);
                self.stack.push(Frame { node, mapping, key: None, index: 0 });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.stack.pop();
                self.opened = None;
            }
        }
    }

    /// A value begins: which wanted node is it?
    fn value(&mut self, mark: Mark, is_container: bool) -> Option<usize> {
        let frame = self.stack.last_mut()?;
        let (hop, key) = if frame.mapping {
            let (key, at) = frame.key.take()?;
            (Hop::Key(key), Some(at))
        } else {
            frame.index += 1;
            (Hop::Index(frame.index - 1), None)
        };
        let node = *self.nodes[frame.node?].children.get(&hop)?;
        let found = &mut self.nodes[node];
        if found.value.is_none() {
            *found =
                Node { children: std::mem::take(&mut found.children), key, value: Some(mark), is_container };
        }
        Some(node)
    }

    fn spot(&self, root: usize, steps: &[usize], wanted: &Wanted) -> Option<Spot> {
        let exact = steps.len();
        let mut depth = exact;
        loop {
            let node = &self.nodes[if depth == 0 { root } else { steps[depth - 1] }];
            if let Some(value) = node.value {
                let by_key = depth < exact || wanted.part == Part::Key || node.is_container;
                return Some(Spot::Mark(node.key.filter(|_| by_key).unwrap_or(value)));
            }
            depth = depth.checked_sub(1)?;
        }
    }
}

/// Finds fields of the JSON object that starts at a byte, all in one pass.
pub(super) fn in_json(text: &str, start: usize, wanted: &[(&FieldPath, Part)]) -> Vec<Spot> {
    let mut spots = vec![Spot::Bytes(start, start + 1); wanted.len()];
    let all: Vec<usize> = (0..wanted.len()).collect();
    descend(text, &Entry { key: None, value: start..start + 1 }, 0, &all, wanted, &mut spots);
    spots
}

/// Gives the wanted fields that are at or below an entry their places: its own, until one
/// further down is found.
fn descend(
    text: &str,
    at: &Entry,
    depth: usize,
    here: &[usize],
    wanted: &[(&FieldPath, Part)],
    spots: &mut [Spot],
) {
    let mut fields: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut indexes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &nth in here {
        let (path, part) = wanted[nth];
        spots[nth] = json_spot(text, at, depth == path.0.len(), part);
        match path.0.get(depth) {
            Some(Step::Field(name) | Step::Key(name)) => fields.entry(name).or_default().push(nth),
            Some(Step::Index(index)) => indexes.entry(*index).or_default().push(nth),
            None => {}
        }
    }
    if fields.is_empty() && indexes.is_empty() {
        return;
    }
    for (nth, entry) in Entries::new(text.as_bytes(), at.value.start).into_iter().flatten().enumerate() {
        let below = match &entry.key {
            Some(key) => scan::key_text(text, key).and_then(|key| fields.remove(key.as_ref())),
            None => indexes.remove(&nth),
        };
        if let Some(below) = below {
            descend(text, &entry, depth + 1, &below, wanted, spots);
        }
        if fields.is_empty() && indexes.is_empty() {
            break;
        }
    }
}

fn json_spot(text: &str, at: &Entry, exact: bool, part: Part) -> Spot {
    let value = at.value.clone();
    let is_container = matches!(text.as_bytes().get(value.start), Some(b'{' | b'['));
    let by_key = !exact || part == Part::Key || is_container;
    let key = at.key.clone().filter(|_| by_key);
    let range = key.unwrap_or(if is_container { value.start..value.start + 1 } else { value });
    Spot::Bytes(range.start, range.end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn path(steps: &[Step]) -> FieldPath {
        FieldPath(steps.to_vec())
    }

    fn field(name: &str) -> Step {
        Step::Field(name.to_owned())
    }

    #[test]
    fn fields_are_found_in_yaml_and_their_parents_where_they_are_not() {
        let text = "kind: List\nitems:\n- kind: A\n  list:\n  - x: 1\n    y: [a, bb]\n- kind: B\n";
        let start = Mark { line: 3, column: 3, width: 1 };
        let wanted = |steps: &[Step], part| Wanted { start, path: path(steps), part };
        let found = in_yaml(
            text,
            0,
            &[
                wanted(&[field("list"), Step::Index(0), field("y"), Step::Index(1)], Part::Value),
                wanted(&[field("list"), Step::Index(0), field("x")], Part::Key),
                wanted(&[field("list"), Step::Index(0), field("none")], Part::Value),
                wanted(&[field("list"), field("none"), field("deeper")], Part::Value),
                wanted(&[], Part::Value),
            ],
        );
        let at = |line, column, width| Some(Spot::Mark(Mark { line, column, width }));
        assert_eq!(found, [at(6, 12, 2), at(5, 5, 1), at(5, 5, 1), at(4, 3, 4), at(3, 3, 4)]);
    }

    #[test]
    fn fields_are_found_in_json() {
        let text = r#"[{"a": {"b": [1, "two"]}}]"#;
        let b = [field("a"), field("b")];
        let shown = |steps: &[Step], part| match in_json(text, 1, &[(&path(steps), part)])[0] {
            Spot::Bytes(start, end) => text[start..end].to_owned(),
            Spot::Mark(_) => unreachable!(),
        };
        let second = [b.as_slice(), &[Step::Index(1)]].concat();
        assert_eq!(shown(&second, Part::Value), "\"two\"");
        assert_eq!(shown(&b, Part::Key), "\"b\"");
        assert_eq!(shown(&[field("a"), field("none")], Part::Value), "\"a\"");
        assert_eq!(shown(&[], Part::Value), "{");
    }
}
