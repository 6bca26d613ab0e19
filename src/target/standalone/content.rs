//! What ConfigMaps and Secrets hold.

use std::collections::BTreeMap;

use serde_json::Value;

use super::work::Work;
use crate::diagnostic::Diagnostic;
use crate::kube::decode_base64;

/// The two kinds that hold data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    ConfigMap,
    Secret,
}

/// What one holds, by key.
pub(super) type Content = BTreeMap<String, Vec<u8>>;

impl Source {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Source::ConfigMap => "ConfigMap",
            Source::Secret => "Secret",
        }
    }
}

const MISSING: &str = "give its manifest with the others, or say `optional: true`";

impl Work<'_> {
    /// What the object holds that `reference` names, for the field `at`; nothing where it is
    /// optional and not there, or was refused. Of a ConfigMap with what is no text where
    /// `binary` says so.
    pub(super) fn content(
        &mut self,
        source: Source,
        name: &Value,
        optional: &Value,
        binary: bool,
        at: &str,
    ) -> Result<Option<Content>, Diagnostic> {
        let name = name.as_str().unwrap_or("");
        let Some(object) = self.find(source.kind(), name)? else {
            if optional != true {
                let told = format!("the {} `{name}` is in no manifest", source.kind());
                self.refuse(at, told, MISSING);
            }
            return Ok(None);
        };
        let mut content = Content::new();
        let mut wrong = None;
        let texts = |field: &'static str| object[field].as_object().into_iter().flatten();
        let (plain, coded) = match source {
            Source::ConfigMap => ("data", "binaryData"),
            Source::Secret => ("stringData", "data"),
        };
        for (key, value) in texts(coded).filter(|_| binary || source == Source::Secret) {
            match value.as_str().and_then(decode_base64) {
                Some(bytes) => drop(content.insert(key.clone(), bytes)),
                None => wrong = Some(key.clone()),
            }
        }
        for (key, value) in texts(plain) {
            content.insert(key.clone(), value.as_str().unwrap_or("").as_bytes().to_vec());
        }
        if source == Source::Secret && !content.is_empty() && content.values().all(Vec::is_empty) {
            let told = format!("what the Secret `{name}` holds is not in the store");
            self.refuse(at, told, "apply its manifest again, with this `--tree-format`");
            return Ok(None);
        }
        if let Some(key) = wrong {
            let told = format!("`{key}` of the {} `{name}` is not base64", source.kind());
            self.refuse(at, told, "write the value with `stringData`, or encode it");
            return Ok(None);
        }
        Ok(Some(content))
    }

    /// One value of it, which is there or optional.
    pub(super) fn key_of(
        &mut self,
        source: Source,
        reference: &Value,
        at: &str,
    ) -> Result<Option<String>, Diagnostic> {
        let optional = &reference["optional"];
        let content = self.content(source, &reference["name"], optional, false, at)?;
        let Some(mut content) = content else { return Ok(None) };
        let (name, key) = (reference["name"].as_str().unwrap_or(""), reference["key"].as_str().unwrap_or(""));
        match content.remove(key).map(String::from_utf8) {
            Some(Ok(text)) => return Ok(Some(text)),
            Some(Err(_)) => self.refuse(
                at,
                format!("`{key}` of the {} `{name}` is no text", source.kind()),
                "mount it as a file",
            ),
            None if optional == true => {}
            None => self.refuse(at, format!("the {} `{name}` has no key `{key}`", source.kind()), MISSING),
        }
        Ok(None)
    }
}
