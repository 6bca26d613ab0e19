//! What a person types: rules, a query, or rules and a query behind them; and whether it ends
//! there or goes on with the next line.

use super::lexer::{Token, tokens};

/// What a text that is typed says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Typed {
    /// Rules or declarations.
    pub rules: bool,
    /// A query.
    pub query: bool,
    /// Whether all that is begun is ended: a rule with its full stop, a query with its line.
    pub complete: bool,
}

impl Typed {
    /// What stands in a text.
    #[must_use]
    pub fn of(text: &str) -> Typed {
        let (tokens, _) = tokens(0, text);
        let has = |mark: &'static str| tokens.iter().any(|(token, _)| *token == Token::Mark(mark));
        let first = tokens.first().map(|(token, _)| token);
        let declares = matches!(first, Some(Token::Directive(_) | Token::Doc(_)));
        let asks = has("?-");
        let rules = declares || has(":-") || asks && first != Some(&Token::Mark("?-"));
        let query = asks || !rules && tokens.len() > 1;
        let opens = |token: &Token| match token {
            Token::Mark("(" | "[" | "{") => 1,
            Token::Mark(")" | "]" | "}") => -1,
            _ => 0,
        };
        let is_open = tokens.iter().map(|(token, _)| opens(token)).sum::<i32>() > 0;
        let last = tokens.iter().rev().nth(1).map(|(token, _)| token);
        let goes_on = matches!(last, None | Some(Token::Mark("," | ";" | ":-" | "?-" | "!") | Token::Doc(_)));
        let needs_end = rules && !asks && has(":-");
        let complete = last == Some(&Token::Mark(".")) || !is_open && !goes_on && !needs_end;
        Typed { rules, query, complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_complete_or_goes_on() {
        let of = |text: &str| {
            let typed = Typed::of(text);
            let said = [(typed.rules, "rules"), (typed.query, "query"), (!typed.complete, "open")];
            said.iter().filter(|(it, _)| *it).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
        };
        for (text, expected) in [
            ("", "open"),
            ("node(N)", "query"),
            ("node(N),", "query open"),
            ("node(N", "query open"),
            ("node(\"a.\").", "query"),
            ("?- node(N)", "query"),
            (".decl far(n: Node)", "rules"),
            (".decl far(n: Node", "rules open"),
            ("far(N) :- node(N)", "rules open"),
            ("far(N) :- node(N).", "rules"),
            ("/// {N} is far.", "rules open"),
            ("far(N) :- node(N). ?-", "rules query open"),
            (".decl far(n: Node) far(N) :- node(N). ?- far(N)", "rules query"),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }
}
