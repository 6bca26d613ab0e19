//! What a path of the API names.

use super::asked::decoded;
use crate::app::api::Resource;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// The list of paths.
    Root,
    /// `/version`.
    Version,
    /// `/healthz`, `/livez`, `/readyz`, with one check perhaps.
    Health,
    /// `/api`.
    Core,
    /// `/apis`.
    Groups,
    /// `/apis/GROUP`.
    Group(String),
    /// `/api/v1`, `/apis/GROUP/VERSION`.
    Resources(String, String),
    /// `/openapi/v2`.
    OpenApi2,
    /// `/openapi/v3`, or the part of it for a group's version.
    OpenApi3(Option<(String, String)>),
    /// Objects, or one of them.
    Objects(Objects),
    /// What one may do, or who one is.
    Review(Review),
}

/// What is asked about oneself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Review {
    /// Whether something may be done.
    Access,
    /// All that may be done.
    Rules,
    /// Who it is that asks.
    Who,
}

impl Review {
    fn parse(group: &str, version: &str, plural: &str) -> Option<Review> {
        match (group, version, plural) {
            ("authorization.k8s.io", "v1", "selfsubjectaccessreviews") => Some(Review::Access),
            ("authorization.k8s.io", "v1", "selfsubjectrulesreviews") => Some(Review::Rules),
            ("authentication.k8s.io", "v1", "selfsubjectreviews") => Some(Review::Who),
            _ => None,
        }
    }
}

/// Objects that a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    /// The place of their resource.
    pub resource: usize,
    /// The namespace; empty for all, and where there is none.
    pub namespace: String,
    /// The one that is meant.
    pub name: Option<String>,
    /// A part of it, as `status`.
    pub part: Option<String>,
    /// Whether the path itself asks to watch, as it was once done.
    pub watch: bool,
}

impl Path {
    /// What a path names; `None` where it leads nowhere.
    pub fn parse(path: &str) -> Option<Path> {
        let parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(decoded).collect::<Option<_>>()?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let owned = |group: &str, version: &str| (group.to_owned(), version.to_owned());
        Some(match parts.as_slice() {
            [] => Path::Root,
            ["version"] => Path::Version,
            ["healthz" | "livez" | "readyz"] | ["healthz" | "livez" | "readyz", "ping"] => Path::Health,
            ["api"] => Path::Core,
            ["apis"] => Path::Groups,
            ["api", version] => Path::Resources(String::new(), (*version).to_owned()),
            ["apis", group] => Path::Group((*group).to_owned()),
            ["apis", group, version] => {
                let (group, version) = owned(group, version);
                Path::Resources(group, version)
            }
            ["openapi", "v2"] => Path::OpenApi2,
            ["openapi", "v3"] => Path::OpenApi3(None),
            ["openapi", "v3", "api", version] => Path::OpenApi3(Some(owned("", version))),
            ["openapi", "v3", "apis", group, version] => Path::OpenApi3(Some(owned(group, version))),
            ["api", version, rest @ ..] => Path::Objects(Objects::parse("", version, rest)?),
            ["apis", group, version, plural] if Review::parse(group, version, plural).is_some() => {
                Path::Review(Review::parse(group, version, plural)?)
            }
            ["apis", group, version, rest @ ..] => Path::Objects(Objects::parse(group, version, rest)?),
            _ => return None,
        })
    }
}

impl Objects {
    fn parse(group: &str, version: &str, mut rest: &[&str]) -> Option<Objects> {
        let watch = rest.first() == Some(&"watch");
        if watch {
            rest = &rest[1..];
        }
        let of = |plural: &str| Resource::named(group, version, plural);
        let text = |text: &&str| Some((*text).to_owned());
        let objects = |resource, namespace: &str, name, part| Objects {
            resource,
            namespace: namespace.to_owned(),
            name,
            part,
            watch,
        };
        Some(match rest {
            ["namespaces", name, part @ ("status" | "finalize")] if group.is_empty() => {
                objects(of("namespaces")?, "", text(name), text(part))
            }
            ["namespaces", namespace, plural, more @ ..] if more.len() < 3 => {
                let resource = namespaced(of(plural)?, true)?;
                objects(resource, namespace, more.first().and_then(text), more.get(1).and_then(text))
            }
            // Objects of all namespaces have no names.
            [plural] => objects(of(plural)?, "", None, None),
            [plural, more @ ..] if more.len() < 3 => {
                let resource = namespaced(of(plural)?, false)?;
                objects(resource, "", more.first().and_then(text), more.get(1).and_then(text))
            }
            _ => return None,
        })
    }
}

fn namespaced(resource: usize, is: bool) -> Option<usize> {
    (crate::app::api::RESOURCES[resource].namespaced == is).then_some(resource)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn objects(path: &str) -> Option<(String, String, String, String)> {
        match Path::parse(path)? {
            Path::Objects(it) => Some((
                crate::app::api::RESOURCES[it.resource].qualified(),
                it.namespace,
                it.name.unwrap_or_default(),
                it.part.unwrap_or_default(),
            )),
            _ => None,
        }
    }

    #[test]
    fn paths_name_objects() {
        let named = |a: &str, b: &str, c: &str, d: &str| {
            Some((a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned()))
        };
        assert_eq!(objects("/api/v1/pods"), named("pods", "", "", ""));
        assert_eq!(objects("/api/v1/namespaces/a/pods"), named("pods", "a", "", ""));
        assert_eq!(objects("/api/v1/namespaces/a/pods/b/eviction"), named("pods", "a", "b", "eviction"));
        assert_eq!(objects("/api/v1/namespaces/a"), named("namespaces", "", "a", ""));
        assert_eq!(objects("/api/v1/namespaces/a/status"), named("namespaces", "", "a", "status"));
        assert_eq!(objects("/api/v1/nodes/n%2Ed"), named("nodes", "", "n.d", ""));
        assert_eq!(
            objects("/apis/apps/v1/namespaces/a/daemonsets/d"),
            named("daemonsets.apps", "a", "d", "")
        );
        for none in
            ["/api/v1/pods/a", "/api/v2/pods", "/apis/apps/v1/pods", "/api/v1/namespaces/a/nodes", "/x"]
        {
            assert_eq!(objects(none), None, "{none}");
        }
        assert_eq!(Path::parse("/apis/apps/v1"), Some(Path::Resources("apps".into(), "v1".into())));
        let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        assert_eq!(Path::parse(review), Some(Path::Review(Review::Access)));
        assert_eq!(Path::parse("/apis/authorization.k8s.io/v1/others"), None);
        assert_eq!(Path::parse("/api/%zz"), None);
    }
}
