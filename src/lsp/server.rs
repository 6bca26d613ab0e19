//! The server: what is open, and an answer to each message.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    PublishDiagnosticsParams, TextDocumentContentChangeEvent, TextDocumentIdentifier, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::asked::Asking;
use super::project::{Buffer, Project};
use super::told::shown;
use super::uri::{key, uri_of};
use super::utf16::byte_at;
use crate::diagnostic::Diagnostic;

/// A language server for rule files.
#[derive(Debug, Default)]
pub struct Server {
    open: BTreeMap<PathBuf, Buffer>,
    /// Files whose program is to be looked at again.
    changed: BTreeSet<PathBuf>,
    /// The addresses that something wrong was told of.
    told: BTreeSet<String>,
    snippets: bool,
    initialized: bool,
    shut_down: bool,
    exit: bool,
}

impl Server {
    /// A server that nothing was said to yet.
    #[must_use]
    pub fn new() -> Self {
        Server::default()
    }

    /// Whether the client has asked to end, and whether it did so as it should.
    #[must_use]
    pub fn ended(&self) -> Option<bool> {
        self.exit.then_some(self.shut_down)
    }

    /// The answers to a message.
    pub fn handle(&mut self, message: Message) -> Vec<Message> {
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                // What goes wrong with one request must not end an editor's session.
                let done = catch_unwind(AssertUnwindSafe(|| self.request(request)));
                let response = done.unwrap_or_else(|_| {
                    let message = "the server has a bug here; the next request is answered".to_owned();
                    Response::new_err(id, ErrorCode::InternalError as i32, message)
                });
                vec![response.into()]
            }
            Message::Notification(notification) => {
                catch_unwind(AssertUnwindSafe(|| self.notification(notification))).unwrap_or_default()
            }
            Message::Response(_) => Vec::new(),
        }
    }

    /// What is to be told once no message waits: the mistakes of all that has changed.
    pub fn settle(&mut self) -> Vec<Message> {
        let mut out = Vec::new();
        let mut seen: Vec<PathBuf> = Vec::new();
        for path in std::mem::take(&mut self.changed) {
            if seen.contains(&path) {
                continue;
            }
            let all = catch_unwind(AssertUnwindSafe(|| {
                let project = Project::of(&path, &self.open);
                seen.extend(project.paths().map(PathBuf::from));
                self.diagnostics(&path, &project)
            }));
            for (uri, found) in all.unwrap_or_default() {
                let known =
                    if found.is_empty() { self.told.remove(&uri) } else { !self.told.insert(uri.clone()) };
                if known || !found.is_empty() || self.open.values().any(|buffer| buffer.uri == uri) {
                    out.extend(publish(&uri, found));
                }
            }
        }
        out
    }

    /// What is wrong with a program, for each of its files.
    fn diagnostics(&self, path: &Path, project: &Project) -> BTreeMap<String, Vec<lsp_types::Diagnostic>> {
        let address = |file: &str| {
            let path = PathBuf::from(file);
            let document = project.document(&path).and_then(|at| project.documents[at].uri.clone());
            document.or_else(|| path.is_absolute().then(|| uri_of(&path)))
        };
        let here = address(&path.display().to_string()).unwrap_or_default();
        let mut all: BTreeMap<String, Vec<lsp_types::Diagnostic>> = project
            .paths()
            .filter_map(|path| Some((address(&path.display().to_string())?, Vec::new())))
            .collect();
        for found in project.diagnostics() {
            let file = |found: &Diagnostic| found.place.as_ref().and_then(|place| address(&place.file));
            let uri = file(&found).unwrap_or_else(|| here.clone());
            all.entry(uri).or_default().push(shown(&found, &address));
        }
        all
    }

    fn request(&mut self, request: Request) -> Response {
        let refused =
            |id: RequestId, code: ErrorCode, why: &str| Response::new_err(id, code as i32, why.to_owned());
        match request.method.as_str() {
            "initialize" => {
                self.initialized = true;
                let snippets = "/capabilities/textDocument/completion/completionItem/snippetSupport";
                self.snippets = request.params.pointer(snippets).and_then(Value::as_bool).unwrap_or(false);
                return Response::new_ok(request.id, abilities());
            }
            _ if !self.initialized => {
                return refused(request.id, ErrorCode::ServerNotInitialized, "`initialize` comes first");
            }
            "shutdown" => {
                self.shut_down = true;
                return Response::new_ok(request.id, Value::Null);
            }
            _ if self.shut_down => {
                return refused(request.id, ErrorCode::InvalidRequest, "`shutdown` was asked for");
            }
            _ => {}
        }
        let asking = Asking { open: &self.open, snippets: self.snippets };
        match asking.answer(&request.method, request.params) {
            None => {
                refused(request.id, ErrorCode::MethodNotFound, &format!("there is no `{}`", request.method))
            }
            Some(Ok(value)) => Response::new_ok(request.id, value),
            Some(Err(why)) => refused(request.id, ErrorCode::InvalidParams, &why),
        }
    }

    fn notification(&mut self, notification: Notification) -> Vec<Message> {
        match notification.method.as_str() {
            "exit" => self.exit = true,
            "textDocument/didOpen" => {
                if let Some(DidOpenTextDocumentParams { text_document }) = read(notification.params) {
                    let uri = text_document.uri.as_str().to_owned();
                    let path = key(&uri);
                    self.open.insert(path.clone(), Buffer { uri, text: text_document.text.into() });
                    self.changed.insert(path);
                }
            }
            "textDocument/didChange" => {
                if let Some(DidChangeTextDocumentParams { text_document, content_changes }) =
                    read(notification.params)
                {
                    self.change(&key(text_document.uri.as_str()), content_changes);
                }
            }
            "textDocument/didClose" => {
                if let Some(DidCloseTextDocumentParams { text_document }) = read(notification.params) {
                    return self.close(&text_document);
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                self.changed.extend(self.open.keys().cloned());
            }
            _ => {}
        }
        Vec::new()
    }

    fn change(&mut self, path: &Path, changes: Vec<TextDocumentContentChangeEvent>) {
        let Some(buffer) = self.open.get_mut(path) else { return };
        for change in changes {
            buffer.text = match change.range {
                None => change.text.into(),
                Some(range) => {
                    let start = byte_at(&buffer.text, range.start);
                    let end = byte_at(&buffer.text, range.end).max(start);
                    [&buffer.text[..start], &change.text, &buffer.text[end..]].concat().into()
                }
            };
        }
        self.changed.insert(path.to_owned());
    }

    /// What is closed is what is on disk again; nothing is told of it by itself.
    fn close(&mut self, document: &TextDocumentIdentifier) -> Vec<Message> {
        let uri = document.uri.as_str();
        let path = key(uri);
        self.open.remove(&path);
        self.changed.remove(&path);
        self.changed.extend(self.open.keys().cloned());
        let was_told = self.told.remove(uri);
        if was_told { publish(uri, Vec::new()).into_iter().collect() } else { Vec::new() }
    }
}

fn read<P: DeserializeOwned>(params: Value) -> Option<P> {
    serde_json::from_value(params).ok()
}

fn publish(uri: &str, diagnostics: Vec<lsp_types::Diagnostic>) -> Option<Message> {
    let uri: Uri = uri.parse().ok()?;
    let params = PublishDiagnosticsParams { uri, diagnostics, version: None };
    Some(Notification::new("textDocument/publishDiagnostics".to_owned(), params).into())
}

/// What the server can do.
fn abilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            "textDocumentSync": { "openClose": true, "change": 2, "save": true },
            "hoverProvider": true,
            "definitionProvider": true,
            "referencesProvider": true,
            "documentHighlightProvider": true,
            "documentSymbolProvider": true,
            "completionProvider": { "triggerCharacters": [".", ":", "!"] },
            "documentFormattingProvider": true,
            "renameProvider": { "prepareProvider": true },
        },
        "serverInfo": { "name": "dsrules", "version": env!("CARGO_PKG_VERSION") },
    })
}
