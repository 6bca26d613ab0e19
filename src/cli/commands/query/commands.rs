//! What may be typed at the prompt: commands beside statements, and where a statement ends.

use dsrules::datalog::Typed;

/// What may be typed beside statements: the command, what it takes, and what it does.
pub(super) const COMMANDS: [(&str, &str, &str); 9] = [
    (":why", "ATOM", "say why a row is there, or is not: `:why eligible(\"default/agent\", \"n1\")`"),
    (
        ":relations",
        "[WORD]",
        "list the relations, or those that have a word in their name or what is said of them",
    ),
    (":show", "NAME", "show a relation with its rules, a rule by its place, or a rule file"),
    (":limit", "N|off", "show the first N answers alone"),
    (":planned", "on|off", "ask about the state that a plan leads to, or about the state there is"),
    (":forget", "", "take out the rules that were typed"),
    (":reload", "", "look again at the store or the manifests, and at the rules"),
    (":help", "", "say this"),
    (":quit", "", "end, as Ctrl-D does"),
];

/// Whether a statement ends here; if not, it goes on with the next line. An empty line ends
/// any.
pub(super) fn is_complete(text: &str) -> bool {
    let text = text.trim_start();
    text.is_empty() || text.starts_with(':') || text.ends_with('\n') || Typed::of(text).complete
}
