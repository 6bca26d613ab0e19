//! The language server, as an editor talks to it: the real program, message by message.

#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

struct Editor {
    folder: TempDir,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    last: i64,
    /// What was told without being asked for, by file name.
    told: Vec<(String, Value)>,
}

impl Editor {
    /// A server that was just started.
    fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("policy")).unwrap();
        for file in ["spot.dl", "limits.dl"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lsp/policy").join(file);
            fs::copy(from, folder.path().join("policy").join(file)).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_dsrules"))
            .args(["lsp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Editor { folder, child, to, from, last: 0, told: Vec::new() }
    }

    /// A server that knows its client.
    fn new() -> Self {
        let mut editor = Editor::fresh();
        let snippets =
            json!({ "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } } });
        let able = editor.ask("initialize", json!({ "processId": null, "capabilities": snippets }));
        assert_eq!(able["capabilities"]["hoverProvider"], true);
        editor.tell("initialized", json!({}));
        editor
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join("policy").join(file)
    }

    fn uri(&self, file: &str) -> String {
        if file.contains(':') { file.to_owned() } else { format!("file://{}", self.path(file).display()) }
    }

    fn raw(&mut self, text: &str) {
        write!(self.to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.to.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.raw(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server is gone");
            match line.trim_end().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().unwrap(),
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// Asks, and notes what else is said until the answer comes.
    fn reply(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.raw(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
        loop {
            let message = self.receive();
            if message["id"] == id {
                return message;
            }
            self.note(&message);
        }
    }

    fn note(&mut self, message: &Value) {
        let uri = message["params"]["uri"].as_str().unwrap_or(message["method"].as_str().unwrap());
        let name = uri.rsplit('/').next().unwrap().to_owned();
        self.told.push((name, message["params"]["diagnostics"].clone()));
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let reply = self.reply(method, params);
        assert!(reply.get("error").is_none(), "{reply}");
        reply["result"].clone()
    }

    fn open(&mut self, file: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        self.open_with(file, &text);
    }

    fn open_with(&mut self, file: &str, text: &str) {
        let item = json!({ "uri": self.uri(file), "languageId": "dsrules", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": item }));
    }

    fn replace(&mut self, file: &str, text: &str) {
        let document = json!({ "uri": self.uri(file), "version": 2 });
        self.tell(
            "textDocument/didChange",
            json!({ "textDocument": document, "contentChanges": [{ "text": text }] }),
        );
    }

    /// Where `word` stands in a file that is on disk, its `nth` time, as the protocol counts.
    fn find(&self, file: &str, word: &str, nth: usize) -> Value {
        let text = fs::read_to_string(self.path(file)).unwrap();
        let (at, _) = text.match_indices(word).nth(nth).unwrap();
        let line = text[..at].matches('\n').count();
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        json!({ "line": line, "character": text[start..at].encode_utf16().count() })
    }

    fn place(&self, file: &str, word: &str, nth: usize) -> Value {
        json!({ "textDocument": { "uri": self.uri(file) }, "position": self.find(file, word, nth) })
    }

    /// Waits until something is told of a file; what was told before is forgotten.
    fn mistakes(&mut self, file: &str) -> Vec<String> {
        self.told.clear();
        // What is asked for later is answered later, and mistakes are told when all is quiet.
        loop {
            if let Some((_, found)) = self.told.iter().rfind(|(name, _)| name == file) {
                let shown = found.as_array().unwrap().iter().map(|it| {
                    let start = &it["range"]["start"];
                    format!("{}:{} {}", start["line"], start["character"], it["code"].as_str().unwrap())
                });
                return shown.collect();
            }
            let message = self.receive();
            self.note(&message);
        }
    }

    fn end(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.child.wait().unwrap().success());
    }
}

/// The places as `file line:from-to`.
fn places(found: &Value) -> Vec<String> {
    let one = |it: &Value| {
        let (start, end) = (&it["range"]["start"], &it["range"]["end"]);
        let file = it["uri"].as_str().unwrap_or("").rsplit('/').next().unwrap();
        format!("{file} {}:{}-{}", start["line"], start["character"], end["character"])
    };
    match found.as_array() {
        Some(all) => all.iter().map(one).collect(),
        None => vec![one(found)],
    }
}

#[test]
fn mistakes_are_told_when_a_file_is_opened_and_changed_and_mended() {
    let mut editor = Editor::new();
    editor.open("spot.dl");
    assert_eq!(editor.mistakes("spot.dl"), [""; 0]);
    // The relation of the other file is known, what is not on disk is not; columns are UTF-16.
    let text = fs::read_to_string(editor.path("spot.dl")).unwrap();
    editor.replace("spot.dl", &text.replace("limited(DaemonSet)", "limitd(DaemonSet)"));
    assert_eq!(editor.mistakes("spot.dl"), ["10:88 unknown-relation"]);
    editor.replace("spot.dl", &format!("{text}blocked(D, N) :- spot(N)"));
    assert_eq!(editor.mistakes("spot.dl"), ["11:24 syntax"]);
    editor.replace("spot.dl", &text);
    assert_eq!(editor.mistakes("spot.dl"), [""; 0]);
    // A mistake in another file of the folder is told there, and goes when it is mended.
    editor.open("limits.dl");
    assert_eq!(editor.mistakes("spot.dl"), [""; 0]);
    editor.replace("limits.dl", "");
    assert_eq!(editor.mistakes("spot.dl"), ["10:88 unknown-relation"]);
    editor.open("limits.dl");
    assert_eq!(editor.mistakes("spot.dl"), [""; 0]);
    editor.end();
}

#[test]
fn a_piece_of_a_line_is_changed_by_its_utf_16_columns() {
    let mut editor = Editor::new();
    editor.open("spot.dl");
    let start = editor.find("spot.dl", "limited", 0);
    let end = json!({ "line": start["line"], "character": start["character"].as_u64().unwrap() + 7 });
    let document = json!({ "uri": editor.uri("spot.dl"), "version": 2 });
    let change = json!({ "range": { "start": start, "end": end }, "text": "unheard_of" });
    editor.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    while editor.mistakes("spot.dl") != ["10:88 unknown-relation"] {}
    editor.end();
}

#[test]
fn a_dsrules_yaml_says_what_belongs_together() {
    let mut editor = Editor::new();
    fs::create_dir(editor.folder.path().join("other")).unwrap();
    let other = editor.folder.path().join("other/extra.dl");
    fs::write(&other, ".decl extra(node: Node)\nextra(Node) :- node(Node).\n").unwrap();
    fs::write(editor.folder.path().join("dsrules.yaml"), "rules: [policy, other]\n").unwrap();
    editor.open_with(
        "limits.dl",
        ".decl limited(daemonset: DaemonSet)\nlimited(D) :- daemonset(D), extra(N), node(N).\n",
    );
    let found = editor.mistakes("limits.dl");
    assert!(!found.iter().any(|it| it.contains("unknown")), "{found:?}");
    fs::write(editor.folder.path().join("dsrules.yaml"), "rules: [policy]\n").unwrap();
    editor.tell("textDocument/didSave", json!({ "textDocument": { "uri": editor.uri("limits.dl") } }));
    let found = editor.mistakes("limits.dl");
    assert!(found.contains(&"1:28 unknown-relation".to_owned()), "{found:?}");
    editor.end();
}

#[test]
fn a_name_leads_to_its_declaration_and_to_all_its_uses() {
    let mut editor = Editor::new();
    editor.open("spot.dl");
    let hover = |found: &Value| found["contents"]["value"].as_str().unwrap_or("nothing").to_owned();

    let own = editor.ask("textDocument/hover", editor.place("spot.dl", "spot(Node), lim", 0));
    let builtin = editor.ask("textDocument/hover", editor.place("spot.dl", "daemonset_label", 0));
    let variable = editor.ask("textDocument/hover", editor.place("spot.dl", "Node), limited", 0));
    let shown = [&own, &builtin, &variable].map(hover).join("\n----\n");
    let built_in_line = regex::Regex::new(r"\.dl:\d+\*").unwrap();
    insta::with_settings!({
        snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true,
    }, {
        insta::assert_snapshot!("lsp_hover", built_in_line.replace_all(&shown, ".dl:LINE*"));
    });
    assert_eq!(places(&own), [" 10:76-80"]);

    let definition = editor.ask("textDocument/definition", editor.place("spot.dl", "limited", 0));
    assert_eq!(places(&definition), ["limits.dl 1:6-13"]);
    let definition = editor.ask("textDocument/definition", editor.place("spot.dl", "Node), limited", 0));
    assert_eq!(places(&definition), ["spot.dl 10:19-23"]);
    assert_eq!(editor.ask("textDocument/definition", editor.place("spot.dl", "blocked", 0)), Value::Null);

    let mut asked = editor.place("limits.dl", "spot(Node)", 0);
    asked["context"] = json!({ "includeDeclaration": true });
    let all = places(&editor.ask("textDocument/references", asked.clone()));
    assert_eq!(
        all,
        ["limits.dl 6:14-18", "spot.dl 3:6-10", "spot.dl 5:0-4", "spot.dl 7:0-4", "spot.dl 10:76-80"]
    );
    asked["context"] = json!({ "includeDeclaration": false });
    assert_eq!(editor.ask("textDocument/references", asked).as_array().unwrap().len(), 4);

    let lights = editor.ask("textDocument/documentHighlight", editor.place("spot.dl", "Node), limited", 0));
    assert_eq!(places(&lights), [" 10:19-23", " 10:81-85"]);
    let symbols = editor
        .ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": editor.uri("spot.dl") } }));
    let names: Vec<&str> =
        symbols.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["spot", "spot", "spot", "blocked"]);
    editor.end();
}

#[test]
fn a_name_of_ones_own_is_renamed_everywhere() {
    let mut editor = Editor::new();
    editor.open("spot.dl");
    let rename = |editor: &Editor, word: &str, name: &str| {
        let mut asked = editor.place("spot.dl", word, 0);
        asked["newName"] = json!(name);
        asked
    };
    let done = editor.ask("textDocument/rename", rename(&editor, "spot(Node), lim", "cheap"));
    let changes = done["changes"].as_object().unwrap();
    let count: Vec<usize> = changes.values().map(|edits| edits.as_array().unwrap().len()).collect();
    assert_eq!(count, [1, 4]);
    let wrong = editor.reply("textDocument/rename", rename(&editor, "spot(Node), lim", "Cheap"));
    assert!(wrong["error"]["message"].as_str().unwrap().contains("`Cheap` is no such name"));
    let builtin = editor.reply("textDocument/rename", rename(&editor, "blocked", "barred"));
    assert_eq!(builtin["error"]["message"], "there is no name of your own here");
    assert_eq!(editor.ask("textDocument/prepareRename", editor.place("spot.dl", "blocked", 0)), Value::Null);
    editor.end();
}

#[test]
fn what_may_go_on_is_offered() {
    let mut editor = Editor::new();
    let mut at = |text: &str| {
        let (before, after) = text.split_once('|').unwrap();
        editor.open_with("new.dl", &format!("{before}{after}"));
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap().encode_utf16().count();
        let position = json!({ "line": line, "character": character });
        let asked = json!({ "textDocument": { "uri": editor.uri("new.dl") }, "position": position });
        let items = editor.ask("textDocument/completion", asked);
        items
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["label"].as_str().unwrap().to_owned(), it.clone()))
            .collect::<Vec<_>>()
    };
    let has = |found: &[(String, Value)], name: &str| found.iter().any(|(label, _)| label == name);

    let found = at("hold(DaemonSet, Node) :- daemonset(DaemonSet), no|");
    for name in ["node_label", "spot", "limited", "DaemonSet", "Node", "count", "lower", "starts_with", "in"]
    {
        assert!(has(&found, name), "{name}");
    }
    assert!(!has(&found, "input") && !has(&found, "decl"));
    let (_, label) = found.iter().find(|(name, _)| name == "node_label").unwrap();
    assert_eq!(label["insertText"], "node_label(${1:Node}, ${2:Key}, ${3:Value})");
    let (_, variable) = found.iter().find(|(name, _)| name == "DaemonSet").unwrap();
    assert_eq!(variable["detail"], "DaemonSet");

    let found = at(".decl rack(node: Node, rack: |");
    assert!(has(&found, "DaemonSet") && has(&found, "number") && !has(&found, "node_label"));
    let found = at(".decl rack(node: Node) |");
    assert!(has(&found, "violation") && !has(&found, "node_label"));
    let found = at("a(1).\n.|");
    assert!(has(&found, "decl") && has(&found, "type") && !has(&found, "node_label"));
    assert_eq!(at("a(X) :- b(\"no|").len(), 0);
    assert_eq!(at("a(X) :- b(X). // no|").len(), 0);
    editor.end();
}

#[test]
fn a_text_is_laid_out_and_one_with_a_mistake_is_not() {
    let mut editor = Editor::new();
    let asked = |editor: &Editor| json!({ "textDocument": { "uri": editor.uri("new.dl") }, "options": { "tabSize": 4, "insertSpaces": true } });
    editor.open_with("new.dl", "a( \"😀\" ).\n b(1).");
    let edits = editor.ask("textDocument/formatting", asked(&editor));
    assert_eq!(edits[0]["newText"], "a(\"😀\").\nb(1).\n");
    assert_eq!(places(&edits), [" 0:0-6"]);
    assert_eq!(edits[0]["range"]["end"]["line"], 1);
    editor.replace("new.dl", "a(\"😀\").\nb(1).\n");
    assert_eq!(editor.ask("textDocument/formatting", asked(&editor)), json!([]));
    editor.replace("new.dl", "a(");
    assert_eq!(editor.ask("textDocument/formatting", asked(&editor)), Value::Null);
    editor.end();
}

#[test]
fn nothing_that_is_sent_ends_it() {
    let mut editor = Editor::fresh();
    assert_eq!(editor.reply("textDocument/hover", json!({}))["error"]["code"], -32002);
    editor.ask("initialize", json!({ "capabilities": {} }));
    editor.tell("initialized", json!({}));
    assert_eq!(editor.reply("textDocument/unheardOf", json!(7))["error"]["code"], -32601);
    assert_eq!(editor.reply("textDocument/hover", json!({ "position": "here" }))["error"]["code"], -32602);
    editor.raw("{ this is no JSON");
    editor.raw("{\"jsonrpc\": \"2.0\"}");
    write!(editor.to, "Strange: header\r\n\r\nnot even a length\r\n").unwrap();
    editor.tell("$/cancelRequest", json!({ "id": 3 }));
    editor.tell("textDocument/didChange", json!({ "textDocument": { "uri": "file:///nowhere/x.dl", "version": 1 }, "contentChanges": [{ "text": "" }] }));
    editor.tell("textDocument/didOpen", json!("nothing"));

    // Files outside of any folder, garbage in them, and places that are not there.
    let garbage = [
        "\u{0}\u{fffd}((((",
        "/*",
        "\"",
        ".decl",
        ".decl a(",
        "a :- count : { first 2",
        "😀😀 :- .",
        "///\n//!\n\u{feff}",
    ];
    for (at, text) in garbage.iter().enumerate() {
        for uri in [
            format!("untitled:Untitled-{at}"),
            format!("file:///nowhere/{at}.dl"),
            "inmemory://model/1".to_owned(),
        ] {
            editor.open_with(&uri, text);
            let document = json!({ "uri": uri });
            for method in ["hover", "definition", "completion", "documentHighlight", "prepareRename"] {
                for (line, character) in [(0, 0), (0, 3), (7, 9_999_999), (4_000_000_000_u32, 1)] {
                    let position = json!({ "line": line, "character": character });
                    editor.ask(
                        &format!("textDocument/{method}"),
                        json!({ "textDocument": document, "position": position }),
                    );
                }
            }
            editor.ask("textDocument/documentSymbol", json!({ "textDocument": document }));
            editor.tell("textDocument/didClose", json!({ "textDocument": document }));
        }
    }
    // One key after the other, faster than anybody asks.
    let text = fs::read_to_string(editor.path("spot.dl")).unwrap();
    editor.open("spot.dl");
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        editor.replace("spot.dl", &text[..end]);
    }
    editor.replace("spot.dl", &text);
    let place = editor.place("spot.dl", "limited", 0);
    assert_eq!(places(&editor.ask("textDocument/definition", place)), ["limits.dl 1:6-13"]);
    while editor.mistakes("spot.dl") != [""; 0] {}
    editor.end();
}
