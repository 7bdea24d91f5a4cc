//! The server's folders: separator, special use, creation.

use std::collections::BTreeSet;

use super::ImapError;
use super::exec::{Connection, mailbox};

/// Names under which a Drafts folder is found where the server announces no special use.
const DRAFTS_NAMES: [&str; 9] = [
    "Drafts",
    "INBOX/Drafts",
    "Draft",
    "Черновики",
    "Чернетки",
    "Borradores",
    "Entwürfe",
    "Brouillons",
    "[Gmail]/Drafts",
];

/// Names under which a Sent folder is found where the server announces no special use.
const SENT_NAMES: [&str; 9] = [
    "Sent",
    "INBOX/Sent",
    "Sent Items",
    "Sent Messages",
    "Отправленные",
    "Надіслані",
    "Enviados",
    "Gesendet",
    "[Gmail]/Sent Mail",
];

/// What is known of the server's folders.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Hierarchy separator.
    pub separator: char,
    /// Prefix of the personal namespace where folders live under INBOX (`INBOX.` on Courier).
    pub prefix: String,
    /// All folders, `/` between the levels.
    pub names: BTreeSet<String>,
    /// The Drafts folder, existing or to be created.
    pub drafts: String,
    /// The Sent folder, if there is one.
    pub sent: Option<String>,
    /// Whether the server itself names it as `\Drafts` (RFC 6154).
    pub drafts_by_special_use: bool,
}

impl Folders {
    /// Lists the server's folders.
    ///
    /// # Errors
    /// When the server refuses to list.
    pub async fn list(
        connection: &mut Connection,
        capabilities: &BTreeSet<String>,
        drafts: Option<&str>,
    ) -> Result<Self, ImapError> {
        let command = if capabilities.contains("SPECIAL-USE") && capabilities.contains("LIST-EXTENDED") {
            "LIST \"\" \"*\" RETURN (SPECIAL-USE)"
        } else {
            "LIST \"\" \"*\""
        };
        let reply = connection.exec(command).await?;
        let mut folders = Self {
            separator: '/',
            prefix: String::new(),
            names: BTreeSet::new(),
            drafts: String::new(),
            sent: None,
            drafts_by_special_use: false,
        };
        let mut special = None;
        for item in reply.folders {
            folders.separator = item.separator.unwrap_or(folders.separator);
            let name = super::utf7::decode(&item.name).replace(folders.separator, "/");
            if item.drafts {
                special = Some(name.clone());
            }
            if item.sent {
                folders.sent = Some(name.clone());
            }
            folders.names.insert(name);
        }
        if folders.lives_under_inbox() {
            folders.prefix = "INBOX/".into();
        }
        if folders.sent.is_none() {
            let name = SENT_NAMES.iter().find(|name| folders.names.contains(**name));
            folders.sent = name.map(|name| (*name).to_owned());
        }
        folders.drafts_by_special_use = drafts.is_none() && special.is_some();
        folders.drafts = drafts
            .map(str::to_owned)
            .or(special)
            .or_else(|| {
                DRAFTS_NAMES.iter().find(|name| folders.names.contains(**name)).map(|n| (*n).to_owned())
            })
            .unwrap_or_else(|| format!("{}Drafts", folders.prefix));
        Ok(folders)
    }

    /// Servers like Courier hold every folder under INBOX and refuse others.
    fn lives_under_inbox(&self) -> bool {
        self.names.len() > 1 && self.names.iter().all(|n| n == "INBOX" || n.starts_with("INBOX/"))
    }

    /// The configured name as it is called on this server, `/` between levels.
    #[must_use]
    pub fn full(&self, name: &str) -> String {
        if name == "INBOX" || self.prefix.is_empty() || name.starts_with(&self.prefix) {
            name.to_owned()
        } else {
            format!("{}{name}", self.prefix)
        }
    }

    /// The name for the wire.
    #[must_use]
    pub fn wire(&self, name: &str) -> String {
        mailbox(&self.full(name), self.separator)
    }

    /// Whether the folder exists, as far as we know.
    #[must_use]
    pub fn exists(&self, name: &str) -> bool {
        self.names.contains(&self.full(name))
    }

    /// Whether the folder exists; one that is not known yet is asked for: a person may have made it.
    ///
    /// # Errors
    /// When the server refuses to list.
    pub async fn finds(&mut self, connection: &mut Connection, name: &str) -> Result<bool, ImapError> {
        if !self.exists(name) {
            let reply = connection.exec(&format!("LIST \"\" {}", self.wire(name))).await?;
            if !reply.folders.is_empty() {
                self.names.insert(self.full(name));
            }
        }
        Ok(self.exists(name))
    }

    /// Takes note that a folder is gone.
    pub fn forget(&mut self, name: &str) {
        self.names.remove(&self.full(name));
    }

    /// Creates and subscribes a folder unless it exists.
    ///
    /// # Errors
    /// [`ImapError::Create`] when the server refuses.
    pub async fn ensure(&mut self, connection: &mut Connection, name: &str) -> Result<(), ImapError> {
        if self.exists(name) {
            return Ok(());
        }
        let wire = self.wire(name);
        match connection.exec(&format!("CREATE {wire}")).await {
            Err(ImapError::Refused { why, code, .. }) if !why.to_lowercase().contains("exist") => {
                return Err(ImapError::Create { folder: name.to_owned(), code, why });
            }
            // refused because another connection of ours was faster
            Ok(_) | Err(ImapError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        match connection.exec(&format!("SUBSCRIBE {wire}")).await {
            Ok(_) | Err(ImapError::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
        self.names.insert(self.full(name));
        Ok(())
    }
}
