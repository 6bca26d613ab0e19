//! YAML text that ends where nothing comes of it.
//!
//! The parser has no bounds of its own: it would go through a string, a comment or a
//! flow collection of any length before it says anything. This text counts what is
//! taken from it and ends early when too much was, until it is told to go on.

use std::cell::Cell;
use std::rc::Rc;

use saphyr_parser::input::SkipTabs;
use saphyr_parser::{Input, StrInput};

/// How many characters may still be taken; shared by a text and who reads it.
#[derive(Debug, Clone)]
pub(super) struct Allowance {
    left: Rc<Cell<usize>>,
    most: usize,
}

impl Allowance {
    /// So many characters from one event to the next.
    pub(super) fn new(most: usize) -> Self {
        Allowance { left: Rc::new(Cell::new(most)), most }
    }

    /// Whether it was used up, so that the text ended early.
    pub(super) fn is_used_up(&self) -> bool {
        self.left.get() == 0
    }

    /// Something came of the text: the count starts again.
    pub(super) fn renew(&self) {
        self.left.set(self.most);
    }
}

/// A text with an allowance.
pub(super) struct Bounded<'t> {
    text: StrInput<'t>,
    allowance: Allowance,
}

impl<'t> Bounded<'t> {
    pub(super) fn new(text: &'t str, allowance: Allowance) -> Self {
        Bounded { text: StrInput::new(text), allowance }
    }

    #[inline]
    fn took(&mut self, count: usize) {
        let left = self.allowance.left.get().saturating_sub(count);
        self.allowance.left.set(left);
        if left == 0 {
            let ahead = self.text.buflen();
            self.text = StrInput::new("");
            self.text.lookahead(ahead);
        }
    }
}

/// What takes from the text is counted; all else is the text's own, which is faster than
/// what the trait would do by itself.
impl Input for Bounded<'_> {
    #[inline]
    fn raw_read_ch(&mut self) -> char {
        let c = self.text.raw_read_ch();
        self.took(1);
        c
    }

    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        let c = self.text.raw_read_non_breakz_ch();
        self.took(usize::from(c.is_some()));
        c
    }

    #[inline]
    fn skip(&mut self) {
        self.text.skip();
        self.took(1);
    }

    #[inline]
    fn skip_n(&mut self, count: usize) {
        self.text.skip_n(count);
        self.took(count);
    }

    fn skip_ws_to_eol(&mut self, tabs: SkipTabs) -> (usize, Result<SkipTabs, &'static str>) {
        let skipped = self.text.skip_ws_to_eol(tabs);
        self.took(skipped.0);
        skipped
    }

    fn skip_while_non_breakz(&mut self) -> usize {
        let count = self.text.skip_while_non_breakz();
        self.took(count);
        count
    }

    fn skip_while_blank(&mut self) -> usize {
        let count = self.text.skip_while_blank();
        self.took(count);
        count
    }

    fn fetch_while_is_alpha(&mut self, out: &mut String) -> usize {
        let count = self.text.fetch_while_is_alpha(out);
        self.took(count);
        count
    }

    fn fetch_while_is_yaml_non_space(&mut self, out: &mut String) -> usize {
        let count = self.text.fetch_while_is_yaml_non_space(out);
        self.took(count);
        count
    }

    #[inline]
    fn lookahead(&mut self, count: usize) {
        self.text.lookahead(count);
    }

    #[inline]
    fn buflen(&self) -> usize {
        self.text.buflen()
    }

    #[inline]
    fn bufmaxlen(&self) -> usize {
        self.text.bufmaxlen()
    }

    #[inline]
    fn peek(&self) -> char {
        self.text.peek()
    }

    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        self.text.peek_nth(n)
    }

    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.text.peek_opt()
    }

    #[inline]
    fn next_2_are(&self, first: char, second: char) -> bool {
        self.text.next_2_are(first, second)
    }

    #[inline]
    fn next_3_are(&self, first: char, second: char, third: char) -> bool {
        self.text.next_3_are(first, second, third)
    }

    #[inline]
    fn next_is_document_indicator(&self) -> bool {
        self.text.next_is_document_indicator()
    }

    #[inline]
    fn next_is_document_start(&self) -> bool {
        self.text.next_is_document_start()
    }

    #[inline]
    fn next_is_document_end(&self) -> bool {
        self.text.next_is_document_end()
    }

    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        self.text.next_can_be_plain_scalar(in_flow)
    }

    #[inline]
    fn next_is_blank_or_break(&self) -> bool {
        self.text.next_is_blank_or_break()
    }

    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        self.text.next_is_blank_or_breakz()
    }

    #[inline]
    fn next_is_blank(&self) -> bool {
        self.text.next_is_blank()
    }

    #[inline]
    fn next_is_break(&self) -> bool {
        self.text.next_is_break()
    }

    #[inline]
    fn next_is_breakz(&self) -> bool {
        self.text.next_is_breakz()
    }

    #[inline]
    fn next_is_z(&self) -> bool {
        self.text.next_is_z()
    }

    #[inline]
    fn next_is_flow(&self) -> bool {
        self.text.next_is_flow()
    }

    #[inline]
    fn next_is_digit(&self) -> bool {
        self.text.next_is_digit()
    }

    #[inline]
    fn next_is_alpha(&self) -> bool {
        self.text.next_is_alpha()
    }
}
