//! What is wrong, in the forms that other tools read: JSON, SARIF, GitHub, JUnit.
//!
//! The form for people is [`Diagnostic::render`]. These hold the same findings in the
//! same order; a tool that shows one of them shows the same file, line and words.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::data::write_json;
use crate::diagnostic::{Diagnostic, Place, Severity, visible};

/// Findings as a `kind: Findings` of `apiVersion: dsrules.dev/v1`.
///
/// # Errors
/// Where writing fails.
pub fn findings_json(files: &[String], findings: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let document = json!({
        "apiVersion": "dsrules.dev/v1",
        "kind": "Findings",
        "summary": {
            "files": files.len(),
            "errors": count(Severity::Error),
            "warnings": count(Severity::Warning),
        },
        "findings": findings,
    });
    write_json(&document, out)
}

/// Findings as SARIF 2.1.0, which code scanning of GitHub and others reads.
///
/// # Errors
/// Where writing fails.
pub fn findings_sarif(findings: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| json!({ "id": code })).collect();
    let result = |finding| {
        let mut result = sarif_result(finding, finding.code);
        result["ruleIndex"] = codes.iter().position(|code| *code == finding.code).into();
        result
    };
    sarif(rules, findings.iter().map(result).collect(), out)
}

/// A document of SARIF.
pub(super) fn sarif(rules: Vec<Value>, results: Vec<Value>, out: &mut dyn Write) -> io::Result<()> {
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "dsrules", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    write_json(&document, out)
}

/// A finding as a result of SARIF, of the rule with this id.
pub(super) fn sarif_result(finding: &Diagnostic, rule: &str) -> Value {
    let mut result = json!({
        "ruleId": rule,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": { "text": in_words(finding) },
    });
    if let Some(place) = &finding.place {
        result["locations"] = json!([{ "physicalLocation": physical(place) }]);
    }
    if !finding.related.is_empty() {
        let related = finding.related.iter().enumerate().map(|(id, (place, words))| {
            json!({ "id": id, "message": { "text": words }, "physicalLocation": physical(place) })
        });
        result["relatedLocations"] = Value::from(related.collect::<Vec<_>>());
    }
    result
}

fn physical(place: &Place) -> Value {
    let mut location = json!({ "artifactLocation": { "uri": uri(&place.file) } });
    if place.line > 0 {
        location["region"] = json!({
            "startLine": place.line,
            "startColumn": place.column,
            "endColumn": place.column.saturating_add(place.width.max(1)),
        });
    }
    location
}

/// A path as a relative reference: what is not allowed in one is escaped.
fn uri(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    let bytes = path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") });
    bytes.collect()
}

/// The message with what belongs to it, in one text.
fn in_words(finding: &Diagnostic) -> String {
    let mut text = finding.message.clone();
    for note in &finding.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    if let Some(help) = &finding.help {
        text.push_str(&format!("\nhelp: {help}"));
    }
    text
}

/// Findings as workflow commands, which GitHub shows beside the lines of a change.
///
/// # Errors
/// Where writing fails.
pub fn findings_github(findings: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut properties = Vec::new();
        if let Some(place) = &finding.place {
            properties.push(format!("file={}", property(&place.file)));
            if place.line > 0 {
                let end = place.column.saturating_add(place.width.max(1));
                properties.push(format!("line={},col={},endColumn={end}", place.line, place.column));
            }
        }
        properties.push(format!("title={}", property(finding.code)));
        writeln!(out, "::{command} {}::{}", properties.join(","), data(&in_words(finding)))?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    visible(&text).into_owned()
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Findings as JUnit XML: a file is a test, and it fails if an error is in it.
///
/// # Errors
/// Where writing fails.
pub fn findings_junit(files: &[String], findings: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let mut cases: BTreeMap<&str, Vec<&Diagnostic>> =
        files.iter().map(|file| (file.as_str(), Vec::new())).collect();
    for finding in findings {
        let file = finding.place.as_ref().map_or("dsrules", |place| &*place.file);
        cases.entry(file).or_default().push(finding);
    }
    let is_failed = |findings: &Vec<&Diagnostic>| findings.iter().any(|finding| finding.is_error());
    let failed = cases.values().filter(|findings| is_failed(findings)).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"dsrules validate\" tests=\"{}\" failures=\"{failed}\">", cases.len())?;
    writeln!(out, "  <testsuite name=\"manifests\" tests=\"{}\" failures=\"{failed}\">", cases.len())?;
    for (file, findings) in &cases {
        if findings.is_empty() {
            writeln!(out, "    <testcase classname=\"manifests\" name=\"{}\"/>", xml(file))?;
            continue;
        }
        writeln!(out, "    <testcase classname=\"manifests\" name=\"{}\">", xml(file))?;
        for finding in findings {
            let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
            let text = format!("{place}: {}", in_words(finding));
            if finding.is_error() {
                let message = xml(&finding.message);
                writeln!(
                    out,
                    "      <failure type=\"{}\" message=\"{message}\">{}</failure>",
                    finding.code,
                    xml(&text)
                )?;
            } else {
                writeln!(out, "      <system-out>{}</system-out>", xml(&text))?;
            }
        }
        writeln!(out, "    </testcase>")?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

pub(super) fn xml(text: &str) -> String {
    let text = visible(text);
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn findings() -> Vec<Diagnostic> {
        let place = |line| Place {
            file: "a b,c.yaml".into(),
            line,
            column: 3,
            width: 4,
            text: "  name: <x>".into(),
            cut: 0,
        };
        vec![
            Diagnostic::error("invalid-value", "`name` must be \"x\" & not `<x>`\n100%")
                .at(place(2))
                .related(place(1), "first here")
                .help("write `x`"),
            Diagnostic::warning("boolean-key", "odd").at(Place::file("d.yaml")),
            Diagnostic::error("no-input", "nothing \u{1b}[2J"),
        ]
    }

    fn text(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn github_commands_stay_on_one_line_each() {
        assert_eq!(
            text(|out| findings_github(&findings(), out)),
            "::error file=a b%2Cc.yaml,line=2,col=3,endColumn=7,title=invalid-value::`name` must be \"x\" & not `<x>`%0A100%25%0Ahelp: write `x`\n\
             ::warning file=d.yaml,title=boolean-key::odd\n\
             ::error title=no-input::nothing \\u{1b}[2J\n"
        );
    }

    #[test]
    fn junit_has_a_case_for_each_file() {
        let files = ["a b,c.yaml".to_owned(), "sound.yaml".to_owned()];
        let shown = text(|out| findings_junit(&files, &findings(), out));
        assert!(shown.contains("tests=\"4\" failures=\"2\""), "{shown}");
        assert!(shown.contains("name=\"sound.yaml\"/>"));
        assert!(shown.contains("message=\"`name` must be &quot;x&quot; &amp; not `&lt;x&gt;`&#10;100%\""));
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn sarif_has_places_and_rules() {
        let shown: Value = serde_json::from_str(&text(|out| findings_sarif(&findings(), out))).unwrap();
        let run = &shown["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 3);
        let location = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(location["artifactLocation"]["uri"], "a%20b%2Cc.yaml");
        assert_eq!(location["region"]["endColumn"], 7);
        assert_eq!(run["results"][0]["relatedLocations"][0]["message"]["text"], "first here");
        assert!(run["results"][2].get("locations").is_none());
    }

    #[test]
    fn json_counts_and_keeps_the_order() {
        let shown: Value = serde_json::from_str(&text(|out| findings_json(&[], &findings(), out))).unwrap();
        assert_eq!(shown["summary"], json!({ "files": 0, "errors": 2, "warnings": 1 }));
        assert_eq!(shown["findings"][0]["place"]["line"], 2);
        assert_eq!(shown["findings"][2]["code"], "no-input");
    }
}
