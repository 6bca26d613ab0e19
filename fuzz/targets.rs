//! What is fuzzed, and what must hold for any input.
//!
//! The fuzzing programs run these functions on what libFuzzer makes up; a plain test
//! (`tests/fuzz_seeds.rs`) runs them on the seeds. A panic is a finding.

use dsrules::datalog::{Program, Source};
use dsrules::diagnostic::Diagnostic;
use dsrules::manifest::{Input, Limits, Options, read};
use dsrules::validate::{validate, validate_update};

/// Reading manifests: any bytes give objects or errors, and errors can be shown.
pub fn manifest(bytes: &[u8]) {
    let limits = Limits { alias_bytes: 1 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let input = Input::Text { name: "<stdin>".into(), bytes: bytes.to_vec().into() };
    let reading = read(&[input], &options);
    shown(&reading.diagnostics);
    let file = &reading.files[0];
    assert!(file.complete || reading.has_errors(), "what is not understood is an error");
    assert!(!reading.objects.is_empty() || !reading.others.is_empty() || reading.has_errors());
    for object in &reading.objects {
        assert!(!object.key.name.is_empty() && !object.key.name.contains(['/', '\n', '\u{1b}']));
        assert_eq!(object.key.namespace.is_empty(), !object.kind.namespaced());
        // Of a kind that is not managed no more is known.
        if object.kind.is_other() {
            continue;
        }
        assert_eq!(validate(object.kind, &object.value, None), [], "a sound object is sound");
        assert_eq!(validate_update(object.kind, &object.value, &object.value), [], "nothing changed");
    }
}

/// Reading rules: any text gives a program or errors, and errors can be shown.
pub fn rules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let loaded = Program::load(&[Source { file: "fuzz.dl", text, builtin: false, folder: "" }]);
    shown(&loaded.diagnostics);
}

/// Every diagnostic has a form for people, without anything that acts on a terminal.
fn shown(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let text = diagnostic.render(false);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        assert!(!diagnostic.render(true).is_empty());
    }
}
