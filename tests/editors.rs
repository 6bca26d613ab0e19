//! `editors/`: the grammar knows every word of the language, and colours what people write.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dsrules::datalog::{Sort, words};
use regex::Regex;
use serde_json::Value;

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("editors").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// All that matches, with the scope it gets.
fn matches(grammar: &Value, out: &mut Vec<(String, String)>) {
    match grammar {
        Value::Object(map) => {
            let pattern = map.get("match").and_then(Value::as_str);
            let names = ["/captures/1/name", "/captures/2/name", "/name"];
            let scopes = names.iter().filter_map(|at| grammar.pointer(at)?.as_str());
            out.extend(
                pattern.into_iter().flat_map(|pattern| {
                    scopes.clone().map(move |scope| (pattern.to_owned(), scope.to_owned()))
                }),
            );
            map.values().for_each(|value| matches(value, out));
        }
        Value::Array(all) => all.iter().for_each(|value| matches(value, out)),
        _ => {}
    }
}

#[test]
fn every_word_of_the_language_is_coloured() {
    let mut all = Vec::new();
    matches(&read("dsrules.tmLanguage.json"), &mut all);
    let scopes = BTreeMap::from([
        (Sort::Directive, "keyword.other.directive"),
        (Sort::Qualifier, "storage.modifier"),
        (Sort::Keyword, "keyword.control"),
        (Sort::Aggregate, "support.function.aggregate"),
        (Sort::Function, "support.function.dsrules"),
        (Sort::Test, "support.function.dsrules"),
    ]);
    let mut seen = 0;
    for (word, sort) in words() {
        let whole = Regex::new(&format!(r"(^|[^A-Za-z_])(\\b)?{word}([^A-Za-z_]|$)")).unwrap();
        let found =
            all.iter().any(|(pattern, scope)| scope.starts_with(scopes[&sort]) && whole.is_match(pattern));
        assert!(found, "`{word}` is not in the grammar, as {}", scopes[&sort]);
        seen += 1;
    }
    assert!(seen > 20);
}

#[test]
fn every_pattern_is_included() {
    let grammar = read("dsrules.tmLanguage.json");
    let included: Vec<&str> =
        grammar["patterns"].as_array().unwrap().iter().map(|it| it["include"].as_str().unwrap()).collect();
    for name in grammar["repository"].as_object().unwrap().keys() {
        assert!(included.contains(&format!("#{name}").as_str()), "{name}");
    }
    assert_eq!(included.len(), grammar["repository"].as_object().unwrap().len());
}

#[test]
fn the_extension_names_what_there_is() {
    let package = read("vscode/package.json");
    assert_eq!(package["version"], env!("CARGO_PKG_VERSION"));
    let language = &package["contributes"]["languages"][0];
    let grammar = &package["contributes"]["grammars"][0];
    assert_eq!(grammar["scopeName"], read("dsrules.tmLanguage.json")["scopeName"]);
    assert_eq!(grammar["language"], language["id"]);
    read("vscode/language-configuration.json");
    let code = fs::read_to_string("editors/vscode/extension.js").unwrap();
    assert!(code.contains("args: ['lsp']") && code.contains("language: 'dsrules'"));
    for setting in package["contributes"]["configuration"]["properties"].as_object().unwrap().keys() {
        assert!(code.contains(setting.as_str()), "{setting}");
    }
}
