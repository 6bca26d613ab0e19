//! The parser of rule bodies: what stands behind `:-`.
//!
//! `;` is an or of what `,` joins. A body is handed on as the ways in which it may hold,
//! so nothing behind the parser knows of `;`. Parentheses may stand in each other, to a
//! depth that cannot exhaust the stack.

use super::expression::{Arithmetic, Operator};
use super::functions::{Function, Version};
use super::lexer::Token;
use super::parser::Parser;
use super::syntax::{RawAtom, RawExpression, RawLiteral, RawTerm};
use super::ways::joined;

/// The longest rule body, in literals.
const MAX_BODY: usize = 64;
/// So many ways may a body hold.
const MAX_WAYS: usize = 64;
/// The most values in an expression.
const MAX_VALUES: usize = 16;
/// The most values in a list.
const MAX_LIST: usize = 256;
/// More arguments than this are not even read.
const MAX_ARGUMENTS: usize = 64;
/// Parentheses stand in each other no deeper.
const MAX_DEPTH: usize = 16;
/// The end of a parenthesis is looked for so many tokens ahead.
const MAX_AHEAD: usize = 512;

const COMPARISONS: [(&str, Operator); 6] = [
    ("=", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<", Operator::Less),
    ("<=", Operator::AtMost),
    (">", Operator::Greater),
    (">=", Operator::AtLeast),
];

const SIGNS: [(&str, Arithmetic); 5] = [
    ("+", Arithmetic::Add),
    ("-", Arithmetic::Subtract),
    ("*", Arithmetic::Multiply),
    ("/", Arithmetic::Divide),
    ("%", Arithmetic::Modulo),
];

/// Parts joined with `,`, for each way in which they may hold.
type Ways = Vec<Vec<RawLiteral>>;

impl Parser<'_> {
    /// A whole body.
    pub(super) fn body(&mut self) -> Option<Ways> {
        self.either(0)
    }

    pub(super) fn either(&mut self, depth: usize) -> Option<Ways> {
        let start = self.span();
        let mut ways = self.all(depth)?;
        while self.take(";") {
            ways.extend(self.all(depth)?);
            self.few_ways(ways.len(), start)?;
        }
        Some(ways)
    }

    fn all(&mut self, depth: usize) -> Option<Ways> {
        let mut ways: Ways = vec![Vec::new()];
        loop {
            let start = self.span();
            let next = if self.is_group() { self.group(depth)? } else { vec![vec![self.literal(depth)?]] };
            self.few_ways(ways.len() * next.len(), start)?;
            ways = joined(ways, &next);
            if ways.iter().any(|way| way.len() > MAX_BODY) {
                self.fault(
                    "rule-too-long",
                    format!("a rule has more than {MAX_BODY} parts"),
                    "split it with a relation of its own",
                    start,
                );
                return None;
            }
            if !self.take(",") {
                return Some(ways);
            }
        }
    }

    fn few_ways(&mut self, ways: usize, start: super::source::Span) -> Option<()> {
        if ways <= MAX_WAYS {
            return Some(());
        }
        self.fault(
            "rule-too-long",
            format!("a rule may hold in more than {MAX_WAYS} ways by its `;`"),
            "give the parts with `;` a relation of their own; `X in [\"a\", \"b\"]` compares with many values",
            start,
        );
        None
    }

    /// `(a, b; c)`
    fn group(&mut self, depth: usize) -> Option<Ways> {
        self.deep(depth)?;
        self.take("(");
        let ways = self.either(depth + 1)?;
        self.need(")", "`,`, `;` or `)`")?;
        Some(ways)
    }

    pub(super) fn deep(&mut self, depth: usize) -> Option<()> {
        if depth < MAX_DEPTH {
            return Some(());
        }
        self.fault(
            "rule-too-long",
            format!("parentheses stand in each other more than {MAX_DEPTH} deep"),
            "split the rule with a relation of its own",
            self.span(),
        );
        None
    }

    /// Whether a `(` that comes next holds parts of a body, not of an expression.
    fn is_group(&self) -> bool {
        *self.token() == Token::Mark("(") && !self.goes_on_behind(self.at)
    }

    /// Whether what stands in the parentheses that open at a token is a value: a sign or a
    /// comparison follows.
    fn goes_on_behind(&self, open: usize) -> bool {
        self.behind(open).is_some_and(|at| self.goes_on(at))
    }

    /// Whether a mark stands behind the parentheses that open at a token.
    fn is_behind(&self, open: usize, wanted: &str) -> bool {
        let token = self.behind(open).and_then(|at| self.tokens.get(at));
        matches!(token, Some((Token::Mark(mark), _)) if *mark == wanted)
    }

    /// What stands behind the parentheses that open at a token.
    fn behind(&self, open: usize) -> Option<usize> {
        let mut depth = 0;
        for (at, (token, _)) in self.tokens.iter().enumerate().skip(open).take(MAX_AHEAD) {
            match token {
                Token::Mark("(") => depth += 1,
                Token::Mark(")") if depth <= 1 => return Some(at + 1),
                Token::Mark(")") => depth -= 1,
                Token::Mark(":-") | Token::End => return None,
                _ => {}
            }
        }
        None
    }

    fn goes_on(&self, at: usize) -> bool {
        match self.tokens.get(at) {
            Some((Token::Mark("!"), _)) => {
                matches!(self.tokens.get(at + 1), Some((Token::Name(name), _)) if name == "in")
            }
            Some((Token::Mark(mark), _)) => {
                COMPARISONS.iter().any(|(sign, _)| sign == mark) || SIGNS.iter().any(|(sign, _)| sign == mark)
            }
            Some((Token::Name(name), _)) => matches!(name.as_str(), "in" | "not"),
            _ => false,
        }
    }

    fn literal(&mut self, depth: usize) -> Option<RawLiteral> {
        if self.first_here() {
            self.deep(depth)?;
            return self.first(depth);
        }
        let call = self.is_ahead(1, "(");
        if self.take("!") {
            if let Token::Name(name) = self.token()
                && self.is_ahead(1, "(")
                && let Some(test) = self.asks(name)
            {
                return self.text_test(test, false, depth);
            }
            return Some(RawLiteral::Negative(self.atom("a relation behind `!`")?));
        }
        match self.token() {
            Token::Name(_) if self.is_ahead(1, "::") => Some(RawLiteral::Positive(self.atom("a relation")?)),
            Token::Name(_) if call && self.goes_on_behind(self.at + 1) => self.comparison(depth),
            // `sum (A + B) : { … }`, and no relation that is named `sum`.
            Token::Name(_) if call && self.aggregate_here().is_some() && self.is_behind(self.at + 1, ":") => {
                self.comparison(depth)
            }
            Token::Name(name) if call => match self.asks(name) {
                Some(test) => self.text_test(test, true, depth),
                None => Some(RawLiteral::Positive(self.atom("a relation")?)),
            },
            _ => self.comparison(depth),
        }
    }

    /// `lower(T)`, `split(T, "/", 0)`
    fn call(&mut self, depth: usize, values: &mut usize) -> Option<RawExpression> {
        let (name, span) = self.name("a function")?;
        let Some((_, function)) = Function::ALL.into_iter().find(|(known, _)| *known == name) else {
            self.fault(
                "unknown-function",
                format!("there is no function `{name}`"),
                "there are `lower`, `length`, `split`, `to_number`, `to_cpu`, `to_amount`, `to_seconds`, `to_time`, `version`, `minute_in`, `weekday_in`, `date_in` and `as`; a relation stands by itself",
                span,
            );
            return None;
        };
        self.deep(depth)?;
        self.take("(");
        let mut items = Vec::new();
        while !self.take(")") {
            if !items.is_empty() {
                self.need(",", "`,` or `)`")?;
            }
            // The type behind `as` is no value.
            if function == Function::As && items.len() == 1 {
                let (ty, span) = self.qualified("a type")?;
                items.push(RawExpression::Term(RawTerm::Text(ty), span));
                continue;
            }
            items.push(self.joined(1, depth + 1, values)?);
        }
        let wanted = function.takes().len();
        if items.len() != wanted {
            self.fault(
                "wrong-arity",
                format!(
                    "`{name}` takes {wanted} value{}, here are {}",
                    if wanted == 1 { "" } else { "s" },
                    items.len()
                ),
                function.written(),
                span,
            );
            return None;
        }
        Some(RawExpression::Call(function, items, span.to(self.last_span())))
    }

    fn comparison(&mut self, depth: usize) -> Option<RawLiteral> {
        let start = self.span();
        let left = self.expression(depth)?;
        let found = COMPARISONS.iter().find(|(sign, _)| self.take(sign));
        let (operator, right) = match found {
            Some((_, operator)) => (*operator, self.expression(depth)?),
            None => match self.membership() {
                Some(operator) => (operator, self.list()?),
                None => {
                    // A word alone is more likely a mistake than half of a comparison.
                    if let RawExpression::Term(RawTerm::Parameter(name), span) = &left {
                        self.no_value(name, *span);
                        return None;
                    }
                    self.expected(match left {
                        RawExpression::Term(..) => "a comparison (`=`, `<`, …)",
                        _ => "`=`, `!=`, `<`, `<=`, `>` or `>=`",
                    });
                    return None;
                }
            },
        };
        Some(RawLiteral::Comparison { left, operator, right, span: start.to(self.last_span()) })
    }

    /// `in`, `not in` or `!in`
    fn membership(&mut self) -> Option<Operator> {
        let is = |at: usize, word: &str| matches!(self.tokens.get(at), Some((Token::Name(name), _)) if name == word);
        let not = *self.token() == Token::Mark("!") || is(self.at, "not");
        if !is(self.at + usize::from(not), "in") {
            return None;
        }
        self.at += 1 + usize::from(not);
        Some(if not { Operator::NotIn } else { Operator::In })
    }

    fn list(&mut self) -> Option<RawExpression> {
        let start = self.span();
        self.need("[", "`[` and the values to compare with")?;
        let mut items = Vec::new();
        loop {
            items.push(self.value(MAX_DEPTH - 1, &mut 0)?);
            if items.len() > MAX_LIST {
                self.fault(
                    "rule-too-long",
                    format!("a list has more than {MAX_LIST} values"),
                    "put the values into a relation: `.decl listed(value: Value) input`",
                    start,
                );
                return None;
            }
            if self.take("]") {
                return Some(RawExpression::List(items));
            }
            self.need(",", "`,` or `]`")?;
        }
    }

    pub(super) fn atom(&mut self, what: &str) -> Option<RawAtom> {
        let (name, name_span) = self.qualified(what)?;
        let last = name.rsplit("::").next().unwrap_or(&name);
        if !last.starts_with(|c: char| c.is_ascii_lowercase()) {
            self.fault(
                "relation-name",
                format!("`{name}` is no name of a relation"),
                "relations start with a lower-case letter, variables with a capital one",
                name_span,
            );
            return None;
        }
        self.need("(", "`(` and the arguments of the relation")?;
        let mut terms = Vec::new();
        while !self.take(")") {
            if !terms.is_empty() {
                self.need(",", "`,` or `)`")?;
            }
            let start = self.span();
            if terms.len() >= MAX_ARGUMENTS {
                self.fault(
                    "too-many-columns",
                    format!("`{name}` has more than {MAX_ARGUMENTS} arguments"),
                    "a relation has at most 8 columns",
                    start,
                );
                return None;
            }
            let term = self.term(true)?;
            terms.push((term, start.to(self.last_span())));
            if SIGNS.iter().any(|(sign, _)| *self.token() == Token::Mark(sign)) {
                self.fault(
                    "syntax",
                    "arithmetic stands in comparisons only, not in relations".to_owned(),
                    "name the value in the body and use the name here: `Later = T + 60`",
                    self.span(),
                );
                return None;
            }
        }
        Some(RawAtom { name, name_span, terms, span: name_span.to(self.last_span()) })
    }

    fn expression(&mut self, depth: usize) -> Option<RawExpression> {
        let mut values = 0;
        self.joined(1, depth, &mut values)
    }

    /// Values joined by signs that bind at least so tightly.
    pub(super) fn joined(&mut self, strength: u8, depth: usize, values: &mut usize) -> Option<RawExpression> {
        let mut left = self.value(depth, values)?;
        loop {
            let sign = SIGNS
                .iter()
                .find(|(sign, it)| it.strength() >= strength && *self.token() == Token::Mark(sign));
            let Some((_, sign)) = sign else { return Some(left) };
            self.at += 1;
            let right = self.joined(sign.strength() + 1, depth, values)?;
            left = RawExpression::Binary(Box::new(left), *sign, Box::new(right));
        }
    }

    fn value(&mut self, depth: usize, values: &mut usize) -> Option<RawExpression> {
        let start = self.span();
        let is_number = |at: usize| matches!(self.tokens.get(at), Some((Token::Number(_), _)));
        if *self.token() == Token::Mark("-") && !is_number(self.at + 1) {
            self.deep(depth)?;
            self.at += 1;
            return Some(RawExpression::Negate(Box::new(self.value(depth + 1, values)?)));
        }
        if *self.token() == Token::Mark("(") {
            self.deep(depth)?;
            self.at += 1;
            let inner = self.joined(1, depth + 1, values)?;
            self.need(")", "a sign (`+`, `*`, …) or `)`")?;
            return Some(inner);
        }
        if let Some(aggregate) = self.aggregate_here() {
            return self.aggregate(aggregate, depth, values);
        }
        if let Token::Name(_) = self.token()
            && matches!(self.tokens.get(self.at + 1), Some((Token::Mark("("), _)))
        {
            return self.call(depth, values);
        }
        if let Token::Version(text) = self.token().clone() {
            self.at += 1;
            if Version::read(&text).is_none() {
                self.fault(
                    "bad-version",
                    format!("`{text}` is no version"),
                    "a version begins with a number: `v\"5.10.3\"`",
                    start,
                );
                return None;
            }
            let text = RawExpression::Term(RawTerm::Text(text), start);
            return Some(RawExpression::Call(Function::Version, vec![text], start));
        }
        if self.is_percent() {
            return self.percent(depth, values);
        }
        let term = self.term(false)?;
        *values += 1;
        if *values > MAX_VALUES {
            self.fault(
                "rule-too-long",
                format!("an expression has more than {MAX_VALUES} values"),
                "name a part of it: `Part = A + B`",
                start,
            );
            return None;
        }
        let span = start.to(self.last_span());
        let written = self.slice(span);
        Some(match term {
            RawTerm::Number(number) if written.ends_with(|c: char| c.is_ascii_alphabetic()) => {
                RawExpression::Written(number, written, span)
            }
            term => RawExpression::Term(term, span),
        })
    }

    fn is_percent(&self) -> bool {
        let at = |at: usize| self.tokens.get(self.at + at).map(|(token, _)| token);
        at(1) == Some(&Token::Mark("%")) && matches!(at(2), Some(Token::Name(name)) if name == "of")
    }

    /// `10% of X`: `X * 10 / 100`, cut off towards zero.
    fn percent(&mut self, depth: usize, values: &mut usize) -> Option<RawExpression> {
        let (start, number) = (self.span(), self.term(false)?);
        self.deep(depth)?;
        self.at += 2;
        let span = start.to(self.last_span());
        let whole = Box::new(self.value(depth + 1, values)?);
        let [number, hundred] =
            [number, RawTerm::Number(100)].map(|it| Box::new(RawExpression::Term(it, span)));
        let product = RawExpression::Binary(whole, Arithmetic::Multiply, number);
        Some(RawExpression::Binary(Box::new(product), Arithmetic::Divide, hundred))
    }

    fn no_value(&mut self, name: &str, span: super::source::Span) {
        let message = format!("`{name}` is neither a variable nor a constant");
        let help = match name {
            "not" => "`!` in front of a relation says not",
            "first" => "`first 2 Node by Created : { … }`: how many, a variable, and what to order by",
            _ => "variables start with a capital letter, texts stand in quotes",
        };
        self.fault("syntax", message, help, span);
    }

    pub(super) fn term(&mut self, any: bool) -> Option<RawTerm> {
        let minus = self.take("-");
        let term = match self.token().clone() {
            Token::Number(number) => RawTerm::Number(if minus { -number } else { number }),
            _ if minus => {
                self.expected("a number behind `-`");
                return None;
            }
            Token::Text(text) => RawTerm::Text(text),
            Token::Mark("_") if any => RawTerm::Any,
            Token::Name(name) if name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') => {
                RawTerm::Variable(name)
            }
            Token::Name(name) if matches!(&*name, "not" | "first") => {
                self.no_value(&name, self.span());
                return None;
            }
            Token::Name(name) => {
                self.words += 1;
                RawTerm::Parameter(name)
            }
            _ => {
                self.expected(if any { "a variable, a constant or `_`" } else { "a variable or a constant" });
                return None;
            }
        };
        self.at += 1;
        Some(term)
    }
}
