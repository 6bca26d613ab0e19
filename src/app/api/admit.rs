//! What an API server makes of an object before it keeps it, and what it refuses.

use serde_json::{Value, json};

use super::refused::{Cause, Reason, Refused};
use super::resource::Resource;
use crate::kube::{Kind, ObjectKey};
use crate::manifest;
use crate::validate::{self, ErrorType, FieldError};

/// What becomes of fields that there are not (`fieldValidation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// They are dropped.
    Ignore,
    /// They are dropped, and the client is told.
    Warn,
    /// They are refused.
    Strict,
}

impl Unknown {
    /// What a client asks for.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Unknown, Refused> {
        match text {
            "" | "Warn" => Ok(Unknown::Warn),
            "Ignore" => Ok(Unknown::Ignore),
            "Strict" => Ok(Unknown::Strict),
            other => {
                let what = format!(
                    "Unsupported value: \"{other}\": supported values: \"Ignore\", \"Strict\", \"Warn\""
                );
                let cause = Cause {
                    reason: "FieldValueNotSupported",
                    message: what.clone(),
                    field: "fieldValidation".to_owned(),
                };
                let message = format!("options \"\" is invalid: fieldValidation: {what}");
                Err(Refused { causes: vec![cause], ..Refused::new(Reason::Invalid, message) })
            }
        }
    }
}

/// Looks at the types of an object's fields; gives what there is to warn of.
///
/// # Errors
/// When one has another type than it should, or there is no such field and that matters.
pub fn decode(kind: Kind, value: &Value, unknown: Unknown) -> Result<Vec<String>, Refused> {
    if kind.is_other() {
        return Ok(Vec::new());
    }
    let found = manifest::faults_of_fields(kind, value);
    if let Some((_, message)) = found.iter().find(|(is_unknown, _)| !is_unknown) {
        let message = format!(
            "{} in version \"{}\" cannot be handled as a {}: {message}",
            kind.written(),
            kind.api_version().rsplit('/').next().unwrap_or(""),
            kind.written()
        );
        return Err(Refused::new(Reason::BadRequest, message));
    }
    let told: Vec<String> = found.into_iter().map(|(_, message)| message).collect();
    match unknown {
        _ if told.is_empty() => Ok(told),
        Unknown::Ignore => Ok(Vec::new()),
        Unknown::Warn => Ok(told),
        Unknown::Strict => {
            let message = format!("strict decoding error: {}", told.join(", "));
            Err(Refused::new(Reason::BadRequest, message))
        }
    }
}

/// Looks at whether an object is what its path says.
///
/// # Errors
/// When it is of another kind, or of another name or namespace.
pub fn identify(resource: &Resource, key: &ObjectKey, value: &mut Value) -> Result<(), Refused> {
    let bad = |message: String| Err(Refused::new(Reason::BadRequest, message));
    if !value.is_object() {
        return bad("the object provided is unrecognized (must be of type Object)".to_owned());
    }
    let (expected, said) = (resource.api_version(), value["apiVersion"].as_str().unwrap_or(""));
    if !said.is_empty() && said != expected {
        return bad(format!(
            "the API version in the data ({said}) does not match the expected API version ({expected})"
        ));
    }
    let said = value["kind"].as_str().unwrap_or("");
    if !said.is_empty() && said != resource.kind {
        return bad(format!(
            "{said} in version \"{}\" cannot be handled as a {}",
            resource.version, resource.kind
        ));
    }
    value["apiVersion"] = json!(expected);
    value["kind"] = json!(resource.kind);
    if !value["metadata"].is_object() {
        value["metadata"] = json!({});
    }
    let metadata = &mut value["metadata"];
    if let Some(fields) = metadata.as_object_mut() {
        // An API server cannot tell none from those that are not there.
        let is_none = |it: &Value| it.as_object().is_some_and(|it| it.is_empty());
        fields.retain(|name, it| !(["annotations", "labels"].contains(&name.as_str()) && is_none(it)));
    }
    match metadata["namespace"].as_str().unwrap_or("") {
        "" => {}
        said if *said == *key.namespace => {}
        _ => {
            return bad(
                "the namespace of the provided object does not match the namespace sent on the request"
                    .to_owned(),
            );
        }
    }
    if !key.namespace.is_empty() {
        metadata["namespace"] = json!(&*key.namespace);
    }
    match metadata["name"].as_str().unwrap_or("") {
        "" => metadata["name"] = json!(&*key.name),
        said if *said == *key.name => {}
        said => {
            return bad(format!(
                "the name of the object ({said}) does not match the name on the URL ({})",
                key.name
            ));
        }
    }
    Ok(())
}

/// Looks at whether an object is sound.
///
/// # Errors
/// All that is not.
pub fn validate(resource: &Resource, kind: Kind, value: &Value, old: Option<&Value>) -> Result<(), Refused> {
    let errors = validate::validate(kind, value, old);
    let name = value["metadata"]["name"].as_str().unwrap_or("");
    if errors.is_empty() { Ok(()) } else { Err(invalid(resource, name, &errors)) }
}

fn invalid(resource: &Resource, name: &str, errors: &[FieldError]) -> Refused {
    let causes: Vec<Cause> = errors.iter().map(cause).collect();
    let told: Vec<String> = causes.iter().map(|it| format!("{}: {}", it.field, it.message)).collect();
    let told = if told.len() == 1 { told[0].clone() } else { format!("[{}]", told.join(", ")) };
    let message = format!("{} \"{name}\" is invalid: {told}", resource.qualified_kind());
    Refused {
        about: Some((name.to_owned(), resource.group, resource.kind)),
        causes,
        ..Refused::new(Reason::Invalid, message)
    }
}

fn cause(error: &FieldError) -> Cause {
    let reason = match error.kind {
        ErrorType::Required => "FieldValueRequired",
        ErrorType::Invalid => "FieldValueInvalid",
        ErrorType::NotSupported => "FieldValueNotSupported",
        ErrorType::Duplicate => "FieldValueDuplicate",
        ErrorType::Forbidden => "FieldValueForbidden",
        ErrorType::NotFound => "FieldValueNotFound",
        ErrorType::TooLong => "FieldValueTooLong",
    };
    let mut message = error.kind.words().to_owned();
    let shows = !matches!(error.kind, ErrorType::Required | ErrorType::Forbidden | ErrorType::TooLong);
    if let Some(value) = error.value.as_ref().filter(|_| shows) {
        message.push_str(&format!(": {value:?}"));
    }
    if !error.detail.is_empty() {
        message.push_str(&format!(": {}", error.detail));
    }
    if !error.allowed.is_empty() {
        let allowed: Vec<String> = error.allowed.iter().map(|it| format!("{it:?}")).collect();
        message.push_str(&format!(": supported values: {}", allowed.join(", ")));
    }
    Cause { reason, message, field: error.field.to_string() }
}
