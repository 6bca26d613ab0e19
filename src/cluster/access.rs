//! Which cluster is meant: the files and the name of a context, or the service account of the
//! pod that this runs in.

use std::path::PathBuf;

use ::kube::config::{KubeConfigOptions, Kubeconfig};
use ::kube::{Config, config::KubeconfigError};

use crate::diagnostic::{Diagnostic, Place, nearest};

/// Which cluster is meant.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The kubeconfigs, the first before the next, as in `KUBECONFIG`.
    pub files: Vec<PathBuf>,
    /// Whether files that are not there are passed over: `KUBECONFIG` may name such.
    pub lenient: bool,
    /// The context; the one that the files say is current where none is named.
    pub context: Option<String>,
    /// Whether this runs in a pod, whose service account is taken where there is no kubeconfig.
    pub in_pod: bool,
}

/// What says where a cluster is and who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whence {
    /// A kubeconfig.
    Kubeconfig,
    /// The service account of the pod that this runs in.
    ServiceAccount,
}

impl Access {
    /// How the cluster is reached, its name, and who says so.
    pub(super) async fn config(&self) -> Result<(Config, String, Whence), Diagnostic> {
        let Some(files) = self.read()? else {
            if self.in_pod && self.context.is_none() {
                let config = Config::incluster().map_err(|error| service_account(&error.to_string()))?;
                return Ok((config, "in-cluster".to_owned(), Whence::ServiceAccount));
            }
            return Err(self.none());
        };
        let name = self.named(&files)?;
        let options = KubeConfigOptions { context: Some(name.clone()), ..KubeConfigOptions::default() };
        let place = self.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        let config = Config::from_custom_kubeconfig(files, &options)
            .await
            .map_err(|error| unsound(&error, &name).at(Place::file(place)))?;
        Ok((config, name, Whence::Kubeconfig))
    }

    /// All files as one; none where none of them is there.
    fn read(&self) -> Result<Option<Kubeconfig>, Diagnostic> {
        let mut all: Option<Kubeconfig> = None;
        for path in &self.files {
            let shown = path.display().to_string();
            if self.lenient && !path.exists() {
                continue;
            }
            let wrong = |error: &KubeconfigError| unsound(error, "").at(Place::file(shown.as_str()));
            let next = Kubeconfig::read_from(path).map_err(|error| wrong(&error))?;
            all = Some(match all {
                None => next,
                Some(before) => before.merge(next).map_err(|error| wrong(&error))?,
            });
        }
        Ok(all)
    }

    /// The context that is meant, which must be there.
    fn named(&self, files: &Kubeconfig) -> Result<String, Diagnostic> {
        let known = || files.contexts.iter().map(|context| context.name.as_str());
        let Some(name) = self.context.clone().or_else(|| files.current_context.clone()) else {
            return Err(Diagnostic::error(
                "no-context",
                "the kubeconfig says of no context that it is current",
            )
            .because(listed(known()))
            .help("name one, as `--cluster=CONTEXT`, or choose one by `kubectl config use-context`"));
        };
        if known().any(|it| it == name) {
            return Ok(name);
        }
        let unknown = Diagnostic::error("unknown-context", format!("there is no context `{name}`"))
            .because(listed(known()));
        Err(match nearest(&name, known()) {
            Some(near) => unknown.help(format!("did you mean `{near}`?")),
            None => unknown.help("`kubectl config get-contexts` shows what there is"),
        })
    }

    /// The error that nothing says where a cluster is.
    fn none(&self) -> Diagnostic {
        let looked: Vec<String> = self.files.iter().map(|file| format!("`{}`", file.display())).collect();
        let mut none = Diagnostic::error("no-kubeconfig", "there is no kubeconfig, so no cluster is known");
        if !looked.is_empty() {
            none = none.because(format!("looked for {}", looked.join(", ")));
        }
        none.help("name one by `--kubeconfig FILE` or KUBECONFIG; in a pod its service account is taken")
    }
}

/// The contexts that there are.
fn listed<'c>(known: impl Iterator<Item = &'c str>) -> String {
    const MOST: usize = 10;
    let all: Vec<&str> = known.collect();
    let first: Vec<String> = all.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    match all.len() {
        0 => "it has no contexts".to_owned(),
        n if n > MOST => format!("it has {}, and {} more", first.join(", "), n - MOST),
        _ => format!("it has {}", first.join(", ")),
    }
}

fn service_account(why: &str) -> Diagnostic {
    Diagnostic::error("no-service-account", "the service account of this pod cannot be used")
        .because(why)
        .help("let the pod have its token: `automountServiceAccountToken: true`")
}

/// The error about a kubeconfig that says too little, or something wrong.
fn unsound(error: &KubeconfigError, context: &str) -> Diagnostic {
    use KubeconfigError as Error;
    let wrong = |code, message: String| Diagnostic::error(code, message);
    match error {
        Error::ReadConfig(why, _) => wrong("unreadable", "the kubeconfig cannot be read".to_owned())
            .because(why.to_string())
            .help("name another by `--kubeconfig FILE` or KUBECONFIG"),
        Error::Parse(why) => wrong("bad-kubeconfig", "this is no kubeconfig".to_owned())
            .because(why.to_string().lines().next().unwrap_or_default().to_owned()),
        Error::LoadClusterOfContext(name) => wrong(
            "bad-kubeconfig",
            format!("the context `{context}` is of the cluster `{name}`, which is not in the kubeconfig"),
        ),
        Error::LoadCertificateAuthority(why) => wrong(
            "bad-certificate",
            format!("the certificate authority of the context `{context}` cannot be loaded"),
        )
        .because(why.to_string()),
        Error::LoadClientCertificate(why) | Error::LoadClientKey(why) => wrong(
            "bad-certificate",
            format!("the client certificate of the context `{context}` cannot be loaded"),
        )
        .because(why.to_string()),
        Error::ParseCertificates(why) => {
            wrong("bad-certificate", format!("the certificates of the context `{context}` are no PEM"))
                .because(why.to_string())
        }
        other => {
            wrong("bad-kubeconfig", format!("the kubeconfig cannot be used for the context `{context}`"))
                .because(other.to_string())
        }
    }
}
