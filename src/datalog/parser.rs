//! Tokens into items: types, declarations and rules as they were written.
//!
//! Names are not looked up here. After a mistake the parser goes on behind the next
//! full stop that ends a line, or at the next directive, so one run shows all mistakes
//! of a text. What stands behind `:-` is read in `body`.

use super::aggregate::Aggregate;
use super::expression::Term;
use super::functions::TextTest;
use super::lexer::{Fault, MAX_FAULTS, MAX_NAME, Token, tokens};
use super::source::Span;
use super::syntax::{
    Items, RawColumn, RawDeclaration, RawLiteral, RawOverload, RawParameter, RawRule, RawTerm, RawType,
};

/// Words that a parameter cannot be named after, beside those of aggregates.
const WORDS: [&str; 8] = ["as", "asc", "by", "desc", "first", "in", "not", "of"];

/// Reads a whole text. Where a relation may stand, `taken` are relations and no questions
/// about texts. Behind what is `typed` a query may follow, which is left alone.
pub(super) fn parse(source: u32, text: &str, taken: Vec<TextTest>, typed: bool) -> Items {
    let (tokens, faults) = tokens(source, text);
    let items = Items { faults, ..Items::default() };
    let mut parser = Parser { text, tokens, at: 0, items, docs: Vec::new(), words: 0, taken, query: false };
    parser.items(typed);
    let mut items = parser.items;
    // One mistake often breaks more than one thing on its line: the first one is told.
    items.faults.sort_by_key(|fault| fault.span);
    let line = |fault: &Fault| {
        text.get(..fault.span.start as usize).map_or(0, |before| before.rfind('\n').map_or(0, |at| at + 1))
    };
    items.faults.dedup_by_key(|fault| line(fault));
    items
}

/// The questions about texts that a text declares as relations.
pub(super) fn declared_tests(text: &str) -> impl Iterator<Item = TextTest> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(".decl")).filter_map(|declared| {
        let name = declared.trim_start().split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
        TextTest::ALL.iter().find(|(known, _)| name == Some(known)).map(|(_, test)| *test)
    })
}

/// Reads a rule body alone, as a query: the ways in which it may hold. It stands behind `?-`
/// where rules stand before it.
pub(super) fn parse_body(source: u32, text: &str) -> (Vec<Vec<RawLiteral>>, Vec<Fault>) {
    let (tokens, faults) = tokens(source, text);
    let items = Items { faults, ..Items::default() };
    let asks = tokens.iter().position(|(token, _)| *token == Token::Mark("?-"));
    let at = asks.map_or(0, |at| at + 1);
    let is_rule = |token: &Token| matches!(token, Token::Directive(_) | Token::Mark(":-"));
    let rule = tokens[at..].iter().find(|(token, _)| is_rule(token)).map(|(_, span)| *span);
    let taken = Vec::new();
    let mut parser = Parser { text, tokens, at, items, docs: Vec::new(), words: 0, taken, query: true };
    let mut ways = Vec::new();
    if let Some(span) = rule {
        let message = "there is a rule, and no query behind it".to_owned();
        let help = "ask behind `?-`: `far(N) :- node_label(N, \"far\", _). ?- far(N)`";
        parser.fault("no-query", message, help, span);
    } else if *parser.token() == Token::End && parser.items.faults.is_empty() {
        let help = "write the body of a rule: `eligible(D, \"n1\"), !has_pod(D, \"n1\")`";
        parser.fault("no-query", "nothing is asked".to_owned(), help, parser.span());
    } else if let Some(found) = parser.body() {
        ways = found;
        parser.take(".");
        if *parser.token() != Token::End {
            parser.expected("`,` or the end of the query");
        }
    }
    (ways, parser.items.faults)
}

pub(super) struct Parser<'a> {
    text: &'a str,
    pub(super) tokens: Vec<(Token, Span)>,
    pub(super) at: usize,
    items: Items,
    docs: Vec<(String, Span)>,
    /// How many names were met that may be ones of parameters.
    pub(super) words: usize,
    taken: Vec<TextTest>,
    /// Whether it is a query that is read.
    query: bool,
}

impl Parser<'_> {
    pub(super) fn token(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn span(&self) -> Span {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(
            // Never met: the lexer always ends with `End`.
            Span { source: 0, start: 0, end: 0 },
            |(_, span)| *span,
        )
    }

    /// Whether a mark stands so many tokens ahead.
    pub(super) fn is_ahead(&self, tokens: usize, mark: &str) -> bool {
        matches!(self.tokens.get(self.at + tokens), Some((Token::Mark(found), _)) if *found == mark)
    }

    /// The question about texts that a name stands for, if it is none of a relation here.
    pub(super) fn asks(&self, name: &str) -> Option<TextTest> {
        let (_, test) = TextTest::ALL.into_iter().find(|(known, _)| *known == name)?;
        (!self.taken.contains(&test)).then_some(test)
    }

    pub(super) fn last_span(&self) -> Span {
        self.tokens.get(self.at.saturating_sub(1)).map_or(self.span(), |(_, span)| *span)
    }

    pub(super) fn take(&mut self, mark: &str) -> bool {
        let found = matches!(self.token(), Token::Mark(found) if *found == mark);
        if found {
            self.at += 1;
        }
        found
    }

    pub(super) fn fault(&mut self, code: &'static str, message: String, help: &'static str, span: Span) {
        if self.items.faults.len() < MAX_FAULTS {
            self.items.faults.push(Fault { code, message, help, span });
        }
    }

    pub(super) fn expected(&mut self, what: &str) {
        let (last, mut span) = (self.last_span(), self.span());
        let found = match self.token() {
            Token::End if self.query => "the end of the query".to_owned(),
            token => token.shown(),
        };
        let mut message = format!("expected {what}, found {found}");
        if self.at > 0 && self.between(last, span).contains('\n') {
            // What is missing is missing where the line ends, not where the next one starts.
            message = format!("expected {what} at the end of the line");
            span = Span { start: last.end, end: last.end, ..last };
        }
        let before = self.tokens.get(self.at.saturating_sub(1)).map(|(token, _)| token);
        let help = match self.token() {
            Token::Mark("=") if matches!(before, Some(Token::Mark("="))) => "equality is one `=`",
            Token::Mark(":-") => "a `)` is missing before it",
            Token::Mark(".") if matches!(before, Some(Token::Number(_))) => "a number is a whole one",
            Token::Name(_) if matches!(before, Some(Token::Text(_))) => {
                "a quote may be missing: texts stand between two `\"`"
            }
            Token::Mark("%") if self.at == 0 || before == Some(&Token::Mark(".")) => {
                "a comment starts with `//`"
            }
            Token::Mark("(") if before == Some(&Token::Mark("!")) => {
                "put `!` in front of each relation (`!a(X), !b(X)`), or give them one of their own and say `!` of that"
            }
            _ if matches!(before, Some(Token::Name(word)) if word == "in") => {
                "values stand in brackets: `Zone in [\"a\", \"b\"]`"
            }
            Token::Mark("]") => "a list has at least one value: `Zone in [\"a\", \"b\"]`",
            Token::Mark(")") if before == Some(&Token::Mark(";")) => {
                "a part of the rule is missing behind `;`"
            }
            Token::Mark(".") if what.ends_with("`;` or `)`") => "a `)` is missing before it",
            Token::Mark("?-") if what.ends_with("query") => "one query is asked at a time",
            Token::End if self.query && what.contains('`') => "it ends too early: put there what is missing",
            Token::End if self.query => {
                "a part of the query is missing there, or what stands before it is too much"
            }
            Token::End | Token::Directive(_) | Token::Doc(_) | Token::Mark("?-") => "a rule ends with `.`",
            _ => "a rule is `head(X) :- body(X, Y), !other(Y), X < Y.`",
        };
        self.fault("syntax", message, help, span);
    }

    pub(super) fn slice(&self, span: Span) -> String {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("").to_owned()
    }

    fn between(&self, before: Span, behind: Span) -> &str {
        self.text.get(before.end as usize..behind.start as usize).unwrap_or("")
    }

    /// As `take`, with an error when it is not there.
    pub(super) fn need(&mut self, mark: &str, what: &str) -> Option<()> {
        if self.take(mark) {
            return Some(());
        }
        self.expected(what);
        None
    }

    pub(super) fn name(&mut self, what: &str) -> Option<(String, Span)> {
        if let Token::Name(name) = self.token() {
            let found = (name.clone(), self.span());
            self.at += 1;
            return Some(found);
        }
        self.expected(what);
        None
    }

    /// As `name`, perhaps with a module in front.
    pub(super) fn qualified(&mut self, what: &str) -> Option<(String, Span)> {
        let (name, span) = self.name(what)?;
        if !self.take("::") {
            return Some((name, span));
        }
        let (last, end) = self.name("a name behind `::`")?;
        Some((format!("{name}::{last}"), span.to(end)))
    }

    /// A word behind a declaration. The next rule may follow it without anything in between.
    fn qualifier(&mut self) -> Option<(String, Span)> {
        let opens = self.is_ahead(1, "(") || self.is_ahead(1, "::");
        if opens || !matches!(self.token(), Token::Name(_)) { None } else { self.name("") }
    }

    fn items(&mut self, typed: bool) {
        while *self.token() != Token::End {
            let start = self.at;
            if *self.token() == Token::Mark("?-") {
                if typed {
                    break;
                }
                let (message, help) = ("a query stands among rules", "ask it with `dsrules query`");
                self.fault("query-here", message.to_owned(), help, self.span());
                self.at += 1;
                self.recover(start);
                continue;
            }
            let done = match self.token().clone() {
                Token::FileDoc(line) => {
                    self.at += 1;
                    self.items.doc.push(line);
                    Some(())
                }
                Token::Doc(line) => {
                    self.docs.push((line, self.span()));
                    self.at += 1;
                    continue;
                }
                Token::Directive(word) => self.directive(&word),
                _ => self.rule(),
            };
            self.stray_docs();
            match done {
                Some(()) => self.items.spans.push((start, self.at)),
                None => self.recover(start),
            }
        }
        self.stray_docs();
    }

    /// The `///` lines directly over what starts here; others are noted as stray.
    fn docs_here(&mut self) -> Vec<(String, Span)> {
        let mut next = self.span().start as usize;
        let mut from = self.docs.len();
        while from > 0 {
            let span = self.docs[from - 1].1;
            let between = self.text.get(span.end as usize..next).unwrap_or("");
            if between.matches('\n').count() != 1 {
                break;
            }
            next = span.start as usize;
            from -= 1;
        }
        let here = self.docs.split_off(from);
        self.stray_docs();
        here
    }

    fn stray_docs(&mut self) {
        if let (Some(first), Some(last)) = (self.docs.first(), self.docs.last()) {
            self.items.stray.push(first.1.to(last.1));
            self.docs.clear();
        }
    }

    fn recover(&mut self, start: usize) {
        self.at = self.at.max(start + 1);
        loop {
            match self.token() {
                Token::End | Token::Directive(_) | Token::Doc(_) | Token::Mark("?-") => return,
                _ => {}
            }
            let ended = matches!(self.tokens.get(self.at - 1), Some((Token::Mark("."), _)));
            let between = self.between(self.last_span(), self.span());
            // What stands in the first column starts something new, full stop or not.
            if between.contains('\n') && (ended || between.ends_with('\n')) {
                return;
            }
            self.at += 1;
        }
    }

    fn directive(&mut self, word: &str) -> Option<()> {
        let start = self.span();
        match word {
            "type" => {
                let _docs = self.docs_here();
                self.at += 1;
                let (name, span) = self.name("the name of a type")?;
                if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
                    self.fault(
                        "type-name",
                        format!("the type `{name}` does not start with a capital letter"),
                        "types are capitalised, as `Node`; `number` is the built-in one",
                        span,
                    );
                }
                let base = if self.take("<:") { Some(self.qualified("a type")?) } else { None };
                let qualifier = self.qualifier();
                if let Some((word, span)) = qualifier.as_ref().filter(|(word, _)| word != "export") {
                    let message = format!("unknown qualifier `{word}`");
                    self.fault("unknown-qualifier", message, "a type is `export` or nothing", *span);
                }
                self.items.types.push(RawType { name, exported: qualifier.is_some(), base, span });
                self.take(".");
                Some(())
            }
            "decl" => {
                let declaration = self.named(|it, doc| it.declaration(start, doc))?;
                self.items.declarations.push(declaration);
                Some(())
            }
            // Whoever reads the files has followed it.
            "include" => {
                let _docs = self.docs_here();
                self.at += 1;
                if !matches!(self.token(), Token::Text(_)) {
                    self.expected("the path of a rule file in quotes");
                    return None;
                }
                self.at += 1;
                self.take(".");
                Some(())
            }
            "param" => {
                let parameter = self.named(|it, doc| it.parameter(start, doc))?;
                self.items.parameters.push(parameter);
                Some(())
            }
            "overload" => {
                let doc = self.docs_here().into_iter().map(|(line, _)| line).collect();
                self.at += 1;
                let (name, name_span) = self.name("the overloaded name")?;
                self.need("(", "`(`")?;
                let mut members = vec![self.name("the name of a relation")?];
                while !self.take(")") {
                    self.need(",", "`,` or `)`")?;
                    members.push(self.name("the name of a relation")?);
                }
                self.items.overloads.push(RawOverload { name, name_span, members, doc });
                Some(())
            }
            _ => {
                let shown: String = word.chars().take(MAX_NAME).collect();
                self.fault(
                    "unknown-directive",
                    format!("unknown directive `.{shown}`"),
                    match word {
                        "input" | "output" => {
                            "write it behind the declaration: `.decl rack(node: Node) input`"
                        }
                        "export" => "write it behind the declaration: `.decl rack(node: Node) export`",
                        _ => "the directives are `.type`, `.decl`, `.param` and `.include`",
                    },
                    start,
                );
                self.at += 1;
                None
            }
        }
    }

    /// What a directive declares, with the documentation over it. The name of what is wrong is
    /// kept: what uses it is not blamed too.
    fn named<T>(&mut self, declared: impl FnOnce(&mut Self, Vec<String>) -> Option<T>) -> Option<T> {
        let doc = self.docs_here().into_iter().map(|(line, _)| line).collect();
        self.at += 1;
        let name = self.token().clone();
        let it = declared(self, doc);
        if let (None, Token::Name(name)) = (&it, name) {
            self.items.broken.push(name);
        }
        it
    }

    fn declaration(&mut self, start: Span, doc: Vec<String>) -> Option<RawDeclaration> {
        let (name, name_span) = self.name("the name of a relation")?;
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            self.fault(
                "relation-name",
                format!("the relation `{name}` does not start with a lower-case letter"),
                "relations start with a lower-case letter, variables and types with a capital one",
                name_span,
            );
            return None;
        }
        self.need("(", "`(`")?;
        let mut columns = Vec::new();
        while !self.take(")") {
            if !columns.is_empty() {
                self.need(",", "`,` or `)`")?;
            }
            let (name, name_span) = self.name("the name of a column")?;
            self.need(":", "`:` and the type of the column")?;
            let (ty, ty_span) = self.qualified("a type")?;
            columns.push(RawColumn { name, ty, name_span, ty_span });
        }
        let mut span = start.to(self.last_span());
        let (mut qualifiers, mut unique) = (Vec::new(), Vec::new());
        loop {
            if matches!(self.token(), Token::Name(word) if word == "unique") && self.is_unique() {
                unique.push(self.unique()?);
                span = span.to(self.last_span());
                continue;
            }
            let Some(qualifier) = self.qualifier() else { break };
            span = span.to(qualifier.1);
            qualifiers.push(qualifier);
        }
        // Soufflé has no full stop here; who writes one means no harm.
        self.take(".");
        Some(RawDeclaration { name, name_span, columns, qualifiers, unique, doc, span })
    }

    /// Whether what comes next is `unique(column`, and no rule for a relation of that name.
    fn is_unique(&self) -> bool {
        let is_column = |token: &Token| matches!(token, Token::Name(name) if name.starts_with(|c: char| c.is_ascii_lowercase()));
        let token = |at: usize| self.tokens.get(self.at + at).map(|(token, _)| token);
        token(1) == Some(&Token::Mark("("))
            && token(2).is_some_and(|it| is_column(it) || *it == Token::Mark(")"))
    }

    /// `unique(daemonset, node)`
    fn unique(&mut self) -> Option<Vec<(String, Span)>> {
        self.at += 2;
        let mut columns = Vec::new();
        loop {
            columns.push(self.name("a column that is unique")?);
            if self.take(")") {
                return Some(columns);
            }
            self.need(",", "`,` or `)`")?;
        }
    }

    /// `quota: number = 2`
    fn parameter(&mut self, start: Span, doc: Vec<String>) -> Option<RawParameter> {
        let (name, name_span) = self.name("the name of a parameter")?;
        let is_word = WORDS.contains(&&*name) || Aggregate::ALL.iter().any(|(word, _)| *word == name);
        if is_word || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            let message = match is_word {
                true => format!("`{name}` is a word of the language"),
                false => format!("the parameter `{name}` does not start with a lower-case letter"),
            };
            let help = "write another name in lower case: `.param quota: number = 2`";
            self.fault("parameter-name", message, help, name_span);
            return None;
        }
        self.need(":", "`:` and the type of the parameter")?;
        let (ty, ty_span) = self.name("a type")?;
        let mut default = None;
        if self.take("=") {
            let start = self.span();
            let term = match self.term(false)? {
                RawTerm::Number(number) => Term::Number(number),
                RawTerm::Text(text) => Term::Text(text.into()),
                RawTerm::Variable(_) | RawTerm::Any | RawTerm::Parameter(_) => {
                    let message = "the default of a parameter is a number or a text in quotes".to_owned();
                    let help = "write `.param quota: number = 2` or `.param zone: Value = \"a\"`";
                    self.fault("syntax", message, help, start);
                    return None;
                }
            };
            default = Some((term, start.to(self.last_span())));
        }
        let span = start.to(self.last_span());
        self.take(".");
        Some(RawParameter { name, name_span, ty, ty_span, default, doc, span })
    }

    fn rule(&mut self) -> Option<()> {
        let sentence = self.docs_here();
        let (start, words) = (self.span(), self.words);
        let head = self.atom("a rule, `.type` or `.decl`")?;
        let ways = if self.take(":-") { self.body()? } else { vec![Vec::new()] };
        let is_fact = ways.iter().all(Vec::is_empty);
        self.need(".", if is_fact { "`:-` or `.`" } else { "`,`, `;` or `.`" })?;
        let span = start.to(self.last_span());
        self.items.rules.push(RawRule { head, ways, sentence, words: self.words > words, span });
        Some(())
    }
}
