//! The values that aliases stand for, and how much aliases may expand to.
//!
//! What no alias names is not kept, so that anchors alone cost nothing. What aliases
//! expand to is bounded in two ways: by our limit on bytes, and by go-yaml's share of a
//! document that may come out of aliases, beyond which kubectl refuses it too.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::limits::{Limits, Spent};
use super::problem::Problem;

/// How large a value is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    /// Bytes that it takes, roughly.
    pub(super) bytes: usize,
    /// How deep it nests.
    pub(super) depth: usize,
    /// Values in it, keys too.
    pub(super) nodes: usize,
}

impl Size {
    /// What a value takes at least.
    pub(super) const NODE: usize = 64;
}

/// The anchors of one document.
#[derive(Debug)]
pub(super) struct Anchors<'t, 'l> {
    text: &'t str,
    limits: &'l Limits,
    spent: &'l Spent,
    known: HashMap<&'t str, Anchor>,
    /// The names that stand after a `*` in the text; found when the first anchor comes.
    named: Option<HashSet<&'t str>>,
    begun: u32,
    kept: usize,
    expanded: usize,
    nodes: usize,
    of_aliases: usize,
}

#[derive(Debug)]
struct Anchor {
    /// Which of those with its name it is.
    number: u32,
    /// Not there as long as the value is not at its end.
    value: Option<(Value, Size)>,
}

impl<'t, 'l> Anchors<'t, 'l> {
    pub(super) fn new(text: &'t str, limits: &'l Limits, spent: &'l Spent) -> Self {
        Anchors {
            text,
            limits,
            spent,
            known: HashMap::new(),
            named: None,
            begun: 0,
            kept: 0,
            expanded: 0,
            nodes: 0,
            of_aliases: 0,
        }
    }

    /// So many values were written out.
    pub(super) fn count(&mut self, nodes: usize) {
        self.nodes += nodes;
    }

    /// An anchored value begins: from here on its name means this one.
    pub(super) fn begin(&mut self, name: &'t str) -> (&'t str, u32) {
        let text = self.text;
        let named = self.named.get_or_insert_with(|| names_after_stars(text));
        self.begun += 1;
        if named.contains(name) {
            self.known.insert(name, Anchor { number: self.begun, value: None });
        }
        (name, self.begun)
    }

    /// Whether the value of this anchor may be asked for.
    pub(super) fn is_kept(&self, anchor: Option<(&str, u32)>) -> bool {
        anchor
            .is_some_and(|(name, number)| self.known.get(name).is_some_and(|anchor| anchor.number == number))
    }

    /// Keeps the value of an anchor, if its name still means it.
    pub(super) fn keep(&mut self, anchor: (&'t str, u32), value: &Value, size: Size) -> Result<(), Problem> {
        let (name, number) = anchor;
        let Some(anchor) = self.known.get_mut(name).filter(|anchor| anchor.number == number) else {
            return Ok(());
        };
        // One inside the other, each is kept with all that is in it.
        let most = self.limits.alias_bytes.saturating_add(self.text.len().saturating_mul(HELD));
        self.kept = self.kept.saturating_add(size.bytes);
        if self.kept > most {
            let message = format!("the values of anchors, one inside the other, have more than {most} bytes");
            return Err(Problem::new("alias-expansion", message).help("use fewer anchors"));
        }
        anchor.value = Some((value.clone(), size));
        Ok(())
    }

    /// The value that an alias stands for, and how deep it is.
    pub(super) fn expand(&mut self, name: &str) -> Result<(Value, usize), Problem> {
        let Some(anchor) = self.known.get(name) else {
            let says = format!("kubectl says: unknown anchor '{name}' referenced");
            return Err(Problem::new("yaml-syntax", "there is no anchor of this name above")
                .because(says)
                .help("quote the text if it only starts with `*`: \"*text\""));
        };
        let Some((value, size)) = &anchor.value else {
            let message = "an alias stands inside the value that it is an alias of";
            return Err(Problem::new("recursive-alias", message).help("write the value out"));
        };
        self.nodes += size.nodes + 1;
        self.of_aliases += size.nodes;
        self.expanded = self.expanded.saturating_add(size.bytes);
        if self.expanded > self.limits.alias_bytes || self.spent.expand(size.bytes) {
            let message = format!("aliases expand to more than {} bytes", self.limits.alias_bytes);
            return Err(Problem::new("alias-expansion", message)
                .help("write the value out where it is needed, or use fewer aliases"));
        }
        if self.is_mostly_aliases() {
            let message = format!("{} of {} values so far come out of aliases", self.of_aliases, self.nodes);
            return Err(Problem::new("alias-expansion", message)
                .because("kubectl says: document contains excessive aliasing")
                .help("write the value out where it is needed, or use fewer aliases"));
        }
        Ok((value.clone(), size.depth))
    }

    /// go-yaml's bound: of a small document nearly all may come out of aliases, of a large
    /// one a tenth.
    #[allow(clippy::cast_precision_loss)]
    fn is_mostly_aliases(&self) -> bool {
        const SMALL: f64 = 400_000.0;
        const LARGE: f64 = 4_000_000.0;
        if self.of_aliases <= 100 || self.nodes <= 1_000 {
            return false;
        }
        let nodes = self.nodes as f64;
        let between = ((nodes - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
        self.of_aliases as f64 / nodes > 0.99 - 0.89 * between
    }
}

/// So many times its own length a text may need for the values of its anchors.
const HELD: usize = 4;

/// All words that stand after a `*`: more than the aliases, but all of them.
fn names_after_stars(text: &str) -> HashSet<&str> {
    text.split('*')
        .skip(1)
        .map(|rest| {
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            let length = rest.bytes().take_while(|byte| is_name(byte)).count();
            &rest[..length]
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// How large a value is that was put together.
pub(super) fn measure(value: &Value) -> Size {
    let leaf = Size { bytes: Size::NODE, depth: 0, nodes: 1 };
    let fold = |sum: Size, (key, more): (usize, Size)| Size {
        bytes: sum.bytes + key + more.bytes,
        depth: sum.depth.max(more.depth + 1),
        nodes: sum.nodes + more.nodes,
    };
    let start = Size { depth: 1, ..leaf };
    match value {
        Value::String(text) => Size { bytes: Size::NODE + text.len(), ..leaf },
        Value::Array(list) => list.iter().map(|value| (0, measure(value))).fold(start, fold),
        Value::Object(map) => {
            let sized = map.iter().map(|(key, value)| {
                let size = measure(value);
                (key.len(), Size { nodes: size.nodes + 1, ..size })
            });
            sized.fold(start, fold)
        }
        _ => leaf,
    }
}
