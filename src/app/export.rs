//! `--export FORM=PATH`: files for other programs that follow the world: what Prometheus is to
//! scrape, a zone, a hosts file.
//!
//! A file is written whole or not at all, and only where what it says is new. What cannot be
//! written is told, and changes nothing of what was done.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::reach::serial;
use super::slices::Found;
use crate::diagnostic::Diagnostic;
use crate::kube::{Kind, ObjectKey};
use crate::reach::{DOMAIN, Derived, Form, Listing, Only, Zone, serial_of};
use crate::state::World;
use crate::target::Memory;
use crate::target::tree::{read_file, write_file};

/// A file that is to be kept up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What stands in it.
    pub form: Form,
    /// The file.
    pub path: PathBuf,
    /// The daemonset that it is about; all of them, and all services, where none is named.
    pub daemonset: Option<ObjectKey>,
}

/// What became of such a file.
#[derive(Debug)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Whether it was written: false where it said so already.
    pub result: Result<bool, Diagnostic>,
}

/// `FORM=PATH`, or `FORM:NAMESPACE/DAEMONSET=PATH`.
impl FromStr for Export {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((what, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err("write it as FORM=PATH, like `prometheus-sd=targets.json`".to_owned());
        };
        let (word, daemonset) = match what.split_once(':') {
            Some((word, daemonset)) => (word, Some(daemonset)),
            None => (what, None),
        };
        let Some(form) = Form::ALL.into_iter().find(|form| form.word() == word) else {
            let all = Form::ALL.map(|form| format!("`{}`", form.word())).join(", ");
            return Err(format!("there is no form `{word}`; there is {all}"));
        };
        let key = |text: &str| {
            let (namespace, name) = text.split_once('/').unwrap_or(("default", text));
            let is_key = !namespace.is_empty() && !name.is_empty() && !name.contains('/');
            is_key.then(|| ObjectKey::new(namespace, name))
        };
        let daemonset = match daemonset {
            None => None,
            Some(text) => Some(key(text).ok_or("name a daemonset as NAMESPACE/NAME")?),
        };
        Ok(Export { form, path: path.into(), daemonset })
    }
}

/// Brings files up to date with a store.
#[must_use]
pub fn export_store(exports: &[Export], store: &dyn Memory, now: i64) -> Vec<Exported> {
    if exports.is_empty() {
        return Vec::new();
    }
    match Found::of_store(store, now) {
        Ok(found) => export(exports, &found.world, found.derived(), now),
        Err(error) => {
            exports.iter().map(|it| Exported { path: it.path.clone(), result: Err(error.clone()) }).collect()
        }
    }
}

/// Brings files up to date with a world and what is derived of it.
#[must_use]
pub fn export(exports: &[Export], world: &World, derived: Derived<'_>, now: i64) -> Vec<Exported> {
    let each = |export: &Export| {
        let Export { form, path, daemonset } = export;
        let listing = match daemonset {
            Some(key) => Listing::of(&[(Kind::DaemonSet, key)], Only::default(), world, derived),
            None => Listing::all(*form, world, derived),
        };
        let text = |serial| listing.text(*form, world, derived, &Zone { name: DOMAIN, serial });
        Exported { path: path.clone(), result: bring(path, text, serial(now)) }
    };
    exports.iter().map(each).collect()
}

/// Writes a file if what it says is new. The number of a zone grows with what it says and not
/// with the time, so what is there is compared under its own number.
fn bring(path: &Path, text: impl Fn(u32) -> String, now: u32) -> Result<bool, Diagnostic> {
    let old = read_file(path)?;
    let before = old.as_deref().and_then(serial_of);
    if old.is_some() && old == Some(text(before.unwrap_or(now))) {
        return Ok(false);
    }
    write_file(path, &text(before.map_or(now, |before| now.max(before.wrapping_add(1)))))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_names_a_form_a_file_and_a_daemonset() {
        let of = |text: &str| text.parse::<Export>().map(|it| (it.form, it.path, it.daemonset));
        assert_eq!(of("hosts=a=b"), Ok((Form::Hosts, "a=b".into(), None)));
        let named = Some(ObjectKey::new("ops", "agent"));
        assert_eq!(
            of("prometheus-sd:ops/agent=/a b.json"),
            Ok((Form::PrometheusSd, "/a b.json".into(), named))
        );
        let named = Some(ObjectKey::new("default", "agent"));
        assert_eq!(of("dns-zone:agent=z"), Ok((Form::DnsZone, "z".into(), named)));
        for wrong in ["", "hosts", "hosts=", "=a", "zone=a", "json:/a=b", "json:a/b/c=b", "json:a/=b"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
