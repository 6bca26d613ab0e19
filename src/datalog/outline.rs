//! What a rule text names, and where: for editors.
//!
//! Made of tokens, not of what the parser finds: a text that is being written has mistakes
//! all the time, and still has names. Nothing is checked here.

use std::ops::Range;

use super::lexer::{Token, tokens};
use super::words::{Sort, sort_of};

/// What a name is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// A relation.
    Relation,
    /// A type.
    Type,
    /// A column, where it is declared.
    Column,
    /// A variable of a rule.
    Variable,
    /// A parameter.
    Parameter,
    /// A function, an aggregate or another word of the language.
    Word,
}

/// A name, where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it names.
    pub named: Named,
    /// The name.
    pub name: String,
    /// The module before `::`.
    pub module: Option<String>,
    /// The bytes of the name.
    pub at: Range<usize>,
    /// Whether it is declared here.
    pub declares: bool,
    /// The item that it stands in.
    pub item: usize,
    /// Of an argument, the mention of the relation, and which argument it is.
    pub argument: Option<(usize, usize)>,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// `.decl`
    Declaration,
    /// `.type`
    Type,
    /// `.param`
    Parameter,
    /// Another directive.
    Directive,
    /// A rule or a fact.
    Rule,
}

/// A rule or a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// What it declares or derives; may be empty where that is not written yet.
    pub name: String,
    /// The bytes of that name.
    pub name_at: Range<usize>,
    /// The bytes of all of it.
    pub at: Range<usize>,
    /// The `///` lines over it, joined.
    pub doc: String,
    /// The columns of a declaration, and their types.
    pub columns: Vec<(String, String)>,
    /// The words behind a declaration.
    pub qualifiers: Vec<String>,
}

/// All names of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// What it is made of, in order.
    pub items: Vec<Item>,
    /// All names, in order.
    pub mentions: Vec<Mention>,
}

impl Outline {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Outline {
        let (found, _) = tokens(0, text);
        let tokens =
            found.into_iter().map(|(token, span)| (token, span.start as usize..span.end as usize)).collect();
        let mut reader = Reader { text, tokens, at: 0, outline: Outline::default() };
        reader.items();
        reader.outline
    }

    /// The name that stands at a byte, or ends there.
    #[must_use]
    pub fn mention_at(&self, byte: usize) -> Option<&Mention> {
        let inside = self.mentions.iter().find(|it| it.at.contains(&byte));
        inside.or_else(|| self.mentions.iter().find(|it| it.at.end == byte))
    }

    /// The item that a byte stands in, or the last one before it.
    #[must_use]
    pub fn item_at(&self, byte: usize) -> Option<&Item> {
        self.items.iter().rfind(|item| item.at.start <= byte)
    }
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    outline: Outline,
}

impl Reader<'_> {
    fn items(&mut self) {
        let mut docs: Vec<(String, Range<usize>)> = Vec::new();
        loop {
            let (token, span) = self.here();
            let kind = match token {
                Token::End => return,
                Token::Doc(line) => {
                    docs.push((line, span));
                    self.at += 1;
                    continue;
                }
                Token::FileDoc(_) => {
                    self.at += 1;
                    docs.clear();
                    continue;
                }
                Token::Directive(word) => match word.as_str() {
                    "decl" | "overload" => ItemKind::Declaration,
                    "type" => ItemKind::Type,
                    "param" => ItemKind::Parameter,
                    _ => ItemKind::Directive,
                },
                _ => ItemKind::Rule,
            };
            let doc = self.doc(std::mem::take(&mut docs), span.start);
            self.outline.items.push(Item {
                kind,
                name: String::new(),
                name_at: span.clone(),
                at: span,
                doc,
                columns: Vec::new(),
                qualifiers: Vec::new(),
            });
            match kind {
                ItemKind::Rule => self.rule(),
                ItemKind::Declaration => self.declaration(),
                _ => self.directive(kind),
            }
            let end =
                self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |(_, at)| at.end);
            if let Some(item) = self.outline.items.last_mut() {
                item.at.end = end.max(item.at.start);
            }
        }
    }

    fn here(&self) -> (Token, Range<usize>) {
        self.tokens.get(self.at).cloned().unwrap_or((Token::End, self.text.len()..self.text.len()))
    }

    fn is(&self, at: usize, mark: &str) -> bool {
        matches!(self.tokens.get(at), Some((Token::Mark(found), _)) if *found == mark)
    }

    /// The `///` lines that stand directly over something.
    fn doc(&self, docs: Vec<(String, Range<usize>)>, start: usize) -> String {
        let (mut next, mut lines) = (start, Vec::new());
        for (line, span) in docs.into_iter().rev() {
            if self.text.get(span.end..next).is_none_or(|gap| gap.matches('\n').count() != 1) {
                break;
            }
            next = span.start;
            lines.push(line);
        }
        lines.reverse();
        lines.join("\n")
    }

    fn mention(&mut self, named: Named, declares: bool) -> usize {
        let (token, at) = self.here();
        let name = match token {
            Token::Name(name) => name,
            _ => String::new(),
        };
        let item = self.outline.items.len().saturating_sub(1);
        let names_it = declares && named != Named::Column;
        if let Some(item) = self.outline.items.last_mut().filter(|it| names_it && it.name.is_empty()) {
            (item.name, item.name_at) = (name.clone(), at.clone());
        }
        self.outline.mentions.push(Mention { named, name, module: None, at, declares, item, argument: None });
        self.outline.mentions.len() - 1
    }

    /// Whether an item ends before the token here.
    fn is_over(&self, first: usize) -> bool {
        let (token, span) = self.here();
        match token {
            Token::End | Token::Directive(_) | Token::Doc(_) | Token::FileDoc(_) => self.at > first,
            // Whoever is still writing the rule above has not ended it.
            Token::Name(name) => {
                let in_column_one = self.text.get(..span.start).is_none_or(|before| before.ends_with('\n'));
                self.at > first && in_column_one && name.starts_with(|c: char| c.is_ascii_lowercase())
            }
            _ => false,
        }
    }

    fn rule(&mut self) {
        let first = self.at;
        // The relation, if it is one, whose brackets are open, and the argument within.
        let mut open: Vec<(Option<usize>, usize)> = Vec::new();
        while !self.is_over(first) {
            let (token, _) = self.here();
            match token {
                Token::Mark("(" | "[" | "{") => {
                    let last = self.outline.mentions.len().checked_sub(1);
                    let of = last.filter(|last| self.calls(*last));
                    open.push((of, 0));
                }
                Token::Mark(")" | "]" | "}") => drop(open.pop()),
                Token::Mark(",") => {
                    if let Some((_, argument)) = open.last_mut() {
                        *argument += 1;
                    }
                }
                Token::Mark(".") => {
                    self.at += 1;
                    return;
                }
                Token::Name(name) => {
                    let named = self.named(&name);
                    let at = self.mention(named, self.at == first && named == Named::Relation);
                    let mention = &mut self.outline.mentions[at];
                    // A rule derives, it does not declare.
                    mention.declares = false;
                    mention.argument = open.last().and_then(|(of, argument)| Some(((*of)?, *argument)));
                    if self.is(self.at.wrapping_sub(1), "::")
                        && let Some((Token::Name(module), _)) = self.tokens.get(self.at.wrapping_sub(2))
                    {
                        self.outline.mentions[at].module = Some(module.clone());
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Whether the bracket here is that of a relation that was just named.
    fn calls(&self, mention: usize) -> bool {
        let mention = &self.outline.mentions[mention];
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        mention.named == Named::Relation && before.is_some_and(|(_, at)| *at == mention.at)
    }

    /// What a name of a rule is one of.
    fn named(&self, name: &str) -> Named {
        let call = self.is(self.at + 1, "(");
        if self.is(self.at + 1, "::") {
            return Named::Word;
        }
        if name.starts_with(|c: char| !c.is_ascii_lowercase()) {
            return if self.is_cast() { Named::Type } else { Named::Variable };
        }
        match sort_of(name) {
            Some(Sort::Function | Sort::Test) if call => Named::Word,
            Some(Sort::Aggregate | Sort::Keyword) if !call => Named::Word,
            _ if call => Named::Relation,
            _ => Named::Parameter,
        }
    }

    /// Whether the name here is the type in `as(Value, Type)`, perhaps with a module in front.
    fn is_cast(&self) -> bool {
        let name = |at: usize| matches!(self.tokens.get(at), Some((Token::Name(name), _)) if name == "as");
        let first = if self.is(self.at.wrapping_sub(1), "::") { self.at.wrapping_sub(2) } else { self.at };
        self.is(self.at + 1, ")")
            && self.is(first.wrapping_sub(1), ",")
            && (2..16).any(|back| {
                self.at.checked_sub(back).is_some_and(|at| self.is(at, "(") && at > 0 && name(at - 1))
            })
    }

    /// `.decl`, or `.overload`, which names other relations where the columns would be.
    fn declaration(&mut self) {
        let is_overload = matches!(self.here().0, Token::Directive(word) if word == "overload");
        self.at += 1;
        if matches!(self.here().0, Token::Name(_)) {
            self.mention(Named::Relation, true);
            self.at += 1;
        }
        if !self.is(self.at, "(") {
            return;
        }
        self.at += 1;
        let mut column = None;
        while !self.is_over(0) && !self.is(self.at, ")") {
            if let Token::Name(name) = self.here().0 {
                if is_overload {
                    self.mention(Named::Relation, false);
                    self.at += 1;
                    continue;
                }
                let is_type = self.is(self.at.wrapping_sub(1), ":");
                self.mention(if is_type { Named::Type } else { Named::Column }, !is_type);
                match (is_type, column.take()) {
                    (true, Some(column)) => self.item_here().columns.push((column, name)),
                    (_, before) => {
                        let unfinished = before.map(|column| (column, String::new()));
                        self.item_here().columns.extend(unfinished);
                        column = Some(name);
                    }
                }
            }
            self.at += 1;
        }
        let unfinished = column.map(|column| (column, String::new()));
        self.item_here().columns.extend(unfinished);
        self.at += usize::from(self.is(self.at, ")"));
        while let Token::Name(word) = self.here().0 {
            let call = self.is(self.at + 1, "(");
            if call && sort_of(&word) != Some(Sort::Qualifier) {
                break;
            }
            self.mention(Named::Word, false);
            self.item_here().qualifiers.push(word);
            self.at += 1;
            while call && !self.is_over(0) && !self.is(self.at.wrapping_sub(1), ")") {
                self.at += 1;
            }
        }
        self.at += usize::from(self.is(self.at, "."));
    }

    fn item_here(&mut self) -> &mut Item {
        let last = self.outline.items.len() - 1;
        &mut self.outline.items[last]
    }

    /// `.type`, `.param`, and what else is on the line of a directive.
    fn directive(&mut self, kind: ItemKind) {
        let first = self.at;
        self.at += 1;
        let declares = match kind {
            ItemKind::Type => Some(Named::Type),
            ItemKind::Parameter => Some(Named::Parameter),
            _ => None,
        };
        while !self.is_over(first) {
            let end = self.tokens[self.at - 1].1.end;
            let (token, at) = self.here();
            if self.text.get(end..at.start).is_some_and(|gap| gap.contains('\n')) {
                return;
            }
            if matches!(token, Token::Name(_)) {
                match declares {
                    Some(named) if self.at == first + 1 => drop(self.mention(named, true)),
                    _ => drop(self.mention(Named::Type, false)),
                }
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_found_though_the_text_is_not_finished() {
        let text = "/// Doc\n.decl a(x: T, y) output\n.type T <: U\n/// {X}\na(X, Y) :- b(X), count : { c(_, X) } > q, lower(X) = Y,\n!d(\nb(1).";
        let outline = Outline::of(text);
        let shown: Vec<String> = outline
            .mentions
            .iter()
            .map(|it| {
                let module = it.module.as_deref().map(|module| format!("{module}::")).unwrap_or_default();
                let argument = it.argument.map(|(of, at)| format!(" {of}.{at}")).unwrap_or_default();
                format!("{:?} {module}{}{}{argument}", it.named, it.name, if it.declares { "!" } else { "" })
            })
            .collect();
        let expected = "Relation a!|Column x!|Type T|Column y!|Word output|Type T!|Type U|Relation a|Variable X 7.0|\
            Variable Y 7.1|Relation b|Variable X 10.0|Word count|Relation c|Variable X 13.1|Parameter q|Word lower|\
            Variable X|Variable Y|Relation d|Relation b";
        assert_eq!(shown.join("|"), expected);
        let items: Vec<_> =
            outline.items.iter().map(|it| (it.kind, it.name.as_str(), it.doc.as_str())).collect();
        assert_eq!(
            items,
            [
                (ItemKind::Declaration, "a", "Doc"),
                (ItemKind::Type, "T", ""),
                (ItemKind::Rule, "a", "{X}"),
                (ItemKind::Rule, "b", ""),
            ]
        );
        assert_eq!(
            outline.items[0].columns,
            [("x".to_owned(), "T".to_owned()), ("y".to_owned(), String::new())]
        );
        for end in 0..text.len() {
            let _ = Outline::of(&text[..end]);
        }
    }
}
