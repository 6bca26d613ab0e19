//! What a person is told of an error of the client: what, where, why, and what to do.

use ::kube::Error;

use crate::diagnostic::Diagnostic;

/// What a person is told of an error of the client, about the cluster `name` at `address`.
#[must_use]
pub fn told(error: &Error, name: &str, address: &str) -> Diagnostic {
    match error {
        Error::Api(status) => {
            Diagnostic::error("refused", format!("the cluster `{name}` refuses it: {}", status.message))
        }
        Error::Auth(why) => Diagnostic::error(
            "no-credentials",
            format!("there is nothing to log in to the cluster `{name}` with"),
        )
        .because(causes(why))
        .help("what the kubeconfig says of the user is wrong, or has expired: log in again"),
        Error::RustlsTls(why) => bad_certificate(name, address, causes(why)),
        Error::Service(_) | Error::HyperError(_) => {
            let why = causes(error);
            if why.to_ascii_lowercase().contains("certificate") {
                return bad_certificate(name, address, why);
            }
            Diagnostic::error("unreachable", format!("the cluster `{name}` does not answer at {address}"))
                .because(why)
                .help("is the address in the kubeconfig right, and is the way there open (VPN, proxy, firewall)?")
        }
        other => {
            Diagnostic::error("bad-answer", format!("the cluster `{name}` gives no answer that can be read"))
                .because(causes(other))
        }
    }
}

fn bad_certificate(name: &str, address: &str, why: String) -> Diagnostic {
    Diagnostic::error("bad-certificate", format!("the certificate of the cluster `{name}` at {address} is not trusted"))
        .because(why)
        .help("`certificate-authority` in the kubeconfig must be that of the cluster, and the address one of the certificate's")
}

/// An error with its causes, each once.
fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !texts.iter().any(|it| it.contains(&text)) {
            texts.push(text);
        }
        next = cause.source();
    }
    texts.last().cloned().unwrap_or_default()
}
