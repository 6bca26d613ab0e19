//! The requests that an editor makes about a place in a document.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lsp_types::{
    DocumentFormattingParams, DocumentSymbolParams, Position, Range, ReferenceParams, RenameParams,
    TextDocumentPositionParams, TextEdit,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::complete::complete;
use super::hover::hover;
use super::names::{Meaning, Spot};
use super::project::{Buffer, Project};
use super::symbols::symbols;
use super::uri::key;
use super::utf16::{byte_at, position, range};
use crate::datalog::{self, Mention, Named};

/// What requests are answered from.
pub(super) struct Asking<'a> {
    pub open: &'a BTreeMap<PathBuf, Buffer>,
    /// Whether the client fills in places of what is completed.
    pub snippets: bool,
}

/// A place in a document of a project.
struct Here {
    project: Project,
    document: usize,
    byte: usize,
}

impl Asking<'_> {
    /// The answer, or why there is none; `None` for what nobody can answer.
    pub fn answer(&self, method: &str, params: Value) -> Option<Result<Value, String>> {
        Some(match method {
            "textDocument/hover" => {
                self.at(params).map(|here| here.and_then(|it| it.hover()).unwrap_or_default())
            }
            "textDocument/definition" => {
                self.at(params).map(|here| here.and_then(|it| it.definition()).unwrap_or_default())
            }
            "textDocument/documentHighlight" => {
                self.at(params).map(|here| here.map_or_else(Vec::new, |it| it.highlights()).into())
            }
            "textDocument/references" => self.references(params),
            "textDocument/completion" => self.at(params).map(|here| {
                here.map_or(Value::Null, |it| {
                    json!(complete(&it.project, it.document, it.byte, self.snippets))
                })
            }),
            "textDocument/documentSymbol" => self.symbols(params),
            "textDocument/formatting" => self.formatting(params),
            "textDocument/prepareRename" => self
                .at(params)
                .map(|here| here.and_then(|it| it.renamed()).map_or(Value::Null, |(at, _)| json!(at))),
            "textDocument/rename" => self.rename(params),
            _ => return None,
        })
    }

    /// The place that is asked about, if its document is open or on disk.
    fn at(&self, params: Value) -> Result<Option<Here>, String> {
        let asked: TextDocumentPositionParams = read(params)?;
        Ok(self.here(asked.text_document.uri.as_str(), asked.position))
    }

    fn here(&self, uri: &str, position: Position) -> Option<Here> {
        let path = key(uri);
        let project = Project::of(&path, self.open);
        let document = project.document(&path)?;
        let byte = byte_at(&project.documents[document].text, position);
        Some(Here { project, document, byte })
    }

    fn references(&self, params: Value) -> Result<Value, String> {
        let asked: ReferenceParams = read(params)?;
        let place = asked.text_document_position;
        let with_declaration = asked.context.include_declaration;
        let here = self.here(place.text_document.uri.as_str(), place.position);
        let spots = here.as_ref().map_or_else(Vec::new, Here::mentions);
        let project = here.as_ref().map(|it| &it.project);
        let wanted = spots.iter().filter(|(_, declares)| with_declaration || !declares);
        Ok(wanted.filter_map(|(spot, _)| location(project?, spot)).collect::<Vec<_>>().into())
    }

    fn symbols(&self, params: Value) -> Result<Value, String> {
        let asked: DocumentSymbolParams = read(params)?;
        let here = self.here(asked.text_document.uri.as_str(), Position::default());
        Ok(here.map_or(Value::Null, |it| json!(symbols(&it.project.documents[it.document]))))
    }

    /// All of the text, where it changes; a text with mistakes stays as it is.
    fn formatting(&self, params: Value) -> Result<Value, String> {
        let asked: DocumentFormattingParams = read(params)?;
        let Some(buffer) = self.open.get(&key(asked.text_document.uri.as_str())) else {
            return Ok(Value::Null);
        };
        let Ok(formatted) = datalog::format("", &buffer.text) else { return Ok(Value::Null) };
        if *formatted == *buffer.text {
            return Ok(json!([]));
        }
        let range = Range { start: Position::default(), end: position(&buffer.text, buffer.text.len()) };
        Ok(json!([TextEdit { range, new_text: formatted }]))
    }

    fn rename(&self, params: Value) -> Result<Value, String> {
        let asked: RenameParams = read(params)?;
        let place = asked.text_document_position;
        let Some(here) = self.here(place.text_document.uri.as_str(), place.position) else {
            return Ok(Value::Null);
        };
        let Some((_, named)) = here.renamed() else {
            return Err("there is no name of your own here".to_owned());
        };
        let name = asked.new_name;
        let first = name.chars().next().unwrap_or(' ');
        let fits = match named {
            Named::Relation | Named::Parameter => first.is_ascii_lowercase(),
            Named::Type => first.is_ascii_uppercase(),
            _ => first.is_ascii_uppercase() || first == '_' && name.len() > 1,
        };
        if !fits || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!(
                "`{name}` is no such name: relations start with a lower-case letter, variables and types with a capital one"
            ));
        }
        let mut changes: BTreeMap<String, Vec<TextEdit>> = BTreeMap::new();
        for (spot, _) in here.mentions() {
            let document = &here.project.documents[spot.document];
            let edit = TextEdit { range: range(&document.text, &spot.at), new_text: name.clone() };
            changes.entry(document.uri.clone().unwrap_or_default()).or_default().push(edit);
        }
        Ok(json!({ "changes": changes }))
    }
}

impl Here {
    fn mention(&self) -> Option<&Mention> {
        self.project.documents[self.document].outline.mention_at(self.byte)
    }

    fn meaning(&self) -> Option<Meaning> {
        self.project.meaning(self.document, self.mention()?)
    }

    /// Where what is named here stands, and whether it is declared there.
    fn mentions(&self) -> Vec<(Spot, bool)> {
        self.meaning().map_or_else(Vec::new, |meaning| self.project.mentions(&meaning))
    }

    fn hover(&self) -> Option<Value> {
        let mention = self.mention()?;
        let text = hover(&self.project, self.document, mention)?;
        let range = range(&self.project.documents[self.document].text, &mention.at);
        Some(json!({ "contents": { "kind": "markdown", "value": text }, "range": range }))
    }

    /// Where it is declared; of a variable, where it stands first. What is built in is no file.
    fn definition(&self) -> Option<Value> {
        let spot = match self.meaning()? {
            Meaning::Item { document, item } => {
                let at = self.project.documents[document].outline.items.get(item)?.name_at.clone();
                Spot { document, at }
            }
            meaning @ Meaning::Variable { .. } => self.project.mentions(&meaning).into_iter().next()?.0,
        };
        location(&self.project, &spot)
    }

    fn highlights(&self) -> Vec<Value> {
        let document = &self.project.documents[self.document];
        let here = self.mentions().into_iter().filter(|(spot, _)| spot.document == self.document);
        here.map(|(spot, _)| json!({ "range": range(&document.text, &spot.at) })).collect()
    }

    /// What would be renamed here: a name of a person's own.
    fn renamed(&self) -> Option<(Range, Named)> {
        let mention = self.mention()?;
        let own = match self.meaning()? {
            Meaning::Item { document, .. } => !self.project.documents[document].builtin,
            Meaning::Variable { .. } => true,
        };
        own.then(|| (range(&self.project.documents[self.document].text, &mention.at), mention.named))
    }
}

fn location(project: &Project, spot: &Spot) -> Option<Value> {
    let document = &project.documents[spot.document];
    Some(json!({ "uri": document.uri.as_ref()?, "range": range(&document.text, &spot.at) }))
}

fn read<P: DeserializeOwned>(params: Value) -> Result<P, String> {
    serde_json::from_value(params).map_err(|error| error.to_string())
}
