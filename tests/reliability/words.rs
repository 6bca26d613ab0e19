//! R14: hostile text in every text field: nothing of it acts on a terminal, and nothing of it is an
//! element of a page.

use std::cell::RefCell;
use std::collections::BTreeMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use serde_json::{Value, json};

use crate::base::{Place, figure};

/// What a terminal, a page or a shell might take for more than text.
const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "\u{1b}[31mred\u{1b}]0;title\u{7}",
    "\u{9b}31m\u{90}x\u{9c}",
    "\u{202e}txt.exe\u{202c}\u{2066}x\u{2069}",
    "\u{200f}\u{61c}\u{feff}\u{200b}",
    "a\r\nerror: faked\u{8}\u{8}",
    "</style></pre>&lt;&amp;<!--",
    "\u{0}\u{1}\u{7f}\u{85}",
    "$(id) `id` %s%n ${jndi:x}",
];

/// Objects with this text wherever any text may stand.
fn objects(hostile: &str, nth: usize) -> String {
    let meta = |name: String| json!({ "name": name, "annotations": { "note": hostile } });
    let container = json!({ "name": "c", "image": hostile, "command": [hostile], "args": [hostile], "workingDir": hostile,
        "env": [{ "name": "E", "value": hostile }] });
    let spec = json!({ "containers": [container], "schedulerName": hostile,
        "tolerations": [{ "key": "k", "operator": "Equal", "value": "v", "effect": "NoSchedule" }] });
    let all: Vec<Value> = vec![
        json!({ "apiVersion": "v1", "kind": "Node", "metadata": meta(format!("n{nth}")),
            "spec": { "providerID": hostile },
            "status": { "nodeInfo": { "kubeletVersion": hostile, "osImage": hostile, "kernelVersion": hostile, "containerRuntimeVersion": hostile,
                "machineID": "", "systemUUID": "", "bootID": "", "kubeProxyVersion": "", "operatingSystem": hostile, "architecture": hostile },
                "conditions": [{ "type": "Ready", "status": "False", "reason": hostile, "message": hostile }],
                "addresses": [{ "type": "InternalIP", "address": hostile }] } }),
        json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta(format!("d{nth}")),
            "spec": { "selector": { "matchLabels": { "a": format!("d{nth}") } },
                "template": { "metadata": { "labels": { "a": format!("d{nth}") }, "annotations": { "note": hostile } }, "spec": spec } } }),
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": meta(format!("p{nth}")),
            "spec": { "nodeName": format!("n{nth}"), "containers": [container] },
            "status": { "phase": "Pending", "reason": hostile, "message": hostile,
                "containerStatuses": [{ "name": "c", "ready": false, "restartCount": 1, "image": hostile, "imageID": hostile,
                    "state": { "waiting": { "reason": hostile, "message": hostile } } }] } }),
    ];
    all.iter().map(|it| format!("---\n{it}\n")).collect()
}

/// The first character that acts on a terminal, with what is around it.
fn acting(text: &str) -> Option<String> {
    let at = text.char_indices().find(|(_, c)| *c != '\n' && *c != '\t' && dsrules::diagnostic::acts(*c))?.0;
    let around: String = text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
    Some(format!("{:?} after {around:?}", text[at..].chars().next()))
}

/// What is shown to people, in any form that is not a document for programs.
const SHOWN: [&str; 22] = [
    "validate in",
    "plan in",
    "plan in -o wide",
    "plan in -v",
    "apply in",
    "apply in -o wide --prune",
    "get nodes",
    "get nodes -o wide",
    "get nodes --show-labels",
    "get pods -A",
    "get pods -A -o wide",
    "get ds -A -o wide",
    "get events -A",
    "describe nodes",
    "describe ds",
    "describe pods",
    "explain d0",
    "explain d0 n0",
    "explain node/n0",
    "query node_label(N,K,V)",
    "capacity",
    "rollout history daemonset/d0",
];

/// Documents for programs, which say each character by a name.
const DOCUMENTS: [&str; 8] = [
    "get nodes -o yaml",
    "get pods -A -o json",
    "get ds -A -o yaml",
    "plan in -o json",
    "plan in -o yaml",
    "explain d0 n0 -o json",
    "capacity -o json",
    "get nodes -o json",
];

#[test]
fn hostile_text_acts_on_no_terminal() {
    let mut shown = 0;
    let mut wrong = Vec::new();
    for (nth, hostile) in HOSTILE.iter().enumerate() {
        let place = Place::light();
        place.write("in/all.yaml", objects(hostile, 0) + "---\n" + &objects("plain", 1));
        // A sound store for what reads one, whatever the hostile input came to.
        let said = place.run("apply in --keep-going --tree pods");
        assert!(said.is_orderly(), "{nth}: {said:?}");
        for line in SHOWN.iter().chain(&DOCUMENTS) {
            let said = place.run(line);
            if said.err.contains("panicked") {
                wrong.push(format!("{line}: {}", said.err));
            }
            for text in [&said.out, &said.err] {
                wrong.extend(acting(text).map(|what| format!("text {nth}, {line}: {what}")));
                shown += text.len();
            }
        }
        for (path, text) in place.look("pods") {
            wrong.extend(acting(&text).map(|what| format!("text {nth}, {path}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    figure(
        "R14",
        format!(
            "{} hostile texts in 25 fields, {} commands: {shown} bytes, 0 that act on a terminal",
            HOSTILE.len(),
            SHOWN.len() + DOCUMENTS.len()
        ),
    );
}

/// The elements of a page, with the names of their attributes; its comments and what else is no
/// text. How often each is there.
#[derive(Default)]
struct Markup(RefCell<BTreeMap<String, usize>>);

impl TokenSink for Markup {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let count = |what: String| *self.0.borrow_mut().entry(what).or_default() += 1;
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let mut attributes: Vec<&str> = tag.attrs.iter().map(|it| &*it.name.local).collect();
                attributes.sort_unstable();
                count(format!("<{} {}>", tag.name, attributes.join(" ")));
                // What stands in these is no markup for a browser either.
                match &*tag.name {
                    "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" => return TokenSinkResult::RawData(RawKind::Rawtext),
                    "title" | "textarea" => return TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => {}
                }
            }
            Token::CommentToken(_) => count("comment".to_owned()),
            Token::NullCharacterToken | Token::ParseError(_) => count(format!("{token:?}")),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn markup(page: &str) -> BTreeMap<String, usize> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(page));
    let tokenizer =
        Tokenizer::new(Markup::default(), TokenizerOpts { exact_errors: true, ..Default::default() });
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.take()
}

/// Pages of a store with such objects, and with rules that say it too; empty where they cannot.
fn pages(hostile: &str) -> [String; 2] {
    let place = Place::light();
    place.write("in/all.yaml", objects(hostile, 0) + "---\n" + &objects("plain", 1));
    let said: String = hostile.chars().filter(|it| !matches!(it, '\r' | '\n' | '\0')).collect();
    let rule = "blocked(DaemonSet, Node) :- daemonset(DaemonSet), node(Node), Node = \"n1\".";
    place.write("own.dl", format!("/// {said} on {{Node}}\n{rule}\n"));
    let said = place.run("apply in --keep-going");
    assert!(said.is_orderly(), "{said:?}");
    ["report -o html", "report -o html --rules own.dl"].map(|line| {
        let said = place.run(line);
        assert!(said.is_orderly(), "{said:?}");
        said.out
    })
}

#[test]
fn hostile_text_is_no_element_of_a_page() {
    let plain = pages("plain");
    let expected = plain.each_ref().map(|page| markup(page));
    assert!(plain[1].contains("plain on"), "{}", plain[1]);
    assert!(expected[0].keys().any(|it| it.starts_with("<script")), "{expected:?}");
    let (mut shown, mut bytes) = (0, 0);
    for (nth, hostile) in HOSTILE.iter().enumerate() {
        let pages = pages(hostile);
        for (page, expected) in pages.iter().zip(&expected).filter(|(page, _)| !page.is_empty()) {
            let found = markup(page);
            // Where an object is refused there are fewer rows, but never one of another sort.
            let runs =
                |what: &str| ["<script", "<style", "<link", "<meta"].iter().any(|it| what.starts_with(it));
            let is_foreign = |(what, times): &(&String, &usize)| {
                let expected = expected.get(*what);
                expected.is_none() || runs(what) && expected != Some(*times)
            };
            let foreign: Vec<_> = found.iter().filter(is_foreign).collect();
            assert!(foreign.is_empty(), "text {nth}: {foreign:?}");
            assert_eq!(acting(page), None, "text {nth}");
            (shown, bytes) = (shown + 1, bytes + page.len());
        }
    }
    assert!(shown > HOSTILE.len(), "{shown}");
    figure(
        "R14",
        format!("{} hostile texts, {shown} pages, {bytes} bytes: 0 foreign elements", HOSTILE.len()),
    );
}
