//! The words of the language: for editors, which colour and complete them.

use super::aggregate::Aggregate;
use super::declare::QUALIFIERS;
use super::functions::{Function, TextTest};

/// What a word is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// Behind a full stop at the start of a line.
    Directive,
    /// Behind a declaration.
    Qualifier,
    /// In a body, as `in`.
    Keyword,
    /// One value of many.
    Aggregate,
    /// A value of values.
    Function,
    /// A comparison of texts.
    Test,
}

const DIRECTIVES: [&str; 4] = ["decl", "type", "param", "overload"];
const KEYWORDS: [&str; 6] = ["in", "not", "of", "first", "by", "desc"];

/// All words, each with what it is for.
pub fn words() -> impl Iterator<Item = (&'static str, Sort)> {
    let of = |sort: Sort| move |name: &'static str| (name, sort);
    let directives = DIRECTIVES.into_iter().map(of(Sort::Directive));
    let qualifiers = QUALIFIERS.into_iter().map(of(Sort::Qualifier));
    let keywords = KEYWORDS.into_iter().map(of(Sort::Keyword));
    let aggregates = Aggregate::ALL.into_iter().map(|(name, _)| (name, Sort::Aggregate));
    let functions = Function::ALL.into_iter().map(|(name, _)| (name, Sort::Function));
    let tests = TextTest::ALL.into_iter().map(|(name, _)| (name, Sort::Test));
    directives.chain(qualifiers).chain(keywords).chain(aggregates).chain(functions).chain(tests)
}

/// What a word is for, if it is one of the language.
pub(super) fn sort_of(name: &str) -> Option<Sort> {
    words().find(|(word, _)| *word == name).map(|(_, sort)| sort)
}
