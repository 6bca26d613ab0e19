//! Objects against the stored ones whose place they are to take.
//!
//! What may not change (a selector, a name) is known only where there is a store; the
//! caller brings what is stored, and errors are placed in the files that were read.

use crate::diagnostic::{Diagnostic, Place};
use crate::kube::{Kind, Object, ObjectKey, Origin};
use crate::validate;

use super::input;
use super::locate::{self, Wanted};
use super::options::Options;
use super::problem::Problem;
use super::reading::Reading;
use super::source::{Format, Source};
use super::{documents, json, wording};
use crate::validate::path::{FieldPath, Step};

impl Reading {
    /// Finds what may not change of objects that are stored already. Objects that
    /// change it are taken out and diagnostics for them put in.
    ///
    /// # Errors
    /// What `stored` fails with.
    pub fn check_updates<E>(
        &mut self,
        options: &Options,
        mut stored: impl FnMut(Kind, &ObjectKey) -> Result<Option<serde_json::Value>, E>,
    ) -> Result<(), E> {
        let mut wrong = Vec::new();
        for (nth, object) in self.objects.iter().enumerate() {
            if !validate::has_update_rules(object.kind) {
                continue;
            }
            let Some(old) = stored(object.kind, &object.key)? else { continue };
            let errors = validate::validate_update(object.kind, &object.value, &old);
            if !errors.is_empty() {
                wrong.push((nth, errors));
            }
        }
        for (nth, errors) in wrong.iter().rev() {
            let object = self.objects.remove(*nth);
            let identity = (object.kind, object.key.clone());
            for file in &mut self.files {
                let before = file.objects.len();
                file.objects.retain(|one| *one != identity);
                file.complete &= file.objects.len() == before;
            }
            for error in errors {
                let finding = wording::finding(error.clone());
                let diagnostic = self.placed(&object.origin, finding, options);
                self.diagnostics.push(diagnostic);
            }
        }
        Diagnostic::sort(&mut self.diagnostics);
        Ok(())
    }

    fn placed(&self, origin: &Origin, finding: super::schema::Finding, options: &Options) -> Diagnostic {
        let input = self.inputs.iter().find(|input| *input::name_of(input) == *origin.file);
        let source = input.and_then(|input| input::load(input, options).ok()).map(|loaded| loaded.source);
        match source {
            Some(source) => spot(&source, origin, &finding).into_diagnostic(&source),
            None => {
                let source = Source::new(origin.file.clone(), String::new(), Format::Yaml);
                let mut diagnostic = finding.problem.into_diagnostic(&source);
                diagnostic.place = Some(Place::file(origin.file.clone()));
                diagnostic
            }
        }
    }
}

/// Whether an object that is stored just so may always take its own place. A generation may
/// have been counted on since, and finalizers may have gone.
pub(super) fn is_steady(object: &Object) -> bool {
    let meta = &object.value["metadata"];
    meta["generation"].is_null()
        && meta["finalizers"].as_array().is_none_or(Vec::is_empty)
        && (!validate::has_update_rules(object.kind)
            || validate::validate_update(object.kind, &object.value, &object.value).is_empty())
}

/// The problem at its place in the text, found by the way to the object.
fn spot(source: &Source, origin: &Origin, finding: &super::schema::Finding) -> Problem {
    let mut path = way(&origin.path);
    path.0.extend(finding.path.0.iter().cloned());
    let problem = finding.problem.clone();
    let document = origin.document as usize;
    match source.format {
        Format::Json => match json::split(&source.text, document + 1).get(document) {
            Some(outline) => {
                let found = locate::in_json(&source.text, outline.range.start, &[(&path, finding.part)]);
                found.into_iter().fold(problem, Problem::at)
            }
            None => problem,
        },
        Format::Yaml => {
            let chunks = documents::split(&source.text, document + 1);
            let Some(chunk) = chunks.get(document) else { return problem };
            let text = &source.text[chunk.range.clone()];
            let Some(start) = locate::first_mapping(text, chunk.lines_before) else { return problem };
            let wanted = Wanted { start, path, part: finding.part };
            match locate::in_yaml(text, chunk.lines_before, &[wanted]).pop().flatten() {
                Some(spot) => problem.at(spot),
                None => problem,
            }
        }
    }
}

/// `items[3]` as a path.
pub(super) fn way(text: &str) -> FieldPath {
    let mut path = FieldPath::default();
    for part in text.split('.').filter(|part| !part.is_empty()) {
        let (name, index) = part.split_once('[').unwrap_or((part, ""));
        path = path.field(name);
        if let Ok(index) = index.trim_end_matches(']').parse() {
            path.0.push(Step::Index(index));
        }
    }
    path
}
