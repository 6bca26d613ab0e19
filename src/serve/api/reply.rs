//! Bodies and heads of answers.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use serde_json::Value;

use crate::app::api::Refused;

/// The form of nearly everything.
pub const JSON: &str = "application/json";

/// An answer with a body of a form.
pub fn reply(code: u16, form: &str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Ok(form) = HeaderValue::from_str(form) {
        headers.insert(CONTENT_TYPE, form);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

/// An answer that is a value.
pub fn json(code: u16, value: &Value) -> Response<Body> {
    reply(code, JSON, format!("{value}\n"))
}

/// An answer in plain words.
pub fn text(code: u16, text: &str) -> Response<Body> {
    reply(code, "text/plain; charset=utf-8", text.to_owned())
}

/// A refusal for which a browser asks its user for a password, and then asks again.
pub fn asks_for_password(refusal: &Refused) -> Response<Body> {
    let mut response = refused(refusal);
    let asked =
        HeaderValue::from_static("Basic realm=\"dsrules: a token as the password\", charset=\"UTF-8\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, asked);
    response
}

/// A refusal.
pub fn refused(refused: &Refused) -> Response<Body> {
    let mut response = json(refused.reason.code().0, &refused.status());
    if let Some(seconds) = refused.retry {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
