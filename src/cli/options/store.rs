//! `--store`: a shared store in place of a file of one's own.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use dsrules::diagnostic::{Diagnostic, Place};
use dsrules::etcd::Access;

/// Where the store is, if it is shared.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct StoreArgs {
    /// Where the store is shared, as `etcd://HOST:2379,HOST:2379/PREFIX` (`etcds://` for TLS); the
    /// database file is a replica of it then [default: dsrules.replica.db]
    #[arg(long, global = true, value_name = "ADDRESS", env = "DSRULES_STORE")]
    pub store: Option<String>,
    /// Who may have signed the certificate of an etcd, as PEM [default: who this machine trusts]
    #[arg(long, global = true, value_name = "FILE", env = "DSRULES_ETCD_CACERT")]
    pub etcd_cacert: Option<PathBuf>,
    /// The certificate to show an etcd, as PEM
    #[arg(long, global = true, value_name = "FILE", env = "DSRULES_ETCD_CERT")]
    pub etcd_cert: Option<PathBuf>,
    /// The key of that certificate, as PEM
    #[arg(long, global = true, value_name = "FILE", env = "DSRULES_ETCD_KEY")]
    pub etcd_key: Option<PathBuf>,
    /// Who asks an etcd; the password is in DSRULES_ETCD_PASSWORD
    #[arg(long, global = true, value_name = "NAME", env = "DSRULES_ETCD_USER")]
    pub etcd_user: Option<String>,
    /// A file with the password of --etcd-user
    #[arg(long, global = true, value_name = "FILE")]
    pub etcd_password_file: Option<PathBuf>,
}

impl StoreArgs {
    /// What is meant, if a shared store is.
    pub fn access(&self) -> Result<Option<Access>, Diagnostic> {
        let Some(store) = self.store.as_ref().filter(|store| !store.is_empty()) else { return Ok(None) };
        let access = Access::parse(store)?;
        let password = match &self.etcd_password_file {
            Some(file) => Some(password(file)?),
            None => std::env::var("DSRULES_ETCD_PASSWORD").ok(),
        };
        let (ca, cert, key) = (self.etcd_cacert.clone(), self.etcd_cert.clone(), self.etcd_key.clone());
        Ok(Some(Access { ca, cert, key, user: self.etcd_user.clone(), password, ..access }))
    }
}

fn password(file: &PathBuf) -> Result<String, Diagnostic> {
    let text = fs::read_to_string(file).map_err(|error| {
        let shown = file.display().to_string();
        Diagnostic::error("bad-store", format!("the password file `{shown}` cannot be read"))
            .at(Place::file(shown))
            .because(error.to_string())
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
