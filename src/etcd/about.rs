//! Who asks, and who answers.

use tonic::transport::Channel;

use super::access::Access;
use super::api::auth_client::AuthClient;
use super::api::maintenance_client::MaintenanceClient;
use super::api::{AuthenticateRequest, StatusRequest};
use super::ask::Again;
use super::connect::Etcd;
use super::trouble::{Trouble, asks_for_no_user};

/// What an etcd says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Of the cluster.
    pub cluster: u64,
    /// Its version, as `3.4.23`.
    pub version: String,
    /// How large its database is, in bytes.
    pub size: i64,
    /// Its revision.
    pub revision: i64,
}

impl Etcd {
    /// Makes a client, and says who asks where a user is named. Members are connected to when they
    /// are asked; a member that is away is none that is wrong.
    ///
    /// # Errors
    /// When the certificates cannot be read, or a user is named and no member can be reached or
    /// the user is not known.
    pub async fn connect(access: &Access) -> Result<Etcd, Trouble> {
        let etcd = Etcd::new(access)?;
        etcd.authenticate().await?;
        Ok(etcd)
    }

    /// Says who asks: etcd gives a token for a while.
    pub(super) async fn authenticate(&self) -> Result<(), Trouble> {
        let Some((user, password)) = &self.shared.user else { return Ok(()) };
        let asked = || AuthenticateRequest { name: user.clone(), password: password.clone() };
        // A token that is not valid any longer would be refused here too.
        let bare = |link: Channel| async move { AuthClient::new(link).authenticate(asked()).await };
        let answer = self.ask_bare(bare).await;
        let token = match answer {
            Ok(answer) => Some(answer.token),
            Err((status, _)) if status.as_ref().is_some_and(asks_for_no_user) => None,
            Err((_, trouble)) => return Err(trouble),
        };
        let token = token.and_then(|token| token.parse().ok());
        if let Ok(mut kept) = self.shared.who.token.write() {
            *kept = token;
        }
        Ok(())
    }

    /// What the member that is asked says of itself.
    ///
    /// # Errors
    /// When no member answers.
    pub async fn about(&self) -> Result<About, Trouble> {
        let ask = |link| async move { MaintenanceClient::new(link).status(StatusRequest {}).await };
        let status = self.ask(Again::Safe, ask).await?;
        let header = status.header.unwrap_or_default();
        Ok(About {
            cluster: header.cluster_id,
            version: status.version,
            size: status.db_size,
            revision: header.revision,
        })
    }
}
