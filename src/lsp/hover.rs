//! What is shown of the name under the pointer: its declaration, what it says, and the
//! sentences of its rules.

use super::names::Meaning;
use super::project::Project;
use crate::datalog::{Item, ItemKind, Mention, Named, Sort, words};

/// So many sentences are shown.
const MOST: usize = 8;

/// Markdown about a mention.
pub(super) fn hover(project: &Project, document: usize, mention: &Mention) -> Option<String> {
    match project.meaning(document, mention) {
        Some(Meaning::Item { document, item }) => Some(of_item(project, document, item)),
        Some(Meaning::Variable { item, name, .. }) => of_variable(project, document, item, &name),
        None if mention.named == Named::Word => word(&mention.name).map(str::to_owned),
        None => None,
    }
}

fn of_item(project: &Project, document: usize, item: usize) -> String {
    let home = &project.documents[document];
    let item = &home.outline.items[item];
    let code = home.text.get(item.at.clone()).unwrap_or("");
    let mut out = format!("```dsrules\n{code}\n```\n");
    if !item.doc.is_empty() {
        out.push_str(&format!("\n{}\n", item.doc));
    }
    let sentences = sentences(project, document, item);
    if !sentences.is_empty() {
        out.push_str("\nIt holds where\n\n");
        out.extend(sentences.iter().take(MOST).map(|sentence| format!("- {sentence}\n")));
        if sentences.len() > MOST {
            out.push_str(&format!("- … and {} more\n", sentences.len() - MOST));
        }
    }
    let line = home.text.get(..item.at.start).unwrap_or("").matches('\n').count() + 1;
    let file = home.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let place = if home.builtin { format!("built in, {}", home.path.display()) } else { file };
    out.push_str(&format!("\n*{place}:{line}*\n"));
    out
}

/// The sentences of the rules that derive a relation, each once.
fn sentences(project: &Project, document: usize, declared: &Item) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    if declared.kind != ItemKind::Declaration {
        return sentences;
    }
    for (other, it) in project.documents.iter().enumerate() {
        for rule in
            it.outline.items.iter().filter(|item| item.kind == ItemKind::Rule && item.name == declared.name)
        {
            let meant = project.declaration(other, Named::Relation, &rule.name, None);
            let is_it = matches!(meant, Some(Meaning::Item { document: found, .. }) if found == document);
            let sentence = rule.doc.replace('\n', " ");
            if is_it && !sentence.is_empty() && !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
    }
    sentences
}

fn of_variable(project: &Project, document: usize, item: usize, name: &str) -> Option<String> {
    let (declared, at) = project.column(document, item, name)?;
    let (column, ty) = declared.columns.get(at)?;
    Some(format!("```dsrules\n{name}: {ty}\n```\n\nthe column `{column}` of `{}`\n", declared.name))
}

/// What a word of the language is for.
pub(super) fn word(name: &str) -> Option<&'static str> {
    WORDS.iter().find(|(word, _)| *word == name).map(|(_, says)| *says).or_else(|| {
        let (_, sort) = words().find(|(word, _)| *word == name)?;
        Some(match sort {
            Sort::Directive => "a directive",
            Sort::Qualifier => "says what the relation is for",
            Sort::Keyword => "a word of the language",
            Sort::Aggregate => "one value of many",
            Sort::Function => "a function",
            Sort::Test => "a comparison of texts",
        })
    })
}

const WORDS: &[(&str, &str)] = &[
    ("decl", "`.decl name(column: Type, …)` declares a relation"),
    ("type", "`.type Name` declares a type"),
    ("input", "filled with facts: `name(...).` in a rule file, or `facts/name.csv`"),
    ("output", "derived, and asked for from outside"),
    ("open", "rules of your own may derive more of it"),
    ("violation", "each row refuses the plan"),
    ("warning", "each row is told, and the plan goes on"),
    ("unique", "`unique(column, …)`: no two rows have the same values there"),
    (
        "param",
        "`.param name: number = 2` declares a number or a text that can be set without touching the rules",
    ),
    (
        "overload",
        "`.overload name(one, other)`: one name for relations that differ in the type of their first column",
    ),
    ("include", "`.include \"file.dl\"` reads another file, relative to this one"),
    ("in", "`X in [\"a\", \"b\"]`: X is one of these"),
    ("not", "`X not in [\"a\", \"b\"]`: X is none of these"),
    ("of", "`10% of Total`: `Total * 10 / 100`, cut off towards zero"),
    ("count", "`N = count : { body }`: in how many ways the body holds"),
    ("sum", "`N = sum X : { body }`: X of each way in which the body holds, added up"),
    ("min", "`N = min X : { body }`: the least X; no row if the body does not hold"),
    ("max", "`N = max X : { body }`: the greatest X; no row if the body does not hold"),
    ("mean", "`N = mean X : { body }`: X of each way in which the body holds, on average"),
    (
        "first",
        "`first 2 Node by Created desc, Node : { body }`: the first of each group, in the order of the keys",
    ),
    ("by", "what `first` puts in order"),
    ("desc", "the greatest comes first"),
    ("lower", "`lower(Text)`: the text in lower case"),
    ("length", "`length(Text)`: how many characters it has"),
    ("split", "`split(Text, \"/\", I)`: the part of that number, from 0, or from the end, from -1"),
    ("to_number", "`to_number(Text)`: the whole number that it writes"),
    ("to_cpu", "`to_cpu(Text)`: thousandths of a CPU, as `500m` or `1.5`"),
    ("to_amount", "`to_amount(Text)`: whole units, as `64Mi` or `3`"),
    ("to_seconds", "`to_seconds(Text)`: seconds, as `90s`, `1h` or `90`"),
    ("to_time", "`to_time(Text)`: seconds of Unix time, as `2026-12-24T18:00Z`"),
    ("version", "`version(Text)`: a version, to be compared"),
    ("starts_with", "`starts_with(Text, Other)`; `!` may stand in front of it"),
    ("ends_with", "`ends_with(Text, Other)`; `!` may stand in front of it"),
    ("contains", "`contains(Text, Other)`; `!` may stand in front of it"),
    ("matches", "`matches(Text, \"^a.*z$\")`: the regular expression finds something in the text"),
];
