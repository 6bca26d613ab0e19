//! What an API server answers instead of what was asked for, in its words and with its reasons.

use serde_json::{Value, json};

use super::resource::Resource;
use crate::diagnostic::Diagnostic;

/// Why something is refused, with the code that HTTP has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Reason {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    AlreadyExists,
    Conflict,
    Expired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
    Invalid,
    TooManyRequests,
    InternalError,
    ServiceUnavailable,
    Timeout,
}

impl Reason {
    /// Its code and its name.
    #[must_use]
    pub fn code(self) -> (u16, &'static str) {
        match self {
            Reason::BadRequest => (400, "BadRequest"),
            Reason::Unauthorized => (401, "Unauthorized"),
            Reason::Forbidden => (403, "Forbidden"),
            Reason::NotFound => (404, "NotFound"),
            Reason::MethodNotAllowed => (405, "MethodNotAllowed"),
            Reason::NotAcceptable => (406, "NotAcceptable"),
            Reason::AlreadyExists => (409, "AlreadyExists"),
            Reason::Conflict => (409, "Conflict"),
            Reason::Expired => (410, "Expired"),
            Reason::RequestEntityTooLarge => (413, "RequestEntityTooLarge"),
            Reason::UnsupportedMediaType => (415, "UnsupportedMediaType"),
            Reason::Invalid => (422, "Invalid"),
            Reason::TooManyRequests => (429, "TooManyRequests"),
            Reason::InternalError => (500, "InternalError"),
            Reason::ServiceUnavailable => (503, "ServiceUnavailable"),
            Reason::Timeout => (504, "Timeout"),
        }
    }
}

/// One of several things that are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What kind of thing.
    pub reason: &'static str,
    /// In words.
    pub message: String,
    /// The field, where it is one's.
    pub field: String,
}

/// What is answered instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// In words.
    pub message: String,
    /// The name of the object, its group, and its resource or kind.
    pub about: Option<(String, &'static str, &'static str)>,
    /// What is wrong, one by one.
    pub causes: Vec<Cause>,
    /// After how many seconds it may be asked again.
    pub retry: Option<u64>,
    /// Where a list can be gone on with all the same.
    pub resume: Option<String>,
}

impl Refused {
    /// A refusal with no more to say than a sentence.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Refused {
            reason,
            message: message.into(),
            about: None,
            causes: Vec::new(),
            retry: None,
            resume: None,
        }
    }

    /// The same about an object.
    #[must_use]
    pub fn about(mut self, resource: &Resource, name: &str) -> Self {
        self.about = Some((name.to_owned(), resource.group, resource.plural));
        self
    }

    /// No path leads anywhere.
    #[must_use]
    pub fn nowhere() -> Self {
        Refused {
            about: Some((String::new(), "", "")),
            ..Refused::new(Reason::NotFound, "the server could not find the requested resource")
        }
    }

    /// There is no such object.
    #[must_use]
    pub fn not_found(resource: &Resource, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Refused::new(Reason::NotFound, message).about(resource, name)
    }

    /// A path that there is does not take this verb.
    #[must_use]
    pub fn not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Refused { about: Some((String::new(), "", "")), ..Refused::new(Reason::MethodNotAllowed, message) }
    }

    /// The client may not do it.
    #[must_use]
    pub fn forbidden(resource: &Resource, name: &str, why: &str) -> Self {
        let message = match name {
            "" => format!("{} is forbidden: {why}", resource.qualified()),
            _ => format!("{} \"{name}\" is forbidden: {why}", resource.qualified()),
        };
        Refused::new(Reason::Forbidden, message).about(resource, name)
    }

    /// Somebody else has changed it meanwhile.
    #[must_use]
    pub fn changed(resource: &Resource, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Refused::new(Reason::Conflict, message).about(resource, name)
    }

    /// A version that nobody remembers.
    #[must_use]
    pub fn too_old(asked: u64, oldest: u64) -> Self {
        Refused::new(Reason::Expired, format!("too old resource version: {asked} ({oldest})"))
    }

    /// A version that there is not yet.
    #[must_use]
    pub fn too_new(asked: u64, newest: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {newest}");
        let cause = Cause {
            reason: "ResourceVersionTooLarge",
            message: "Too large resource version".to_owned(),
            field: String::new(),
        };
        Refused {
            about: Some((String::new(), "", "")),
            causes: vec![cause],
            retry: Some(1),
            ..Refused::new(Reason::Timeout, message)
        }
    }

    /// The object as metav1.Status has it.
    #[must_use]
    pub fn status(&self) -> Value {
        let (code, reason) = self.reason.code();
        let mut metadata = json!({});
        if let Some(resume) = &self.resume {
            metadata["continue"] = json!(resume);
        }
        let mut status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": metadata,
            "status": "Failure", "message": self.message, "reason": reason, "code": code });
        let mut details = json!({});
        if let Some((name, group, kind)) = &self.about {
            for (field, text) in [("name", &**name), ("group", *group), ("kind", *kind)] {
                if !text.is_empty() {
                    details[field] = json!(text);
                }
            }
        }
        if !self.causes.is_empty() {
            let cause = |it: &Cause| match &*it.field {
                "" => json!({ "reason": it.reason, "message": it.message }),
                field => json!({ "reason": it.reason, "message": it.message, "field": field }),
            };
            details["causes"] = self.causes.iter().map(cause).collect();
        }
        if let Some(seconds) = self.retry {
            details["retryAfterSeconds"] = json!(seconds);
        }
        if self.about.is_some() || details.as_object().is_some_and(|it| !it.is_empty()) {
            status["details"] = details;
        }
        status
    }
}

/// What went wrong here, and not with what was asked.
impl From<Diagnostic> for Refused {
    fn from(error: Diagnostic) -> Self {
        let mut message = format!("Internal error occurred: {}", error.message);
        for more in error.notes.iter().chain(&error.help) {
            message.push_str("; ");
            message.push_str(more);
        }
        Refused::new(Reason::InternalError, message)
    }
}
