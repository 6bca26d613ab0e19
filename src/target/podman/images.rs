//! The images of a pod, brought as its containers ask before anything of it starts: an old
//! pod is not stopped for a new one that could not begin.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::command::{Command, PULL};
use super::files::Folder;
use super::text::word;
use crate::diagnostic::Diagnostic;
use crate::kube::{decode_base64, list};

const PULL_HELP: &str = "check its name, the network and `imagePullSecrets`; \
    or load it with `podman load` and say `imagePullPolicy: IfNotPresent`";

/// The file of credentials in a pod's folder.
const CREDENTIALS: &str = "auth.json";

/// Brings the images of a pod; `name` is its name for podman.
pub(super) fn bring(
    podman: &Command,
    folder: &Folder,
    name: &str,
    spec: &Value,
    objects: &[Value],
) -> Result<(), Diagnostic> {
    let mut images: BTreeMap<&str, &Value> = BTreeMap::new();
    for container in list(spec, "initContainers").chain(list(spec, "containers")) {
        images.insert(word(container, "image"), container);
    }
    let credentials = credentials(spec, objects);
    for (image, container) in images {
        let policy = word(container, "imagePullPolicy");
        // An image of this machine's own is in no registry.
        let is_own = image.starts_with("localhost/");
        if (policy != "Always" || is_own) && podman.ask(&["image", "exists", image]).is_ok() {
            continue;
        }
        if policy == "Never" || is_own {
            let asked = if is_own { "it is in no registry" } else { "`imagePullPolicy` is `Never`" };
            return Err(Diagnostic::error(
                "image-missing",
                format!("image `{image}` is not on this machine, and {asked}"),
            )
            .help(format!("load it with `podman load`, or build it as `{image}`")));
        }
        pull(podman, folder, name, image, &credentials)?;
    }
    for container in list(spec, "initContainers").chain(list(spec, "containers")) {
        check_user(podman, container, spec)?;
    }
    Ok(())
}

fn pull(
    podman: &Command,
    folder: &Folder,
    name: &str,
    image: &str,
    credentials: &Value,
) -> Result<(), Diagnostic> {
    let file = folder.of(name).join(CREDENTIALS);
    let option = format!("--authfile={}", file.display());
    let mut words = vec!["pull", "--quiet"];
    if credentials.is_object() {
        folder.keep(name, CREDENTIALS, &credentials.to_string())?;
        words.push(&option);
    }
    words.push(image);
    podman.run(&words, "", PULL).map(drop).map_err(|fault| {
        let mut told = fault.told();
        if told.code == "podman-failed" {
            told.code = "image-pull";
        }
        told.message = format!("image `{image}` cannot be pulled: {}", fault.line());
        told.help.get_or_insert_with(|| PULL_HELP.to_owned());
        told
    })
}

/// The credentials of `imagePullSecrets`, in one file of podman's; null where there are none.
/// A Secret that is not there is gone past, as a kubelet does: the pull may well work.
fn credentials(spec: &Value, objects: &[Value]) -> Value {
    let mut all = Value::Null;
    for reference in list(spec, "imagePullSecrets") {
        let is_meant = |it: &&Value| it["kind"] == "Secret" && it["metadata"]["name"] == reference["name"];
        let Some(secret) = objects.iter().find(is_meant) else { continue };
        let read = |key: &str| -> Option<Value> {
            let plain = secret["stringData"][key].as_str().map(|text| text.as_bytes().to_vec());
            serde_json::from_slice(&plain.or_else(|| decode_base64(secret["data"][key].as_str()?))?).ok()
        };
        let registries =
            read(".dockerconfigjson").map(|it| it["auths"].clone()).or_else(|| read(".dockercfg"));
        for (registry, entry) in registries.as_ref().and_then(Value::as_object).into_iter().flatten() {
            all["auths"][registry] = json!({ "auth": entry["auth"] });
        }
    }
    all
}

/// `runAsNonRoot`, which podman does not look at.
fn check_user(podman: &Command, container: &Value, spec: &Value) -> Result<(), Diagnostic> {
    let said = |field: &str| match &container["securityContext"][field] {
        Value::Null => spec["securityContext"][field].clone(),
        own => own.clone(),
    };
    if said("runAsNonRoot") != true {
        return Ok(());
    }
    let (name, image) = (word(container, "name"), word(container, "image"));
    let user = match said("runAsUser").as_i64() {
        Some(user) => user.to_string(),
        None => {
            let asked = podman.ask(&["image", "inspect", "--format", "{{.User}}", image]);
            asked.map_err(|fault| fault.told())?.trim().to_owned()
        }
    };
    if !matches!(user.split(':').next(), None | Some("" | "0" | "root")) {
        return Ok(());
    }
    Err(Diagnostic::error(
        "runs-as-root",
        format!("container `{name}` has `runAsNonRoot` and would run as root"),
    )
    .help("set `runAsUser` in its securityContext, or a user in its image"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A podman that knows the image `here` and pulls `far`; what it was asked to pull.
    fn brought(container: Value) -> (Result<(), Diagnostic>, String) {
        let dir = tempfile::tempdir().unwrap();
        let script = "case \"$0 $1\" in \
            'image exists') test \"$2\" = here;; \
            'image inspect') echo root;; \
            *) echo \"$@\" >> pulled; for last; do :; done; test \"$last\" = far || { echo 'Error: no such host' >&2; exit 125; };; esac";
        let options = vec!["-c".to_owned(), script.to_owned()];
        let podman = Command { program: "sh".to_owned(), options, folder: dir.path().to_owned() };
        let folder = Folder::open(&dir.path().join("pods")).unwrap();
        let result = bring(&podman, &folder, "shop.web", &json!({ "containers": [container] }), &[]);
        (result, std::fs::read_to_string(dir.path().join("pulled")).unwrap_or_default())
    }

    #[test]
    fn images_come_as_their_policy_says() {
        let of = |image: &str, policy: &str| {
            brought(json!({"name": "web", "image": image, "imagePullPolicy": policy}))
        };
        assert_eq!(of("here", "IfNotPresent"), (Ok(()), String::new()));
        assert_eq!(of("here", "Never"), (Ok(()), String::new()));
        assert_eq!(of("far", "IfNotPresent"), (Ok(()), "--quiet far\n".to_owned()));
        assert_eq!(of("far", "Always").1, "--quiet far\n");
        let missing = of("far", "Never").0.unwrap_err();
        assert_eq!(missing.message, "image `far` is not on this machine, and `imagePullPolicy` is `Never`");
        assert_eq!(of("localhost/x:1", "Always").0.unwrap_err().code, "image-missing");
        let failed = of("gone", "IfNotPresent").0.unwrap_err();
        assert_eq!(
            (failed.code, &*failed.message),
            ("image-pull", "image `gone` cannot be pulled: no such host")
        );
    }

    #[test]
    fn credentials_are_whatever_a_secret_says() {
        let of = |text: &str| {
            let secret = json!({ "kind": "Secret", "metadata": { "name": "s" }, "stringData": { ".dockerconfigjson": text } });
            credentials(&json!({ "imagePullSecrets": [{ "name": "s" }] }), &[secret])
        };
        let auths = json!({ "auths": { "r.example": { "auth": "eDp5" } } });
        assert_eq!(of(&auths.to_string()), auths);
        for odd in ["[]", "\"x\"", "1", "null", "{", "{\"auths\": [1]}", "{\"auths\": \"x\"}"] {
            assert_eq!(of(odd), Value::Null, "{odd}");
        }
        assert_eq!(of("{\"auths\": {\"r\": 3}}"), json!({ "auths": { "r": { "auth": null } } }));
    }

    #[test]
    fn who_must_not_be_root_is_not() {
        let of =
            |security: Value| brought(json!({"name": "web", "image": "here", "securityContext": security})).0;
        assert_eq!(of(json!({"runAsNonRoot": true})).unwrap_err().code, "runs-as-root");
        assert_eq!(of(json!({"runAsNonRoot": true, "runAsUser": 0})).unwrap_err().code, "runs-as-root");
        assert_eq!(of(json!({"runAsNonRoot": true, "runAsUser": 7})), Ok(()));
    }

    #[test]
    fn credentials_are_podmans_own_form() {
        let all =
            [json!({"kind": "Secret", "metadata": {"name": "reg", "namespace": "shop"}, "stringData": {
            ".dockerconfigjson": r#"{"auths": {"r.example": {"username": "u", "auth": "dTpw"}}}"#}})];
        let spec = json!({"imagePullSecrets": [{"name": "reg"}, {"name": "none"}]});
        assert_eq!(credentials(&spec, &all), json!({"auths": {"r.example": {"auth": "dTpw"}}}));
        assert_eq!(credentials(&json!({}), &all), Value::Null);
    }
}
