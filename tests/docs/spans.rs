//! Commands that a sentence or a table names: that there are such commands, and such options.

use std::collections::BTreeMap;
use std::process::Command;

use crate::page::Page;

/// Help texts, by the words of the command.
#[derive(Default)]
pub struct Help(BTreeMap<Vec<String>, Option<String>>);

impl Help {
    /// The help of a command, if there is one.
    fn of(&mut self, words: &[&str]) -> Option<&str> {
        let key: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let text = self.0.entry(key).or_insert_with(|| {
            let output =
                Command::new(env!("CARGO_BIN_EXE_dsrules")).args(words).arg("--help").output().unwrap();
            output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
        });
        text.as_deref()
    }
}

/// What the sentences of a page name that is not there.
pub fn wrong(page: &Page, help: &mut Help) -> Vec<String> {
    let mut wrong = Vec::new();
    // A span may go on with the next line.
    for paragraph in page.prose().split("\n\n") {
        for span in paragraph.split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("dsrules ")) {
            let said = not_there(&span.split_whitespace().collect::<Vec<_>>(), help);
            wrong.extend(said.map(|it| format!("{}: `dsrules {span}`: {it}", page.name)));
        }
    }
    wrong
}

fn not_there(words: &[&str], help: &mut Help) -> Option<String> {
    let is_name =
        |word: &&&str| word.chars().all(|it| it.is_ascii_lowercase() || it == '-') && !word.starts_with('-');
    let command: Vec<&str> = words.iter().take_while(is_name).take(2).copied().collect();
    let (Some(first), two) = (command.first(), command.get(1)) else { return None };
    let has_verbs = help.of(&[first]).is_some_and(|text| text.contains("\nCommands:\n"));
    let known = match two {
        Some(second) if has_verbs => help.of(&[first, second]),
        _ => help.of(&[first]),
    };
    let Some(text) = known else { return Some("there is no such command".to_owned()) };
    let name = |word: &str| {
        word.split(['=', '[', '|']).next().unwrap().trim_end_matches([',', '.', ')', ']']).to_owned()
    };
    let options = words.iter().map(|word| word.trim_start_matches('[')).filter(|word| word.starts_with("--"));
    let mut missing = options.map(name).filter(|it| it.len() > 2 && !text.contains(&**it));
    missing.next().map(|it| format!("there is no option {it}"))
}
