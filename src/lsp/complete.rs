//! What may go on where the cursor stands: relations with their columns, the variables of
//! the rule, types, and the words of the language.

use std::collections::BTreeSet;

use lsp_types::{
    CompletionItem, CompletionItemKind, Documentation, InsertTextFormat, MarkupContent, MarkupKind,
};

use super::hover::word;
use super::names::{Meaning, distance};
use super::project::Project;
use crate::datalog::{Item, ItemKind, Named, Sort, words};

/// What may stand at a byte of a document; `snippets` are places to fill in.
pub(super) fn complete(
    project: &Project,
    document: usize,
    byte: usize,
    snippets: bool,
) -> Vec<CompletionItem> {
    let Some(home) = project.documents.get(document) else { return Vec::new() };
    let before = home.text.get(..byte).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    if in_text_or_comment(line) {
        return Vec::new();
    }
    let written = line.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
    if written.trim() == "." {
        return of_sort(&[Sort::Directive]);
    }
    // The item that is being written; behind the end of one there is none.
    let item = home
        .outline
        .item_at(byte.saturating_sub(1))
        .filter(|item| byte <= item.at.end || written.trim() != "");
    match item {
        Some(item) if item.kind != ItemKind::Rule && line.trim_start().starts_with('.') => {
            let after = written.trim_end();
            if after.ends_with(':') {
                types(project)
            } else if after.ends_with(')') || item.kind == ItemKind::Declaration && after.contains(')') {
                of_sort(&[Sort::Qualifier])
            } else {
                Vec::new()
            }
        }
        _ => {
            let mut all = variables(project, document, byte);
            all.extend(relations(project, document, snippets));
            all.extend(parameters(project));
            all.extend(of_sort(&[Sort::Keyword, Sort::Aggregate, Sort::Function, Sort::Test]));
            all
        }
    }
}

/// Whether a line that ends here is in a text or a comment.
fn in_text_or_comment(line: &str) -> bool {
    let (mut quoted, mut escaped, mut slash) = (false, false, false);
    for c in line.chars() {
        if !quoted && slash && c == '/' {
            return true;
        }
        slash = !quoted && c == '/';
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
    quoted
}

fn item(label: &str, kind: CompletionItemKind, order: u8, detail: String, says: &str) -> CompletionItem {
    let documentation = (!says.is_empty()).then(|| {
        Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: says.to_owned() })
    });
    CompletionItem {
        label: label.to_owned(),
        kind: Some(kind),
        detail: (!detail.is_empty()).then_some(detail),
        documentation,
        sort_text: Some(format!("{order}{label}")),
        ..CompletionItem::default()
    }
}

fn of_sort(sorts: &[Sort]) -> Vec<CompletionItem> {
    let wanted = words().filter(|(_, sort)| sorts.contains(sort));
    wanted
        .map(|(name, sort)| {
            let kind = match sort {
                Sort::Function | Sort::Test => CompletionItemKind::FUNCTION,
                _ => CompletionItemKind::KEYWORD,
            };
            item(name, kind, 4, String::new(), word(name).unwrap_or(""))
        })
        .collect()
}

fn types(project: &Project) -> Vec<CompletionItem> {
    let items = project.documents.iter().flat_map(|it| &it.outline.items);
    let declared = items.filter(|item| item.kind == ItemKind::Type).map(|item| item.name.as_str());
    let all: BTreeSet<&str> =
        declared.chain([crate::datalog::NUMBER]).filter(|name| !name.is_empty()).collect();
    all.into_iter().map(|name| item(name, CompletionItemKind::CLASS, 0, String::new(), "")).collect()
}

fn parameters(project: &Project) -> Vec<CompletionItem> {
    let own = project.documents.iter().filter(|it| !it.builtin).flat_map(|it| &it.outline.items);
    let named = own.filter(|it| it.kind == ItemKind::Parameter && !it.name.is_empty());
    named.map(|it| item(&it.name, CompletionItemKind::CONSTANT, 2, "parameter".to_owned(), &it.doc)).collect()
}

/// The variables of the rule, but for the one that is being written.
fn variables(project: &Project, document: usize, byte: usize) -> Vec<CompletionItem> {
    let outline = &project.documents[document].outline;
    let Some(at) = outline.items.iter().rposition(|it| it.at.start < byte) else { return Vec::new() };
    let mine = outline.mentions.iter().filter(|it| it.item == at && it.named == Named::Variable);
    let names: BTreeSet<&str> = mine.filter(|it| it.at.end != byte).map(|it| it.name.as_str()).collect();
    let typed = |name: &str| {
        let (declared, column) = project.column(document, at, name)?;
        Some(declared.columns[column].1.clone())
    };
    let shown = |name: &str| item(name, CompletionItemKind::VARIABLE, 0, typed(name).unwrap_or_default(), "");
    names.into_iter().map(shown).collect()
}

/// All relations that a rule of the document can name so, own ones first.
fn relations(project: &Project, document: usize, snippets: bool) -> Vec<CompletionItem> {
    let mut all = Vec::new();
    for (other, it) in project.documents.iter().enumerate() {
        for (at, declared) in it.outline.items.iter().enumerate() {
            if declared.kind != ItemKind::Declaration || declared.name.is_empty() {
                continue;
            }
            let meant = project.declaration(document, Named::Relation, &declared.name, None);
            if meant != Some(Meaning::Item { document: other, item: at }) {
                continue;
            }
            let order = 1 + distance(&project.documents[document], it, declared);
            let mut shown =
                item(&declared.name, CompletionItemKind::STRUCT, order, signature(declared), &declared.doc);
            if snippets {
                shown.insert_text_format = Some(InsertTextFormat::SNIPPET);
                shown.insert_text = Some(snippet(declared));
            }
            all.push(shown);
        }
    }
    all
}

fn signature(declared: &Item) -> String {
    let columns: Vec<String> = declared.columns.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
    let words = declared.qualifiers.iter().map(|word| format!(" {word}")).collect::<String>();
    format!("({}){words}", columns.join(", "))
}

/// `node_label(${1:Node}, ${2:Key})`
fn snippet(declared: &Item) -> String {
    let places =
        declared.columns.iter().zip(1..).map(|((name, _), at)| format!("${{{at}:{}}}", variable(name)));
    format!("{}({})", declared.name, places.collect::<Vec<_>>().join(", "))
}

/// `daemon_set` as a variable is `DaemonSet`, and so is a column of the type's name.
fn variable(column: &str) -> String {
    if column == "daemonset" {
        return "DaemonSet".to_owned();
    }
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    column.split('_').map(capital).collect()
}
