//! A sign and a colour for each word that the rules have for how a daemonset stands.

/// The sign and the class of colour of a word. One that is new to us gets a question mark.
pub(super) fn sign(word: &str) -> (&'static str, &'static str) {
    match word {
        "wrongly there" => ("!", "wrong"),
        "missing" => ("–", "missing"),
        "failed" => ("✗", "failed"),
        "ending" => ("↓", "ending"),
        "pending" => ("…", "pending"),
        "starting" => ("○", "starting"),
        "held" => ("‖", "held"),
        "old version" => ("↺", "old"),
        "blocked" => ("⊘", "blocked"),
        "left alone" => ("~", "alone"),
        "runs" => ("✓", "runs"),
        "not wanted" => ("·", "none"),
        _ => ("?", "alone"),
    }
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn no_two_words_of_the_rules_have_one_sign() {
        let rules = include_str!("../../../rules/picture.dl");
        let words = rules.lines().filter_map(|line| line.strip_prefix("standing(")?.split('"').nth(1));
        let signs: Vec<_> = words.map(sign).collect();
        let different: std::collections::BTreeSet<_> = signs.iter().collect();
        assert_eq!((signs.len(), different.len()), (12, 12));
        assert!(!different.contains(&sign("a word of nobody")));
    }
}
