//! What a name means: where it is declared, and where else it stands.
//!
//! A module's own declaration comes before one that another exports, and that before a
//! built-in one, as when a program is loaded; but here a program with mistakes has names too.

use std::ops::Range;
use std::path::Path;

use super::project::{Document, Project};
use crate::datalog::{Item, ItemKind, Mention, Named, Outline};

/// A piece of a document of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    pub document: usize,
    pub at: Range<usize>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The item that declares it.
    Item { document: usize, item: usize },
    /// A variable of a rule.
    Variable { document: usize, item: usize, name: String },
}

impl Project {
    /// The item that declares a name that stands in a document.
    pub fn declaration(
        &self,
        from: usize,
        named: Named,
        name: &str,
        module: Option<&str>,
    ) -> Option<Meaning> {
        let kind = match named {
            Named::Relation => ItemKind::Declaration,
            Named::Type => ItemKind::Type,
            Named::Parameter => ItemKind::Parameter,
            _ => return None,
        };
        let home = self.documents.get(from)?;
        let mut found: Vec<(u8, usize, usize)> = Vec::new();
        for (document, it) in self.documents.iter().enumerate() {
            let wanted = |item: &&(usize, &Item)| item.1.kind == kind && item.1.name == name;
            let Some((item, _)) = it.outline.items.iter().enumerate().find(|item| wanted(&item)) else {
                continue;
            };
            let is_own = module.is_none_or(|module| module_of(it) == module);
            if is_own {
                found.push((distance(home, it, &it.outline.items[item]), document, item));
            }
        }
        found.into_iter().min().map(|(_, document, item)| Meaning::Item { document, item })
    }

    /// What a mention means.
    pub fn meaning(&self, document: usize, mention: &Mention) -> Option<Meaning> {
        match mention.named {
            Named::Variable => {
                let (item, name) = (mention.item, mention.name.clone());
                (name != "_").then_some(Meaning::Variable { document, item, name })
            }
            named => self.declaration(document, named, &mention.name, mention.module.as_deref()),
        }
    }

    /// Where else that stands: in all files that a person writes.
    pub fn mentions(&self, meaning: &Meaning) -> Vec<(Spot, bool)> {
        let mut spots = Vec::new();
        for (document, it) in self.documents.iter().enumerate().filter(|(_, it)| !it.builtin) {
            let outline: &Outline = &it.outline;
            for mention in outline.mentions.iter().filter(|mention| mention.name == self.name(meaning)) {
                if self.meaning(document, mention).as_ref() == Some(meaning) {
                    spots.push((Spot { document, at: mention.at.clone() }, mention.declares));
                }
            }
        }
        spots
    }

    /// The name of what is meant.
    pub fn name<'a>(&'a self, meaning: &'a Meaning) -> &'a str {
        match meaning {
            Meaning::Item { document, item } => &self.documents[*document].outline.items[*item].name,
            Meaning::Variable { name, .. } => name,
        }
    }

    /// The column that a variable fills: the declaration of the first relation in the rule
    /// that it is an argument of, and which column.
    pub fn column(&self, document: usize, item: usize, name: &str) -> Option<(&Item, usize)> {
        let outline = &self.documents.get(document)?.outline;
        let mentions = outline.mentions.iter().filter(|it| it.item == item && it.name == name);
        mentions.filter_map(|it| it.argument).find_map(|(relation, argument)| {
            let Meaning::Item { document, item } = self.meaning(document, outline.mentions.get(relation)?)?
            else {
                return None;
            };
            let item = self.documents[document].outline.items.get(item)?;
            (argument < item.columns.len()).then_some((item, argument))
        })
    }
}

/// How far a declaration is from a document that names it: of two the nearer one is meant.
/// What is not for others comes last, as one who reads wants to see it all the same.
pub(super) fn distance(home: &Document, other: &Document, item: &Item) -> u8 {
    let is_open = item.qualifiers.iter().any(|word| matches!(word.as_str(), "export" | "open"));
    match () {
        () if other.path == home.path => 0,
        () if !other.builtin && other.path.parent() == home.path.parent() => 1,
        () => 2 + u8::from(other.builtin) + if is_open { 0 } else { 2 },
    }
}

/// The module of a file, as it stands before `::`: the name of its folder, or of the tool.
fn module_of(document: &Document) -> String {
    if document.builtin {
        return "dsrules".to_owned();
    }
    let folder = document.path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
