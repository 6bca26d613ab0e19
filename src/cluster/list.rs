//! All objects of one kind, in pages, as they stood at one version of the cluster.

use std::borrow::Cow;
use std::fmt;

use hyper::body::Bytes;
use serde::Deserialize;
use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};

use super::ask::ask;
use super::connect::Cluster;
use super::trouble::Trouble;
use crate::diagnostic::Diagnostic;

/// A list that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// The path of the resource, as `/apis/apps/v1/daemonsets`.
    pub path: &'a str,
    /// What it is called where it is spoken of, as `daemonsets`.
    pub what: &'a str,
    /// As of this version of the cluster; the newest where none is given.
    pub version: Option<&'a str>,
    /// So many objects in a page.
    pub limit: usize,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The list as the server wrote it, in JSON.
    pub text: Bytes,
    /// The version of the cluster that it is of.
    pub version: String,
}

/// Why a list ended before its end.
#[derive(Debug)]
pub enum Gone {
    /// The version is not known any more: the list is to begin anew, and what was read of it
    /// is worth nothing.
    Expired(Trouble),
    /// Something else.
    Failed(Diagnostic),
    /// The server refuses it, or does not answer.
    Trouble(Trouble),
}

/// What a list says of itself.
#[derive(Default)]
struct Head {
    metadata: Option<Metadata>,
    /// That a list has items says that it is one.
    items: bool,
}

/// Takes the head off a list, and goes no further than it has to: what stands in the list is read
/// elsewhere, and is nearly all of it.
struct ReadHead<'h>(&'h mut Head);

impl<'de> Visitor<'de> for ReadHead<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            match &*name {
                "metadata" => self.0.metadata = Some(fields.next_value()?),
                "items" => {
                    self.0.items = true;
                    if self.0.metadata.is_some() {
                        return Err(A::Error::custom("the rest is not looked at"));
                    }
                    fields.next_value::<IgnoredAny>()?;
                }
                _ => _ = fields.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

#[derive(Deserialize, Debug, Default, PartialEq)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    resource_version: String,
    r#continue: String,
}

/// Asks for all pages of a list, one after the other, and gives each to `take`, which may end it.
/// Gives the version that the list is of.
///
/// # Errors
/// When a page is refused, no answer comes, or `take` fails.
pub async fn list(
    cluster: &Cluster,
    asked: &List<'_>,
    mut take: impl AsyncFnMut(Page) -> Result<(), Diagnostic>,
) -> Result<String, Gone> {
    let (mut version, mut resume) = (String::new(), String::new());
    loop {
        let text = match ask(cluster, &path(asked, &resume), asked.what).await {
            Ok(text) => text,
            Err(trouble) if trouble.status == 410 => return Err(Gone::Expired(trouble)),
            Err(trouble) => return Err(Gone::Trouble(trouble)),
        };
        let head = head(&text, cluster, asked.what).map_err(Gone::Failed)?;
        if version.is_empty() {
            version.clone_from(&head.resource_version);
        }
        take(Page { text, version: head.resource_version }).await.map_err(Gone::Failed)?;
        // One that says the same again would be asked for ever.
        if head.r#continue.is_empty() || head.r#continue == resume {
            return Ok(version);
        }
        resume = head.r#continue;
    }
}

fn head(text: &[u8], cluster: &Cluster, what: &str) -> Result<Metadata, Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error(
            "bad-answer",
            format!("the cluster `{}` answers with something else than a list of {what}", cluster.name),
        )
        .because(why)
        .help(format!("is there an API server at {}?", cluster.address))
    };
    let mut head = Head::default();
    let read = serde_json::Deserializer::from_slice(text).deserialize_map(ReadHead(&mut head));
    match (head, read) {
        (Head { metadata: Some(metadata), items: true }, _) => Ok(metadata),
        (_, Err(error)) => Err(wrong(error.to_string())),
        (Head { metadata, items: true }, Ok(())) => Ok(metadata.unwrap_or_default()),
        (_, Ok(())) => Err(wrong("it has no `items`".to_owned())),
    }
}

/// The path of a page: the first as of a version, the next where the one before ended.
fn path(asked: &List<'_>, resume: &str) -> String {
    let mut path = format!("{}?limit={}", asked.path, asked.limit);
    if !resume.is_empty() {
        path.push_str("&continue=");
        path.push_str(&encoded(resume));
    } else if let Some(version) = asked.version {
        path.push_str("&resourceVersionMatch=Exact&resourceVersion=");
        path.push_str(&encoded(version));
    }
    path
}

/// A text as the value of a query: a token is opaque.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_list_is_found_wherever_it_stands() {
        let read = |text: &str| {
            let mut head = Head::default();
            let read =
                serde_json::Deserializer::from_slice(text.as_bytes()).deserialize_map(ReadHead(&mut head));
            (head.metadata, head.items, read.is_ok())
        };
        let of = |version: &str, resume: &str| {
            Some(Metadata { resource_version: version.to_owned(), r#continue: resume.to_owned() })
        };
        let (before, behind) = (
            r#"{"kind":"L","metadata":{"resourceVersion":"7","continue":"a"},"items":[{},"#,
            r#"{"items":[{}],"metadata":{"resourceVersion":"7"}}"#,
        );
        assert_eq!(read(before), (of("7", "a"), true, false), "the rest is not looked at");
        assert_eq!(read(behind), (of("7", ""), true, true));
        assert_eq!(read(r#"{"items":null}"#), (None, true, true));
        assert_eq!(read(r#"{"items":["#), (None, true, false));
        assert_eq!(read(r#"{"metadata":{}}"#), (of("", ""), false, true));
        assert_eq!(read("[]"), (None, false, false));
    }

    #[test]
    fn the_first_page_is_of_a_version_and_the_next_go_on() {
        let asked = List { path: "/api/v1/pods", what: "pods", version: Some("7"), limit: 500 };
        assert_eq!(path(&asked, ""), "/api/v1/pods?limit=500&resourceVersionMatch=Exact&resourceVersion=7");
        assert_eq!(path(&asked, "a+/="), "/api/v1/pods?limit=500&continue=a%2B%2F%3D");
    }
}
