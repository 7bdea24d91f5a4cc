//! Access tokens for mail servers (RFC 6749): fetched over our own connection, kept in memory, fetched
//! again at three quarters of their life, and at once when a mail server refuses one.

mod request;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::ledger::keys::hex;
use super::said::said;
use super::wire::WireError;
use crate::config::{OAuth2, Secret, SecretError};
use crate::time::Timestamp;

/// Life of a token whose provider does not say.
const USUAL_LIFE: Duration = Duration::from_hours(1);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The provider cannot be reached.
    #[error("no token: {0}")]
    Wire(#[from] WireError),
    /// The url cannot be used.
    #[error("token-url {url:?} must be https://host/path (http only to this machine)")]
    Url {
        /// As configured.
        url: String,
    },
    /// The provider answers something else.
    #[error("no token: {host} answers {what}")]
    Answer {
        /// Its name.
        host: String,
        /// What it answered.
        what: String,
    },
    /// The provider refuses: nothing but a person can help.
    #[error("{host} gives no token: {why}; {fix}")]
    Refused {
        /// Its name.
        host: String,
        /// What it says.
        why: String,
        /// What to do.
        fix: String,
    },
    /// The new refresh token cannot be kept: the old one will expire.
    #[error("the new refresh token cannot be written to {path}: {source}; make the directory writable")]
    Keep {
        /// Where it should be kept.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl TokenError {
    /// Whether the provider understood, and said no.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

#[derive(Clone)]
struct Cached {
    access: Secret,
    at: Instant,
    life: Duration,
}

/// One token for a config: IMAP and SMTP, and all folders, share it.
static CACHE: Mutex<BTreeMap<String, Cached>> = Mutex::new(BTreeMap::new());

/// When consents end, as far as providers have said: how long from then.
static CONSENTS: Mutex<BTreeMap<String, (Instant, Duration)>> = Mutex::new(BTreeMap::new());

/// When the consent ends, if the provider has said so.
#[must_use]
pub fn consent_end(oauth: &OAuth2, now: Timestamp) -> Option<Timestamp> {
    let (at, left) = *CONSENTS.lock().unwrap_or_else(PoisonError::into_inner).get(&key(oauth))?;
    Some(now.plus(left.saturating_sub(at.elapsed())))
}

fn key(oauth: &OAuth2) -> String {
    hex(Sha256::digest(format!("{oauth:?}")).iter().take(16))
}

fn cached(oauth: &OAuth2) -> Option<Cached> {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(&key(oauth)).cloned()
}

/// A mail server has refused the token: the next one is fetched anew.
pub fn forget(oauth: &OAuth2) {
    CACHE.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(oauth));
}

/// A token that is good: from memory, or fetched when three quarters of its life are over. While the
/// provider cannot be reached the old one serves until its end.
///
/// # Errors
/// See [`TokenError`].
pub async fn access(oauth: &OAuth2) -> Result<Secret, TokenError> {
    if let Some(path) = &oauth.access_token_file {
        let source = crate::config::secret::read_secret(Some(path), None)?;
        return source.ok_or_else(|| TokenError::Url { url: String::new() });
    }
    let old = cached(oauth);
    if let Some(token) = &old
        && token.at.elapsed() < token.life.mul_f32(0.75)
    {
        return Ok(token.access.clone());
    }
    match fetch(oauth).await {
        Ok(access) => Ok(access),
        Err(error) => match old.filter(|token| !error.is_refusal() && token.at.elapsed() < token.life) {
            Some(token) => Ok(token.access),
            None => Err(error),
        },
    }
}

async fn fetch(oauth: &OAuth2) -> Result<Secret, TokenError> {
    let url = oauth.url().unwrap_or_default();
    let configured = oauth.refresh_token()?;
    let refresh = configured.as_ref().map(|first| kept(oauth, first).unwrap_or_else(|| first.clone()));
    let secret = oauth.client_secret()?;
    let mut form = vec![("client_id", oauth.client_id.as_str())];
    match &refresh {
        Some(token) => form.extend([("grant_type", "refresh_token"), ("refresh_token", token.reveal())]),
        None => form.push(("grant_type", "client_credentials")),
    }
    form.extend(oauth.wanted_scope().map(|scope| ("scope", scope)));
    form.extend(secret.as_ref().map(|secret| ("client_secret", secret.reveal())));
    let at = Instant::now();
    let answer = request::post(&url, oauth.ca_file.as_deref(), &form).await?;
    let grant = judge(&answer, oauth)?;
    if let Some(left) = grant.consent {
        CONSENTS.lock().unwrap_or_else(PoisonError::into_inner).insert(key(oauth), (at, left));
    }
    let access = Secret::new(grant.access);
    let token = Cached { access: access.clone(), at, life: grant.life };
    CACHE.lock().unwrap_or_else(PoisonError::into_inner).insert(key(oauth), token);
    if let (Some(new), Some(first)) = (grant.refresh, &configured)
        && refresh.as_ref().is_none_or(|used| used.reveal() != new)
    {
        keep(oauth, first, &new)?;
    }
    Ok(access)
}

struct Grant {
    access: String,
    life: Duration,
    refresh: Option<String>,
    /// How long the refresh token still lives.
    consent: Option<Duration>,
}

fn judge(answer: &request::Answer, oauth: &OAuth2) -> Result<Grant, TokenError> {
    let host = answer.host.clone();
    let text = |name: &str| answer.body.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    if let Some(access) = text("access_token").filter(|_| answer.status == 200) {
        let seconds = |name: &str| {
            let life = answer.body.get(name)?;
            let life = life.as_u64().or_else(|| life.as_str().and_then(|text| text.parse().ok()))?;
            Some(Duration::from_secs(life))
        };
        let life = seconds("expires_in").unwrap_or(USUAL_LIFE);
        // not in RFC 6749, but what Google, Microsoft and others call it; 0: it has no end
        let consent = seconds("refresh_token_expires_in").filter(|left| !left.is_zero());
        return Ok(Grant { access, life, refresh: text("refresh_token"), consent });
    }
    let Some(error) = text("error").filter(|_| (400..500).contains(&answer.status)) else {
        return Err(TokenError::Answer { host, what: format!("with status {}", answer.status) });
    };
    // 429 and its like pass by themselves
    if matches!(error.as_str(), "temporarily_unavailable" | "slow_down") || answer.status == 429 {
        return Err(TokenError::Answer { host, what: error });
    }
    let described = text("error_description").unwrap_or_default();
    let why = said(&format!("{error} {described}"), 160);
    let secret_file = oauth.client_secret_file.as_ref().map(|path| path.display().to_string());
    let secret_file = secret_file.unwrap_or_else(|| "the credential of the client secret".into());
    let refresh_file = oauth.refresh_token_file.as_ref().map(|path| path.display().to_string());
    let refresh_file = refresh_file.unwrap_or_else(|| "the credential of the refresh token".into());
    let fix = match error.as_str() {
        "invalid_grant" if oauth.has_refresh_token() => format!(
            "the consent has expired or was withdrawn: let the mailbox's owner consent again and write the new refresh token to {refresh_file}"
        ),
        "invalid_client" | "unauthorized_client" => format!(
            "the client secret has expired or is wrong: make a new one at the provider and write it to {secret_file}"
        ),
        "invalid_scope" => "check `scope` and what the registered program may do".to_owned(),
        _ => "check `client-id`, `tenant` and what the registered program may do".to_owned(),
    };
    Err(TokenError::Refused { host, why: why.trim().to_owned(), fix })
}

/// The refresh token that took the place of `first`; one that belongs to an older first one is not
/// used, somebody has consented again.
fn kept(oauth: &OAuth2, first: &Secret) -> Option<Secret> {
    let text = std::fs::read_to_string(&oauth.kept).ok()?;
    let (mark, token) = text.trim_end().split_once('\n')?;
    (mark == mark_of(first)).then(|| Secret::new(token.to_owned()))
}

fn mark_of(first: &Secret) -> String {
    hex(&Sha256::digest(first.reveal()))
}

fn keep(oauth: &OAuth2, first: &Secret, new: &str) -> Result<(), TokenError> {
    let path = &oauth.kept;
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let failed = |source| TokenError::Keep { path: path.clone(), source };
    let dir = path.parent().map_or_else(PathBuf::new, PathBuf::from);
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let fresh = path.with_extension("new");
    let write = || {
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{}\n{new}", mark_of(first))?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        std::fs::File::open(&dir)?.sync_all()
    };
    write().map_err(failed)
}
