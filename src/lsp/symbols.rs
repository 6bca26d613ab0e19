//! The table of contents of a rule file: what it declares, each relation with its rules.

use lsp_types::{DocumentSymbol, SymbolKind};

use super::project::Document;
use super::utf16::range;
use crate::datalog::{Item, ItemKind};

/// All items that have a name, as they stand.
pub(super) fn symbols(document: &Document) -> Vec<DocumentSymbol> {
    let named = document.outline.items.iter().filter(|item| !item.name.is_empty());
    named.map(|item| symbol(document, item)).collect()
}

fn symbol(document: &Document, item: &Item) -> DocumentSymbol {
    let kind = match item.kind {
        ItemKind::Declaration => SymbolKind::STRUCT,
        ItemKind::Type => SymbolKind::CLASS,
        ItemKind::Parameter => SymbolKind::CONSTANT,
        ItemKind::Directive => SymbolKind::FILE,
        ItemKind::Rule => SymbolKind::FUNCTION,
    };
    let detail = item.doc.lines().next().map(str::to_owned);
    #[allow(deprecated)]
    DocumentSymbol {
        name: item.name.clone(),
        detail,
        kind,
        tags: None,
        deprecated: None,
        range: range(&document.text, &item.at),
        selection_range: range(&document.text, &item.name_at),
        children: None,
    }
}
