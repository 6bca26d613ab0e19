//! Field errors in words that a person can act on.
//!
//! The message says which field and what is wrong with it, the words under the marker
//! are Kubernetes' own, and the help says what would be right.

use super::problem::Problem;
use super::schema::Finding;
use crate::diagnostic::{Severity, nearest};
use crate::validate::path::Part;
use crate::validate::{ErrorType, FieldError, NO_SELECTOR, Warning};

/// What to tell about a field error, and where.
pub(super) fn finding(error: FieldError) -> Finding {
    if error.detail == NO_SELECTOR {
        return no_selector(error);
    }
    let path = error.at.to_string();
    let value = error.value.as_deref().map(shortened).unwrap_or_default();
    let detail = error.detail.as_str();
    let (code, message) = match error.kind {
        ErrorType::Required if is_predicate(detail) => ("required-value", with(&path, detail)),
        ErrorType::Required => ("required-value", with(&format!("`{path}` is required"), detail)),
        ErrorType::Invalid => {
            let not = !value.is_empty() && error.part == Part::Value && detail.starts_with("must be");
            let not = if not { format!(", not `{value}`") } else { String::new() };
            ("invalid-value", with(&path, detail) + &not)
        }
        ErrorType::NotSupported => {
            ("unsupported-value", with(&format!("`{path}` cannot be `{value}`"), detail))
        }
        ErrorType::Duplicate => ("duplicate-value", with(&format!("`{path}` repeats `{value}`"), detail)),
        ErrorType::Forbidden if is_predicate(detail) => ("forbidden", with(&path, detail)),
        ErrorType::Forbidden => ("forbidden", with(&format!("`{path}` is not allowed here"), detail)),
        ErrorType::NotFound => {
            ("not-found", with(&format!("`{path}` names `{value}`, which is not there"), detail))
        }
        ErrorType::TooLong => ("too-long", with(&format!("`{path}` is too long"), detail)),
    };
    let mut problem = Problem::new(code, message).labelled(error.kind.words());
    problem.help = help(&error);
    Finding { path: error.at, part: error.part, problem }
}

/// What to tell about something that an API server only warns about.
pub(super) fn warning(warning: Warning) -> Finding {
    let message = format!("`{}` {}", warning.at, warning.message);
    let mut problem = Problem::new("server-warning", message).labelled("allowed, but seldom meant");
    problem.severity = Severity::Warning;
    Finding { path: warning.at, part: warning.part, problem }
}

/// A daemonset without a selector, which Kubernetes speaks of as labels of the template
/// that are not selected.
fn no_selector(error: FieldError) -> Finding {
    let problem = Problem::new("required-value", with("spec.selector", &error.detail))
        .labelled(ErrorType::Required.words());
    let problem = if error.allowed.is_empty() {
        problem.help(
            "below `spec:`, write `selector: {matchLabels: {app: NAME}}`, and the same label in the template",
        )
    } else {
        let labels = error.allowed.join(", ");
        problem.help(format!(
            "below `spec:`, write `selector: {{matchLabels: {{{labels}}}}}`, which are labels of the template"
        ))
    };
    Finding { path: error.at, part: error.part, problem }
}

/// Whether a detail says something of the field, as in "must be 1".
fn is_predicate(detail: &str) -> bool {
    let first = detail.split(' ').next().unwrap_or("");
    matches!(first, "must" | "may" | "can" | "cannot" | "is" | "needs" | "stands" | "contradicts")
}

/// A field and what is said of it, in one sentence.
fn with(what: &str, detail: &str) -> String {
    let is_path = !what.contains('`');
    match (is_path, detail) {
        (true, "") => format!("`{what}` is invalid"),
        (true, detail) if is_predicate(detail) => format!("`{what}` {detail}"),
        (true, detail) => format!("`{what}`: {detail}"),
        (false, "") => what.to_owned(),
        (false, detail) => format!("{what}: {detail}"),
    }
}

/// Long values are cut and line feeds written out; the line is shown anyway.
fn shortened(value: &str) -> String {
    const LONGEST: usize = 40;
    let value = value.replace('\n', "\\n");
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value,
    }
}

/// What would be right: the nearest of the allowed values, or all of them.
fn help(error: &FieldError) -> Option<String> {
    if error.allowed.is_empty() {
        return hint(error);
    }
    let quoted: Vec<String> = error.allowed.iter().map(|one| format!("`{one}`")).collect();
    let all = match quoted.as_slice() {
        [one] => format!("it must be {one}"),
        [first @ .., last] => format!("it can be {} or {last}", first.join(", ")),
        [] => return None,
    };
    let written = error.value.as_deref().unwrap_or("");
    if error.kind == ErrorType::NotFound {
        let near = nearest(written, error.allowed.iter().map(String::as_str));
        return Some(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is {}", quoted.join(", ")),
        });
    }
    match nearest(written, error.allowed.iter().map(String::as_str)) {
        Some(near) if error.allowed.len() > 1 => Some(format!("did you mean `{near}`? {all}")),
        _ => Some(all),
    }
}

/// Advice for the mistakes that are made most.
fn hint(error: &FieldError) -> Option<String> {
    let reported = error.field.to_string();
    let advice = match (error.kind, reported.as_str()) {
        (ErrorType::Invalid, "spec.template.metadata.labels") => {
            "give the template every label that `spec.selector` asks for"
        }
        (ErrorType::Invalid, "spec.selector") if error.detail.contains("may not change") => {
            "leave the selector as it was; or delete the daemonset with its pods, and apply it again: pods left as \
             orphans stay beside the new ones where the new selector does not match them"
        }
        (ErrorType::Invalid, "spec.selector") if error.detail.contains("empty selector") => {
            "add `matchLabels` with a label of the template"
        }
        (ErrorType::Required, path) if path.ends_with("].image") => "add `image:` to the container",
        (ErrorType::Invalid, path) if path.ends_with(".hostPort") && error.detail.contains("hostNetwork") => {
            "leave `hostPort` out: without it the port of the container is the one of the host"
        }
        (ErrorType::Required, "metadata.name") => "add `name:` under `metadata:`",
        (ErrorType::Required, path) if path.ends_with("containers") => {
            "add `containers:` with at least one `name` and `image`"
        }
        (ErrorType::Required, "spec.updateStrategy.rollingUpdate.maxUnavailable") => {
            "set `maxUnavailable` or `maxSurge` to 1 or more"
        }
        (ErrorType::Forbidden, "metadata.namespace") => "remove the line",
        (ErrorType::Invalid, "metadata.name" | "metadata.namespace") => {
            let written = error.value.as_deref().unwrap_or("");
            let mut fixed = sound_name(written);
            if error.detail.contains("start with a letter") {
                fixed = format!("svc-{fixed}");
            }
            if reported == "metadata.namespace" {
                fixed = fixed.replace('.', "-");
            }
            return (!fixed.is_empty()).then(|| format!("a name that would do: `{fixed}`"));
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

/// A name like the one that was written, of the form that names must have.
fn sound_name(written: &str) -> String {
    const LONGEST: usize = 63;
    let lower = written.to_lowercase();
    let kept: String = lower
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .take(LONGEST)
        .collect();
    let parts = kept.split('.').map(|part| part.trim_matches('-')).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mended() {
        assert_eq!(sound_name("My_Agent"), "my-agent");
        assert_eq!(sound_name("-a..b-/"), "a.b");
        assert_eq!(sound_name("../../etc"), "etc");
        assert_eq!(sound_name("ÄÖ"), "");
    }
}
