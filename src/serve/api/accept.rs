//! `Accept`: in which form something is wanted.

/// A form that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Json,
    /// As a Table of this version.
    Table(&'static str),
    /// Its metadata alone, of this version.
    Metadata(&'static str),
    /// Discovery of all groups at once, of this version.
    Discovery(&'static str),
}

/// The first of the forms that a client takes of those that there are; `None` where it takes
/// none of them.
pub fn form(accept: &str, is_there: impl Fn(Form) -> bool) -> Option<Form> {
    if accept.trim().is_empty() {
        return Some(Form::Json);
    }
    accept.split(',').filter_map(one).find(|form| is_there(*form))
}

/// One of the forms that a client names.
fn one(range: &str) -> Option<Form> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?;
    if !matches!(media, "application/json" | "*/*" | "application/*") {
        return None;
    }
    let (mut what, mut group, mut version, mut quality) = ("", "", "", "");
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.trim() {
            "as" => what = value,
            "g" => group = value,
            "v" => version = value,
            "q" => quality = value,
            _ => {}
        }
    }
    if quality.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0) {
        return None;
    }
    let version = |known: [&'static str; 2]| known.into_iter().find(|it| *it == version);
    match (what, group) {
        ("", _) => Some(Form::Json),
        ("Table", "meta.k8s.io") => version(["v1", "v1beta1"]).map(Form::Table),
        ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io") => {
            version(["v1", "v1beta1"]).map(Form::Metadata)
        }
        ("APIGroupDiscoveryList", "apidiscovery.k8s.io") => version(["v2", "v2beta1"]).map(Form::Discovery),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_there_is_served() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;\
                       g=meta.k8s.io,application/json";
        assert_eq!(form(kubectl, |_| true), Some(Form::Table("v1")));
        assert_eq!(form(kubectl, |it| it == Form::Json), Some(Form::Json));
        assert_eq!(form("application/vnd.kubernetes.protobuf,application/json", |_| true), Some(Form::Json));
        assert_eq!(form("application/vnd.kubernetes.protobuf", |_| true), None);
        assert_eq!(form("application/json;as=Table;v=v2;g=meta.k8s.io", |_| true), None);
        assert_eq!(form("*/*;q=0", |_| true), None);
        assert_eq!(form("", |_| false), Some(Form::Json));
    }
}
