//! `init`: the first config. Asks on a terminal, takes flags elsewhere, writes nothing over anything.

pub mod ask;
pub mod providers;

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;
use minijinja::value::Serde;

use super::output;
use crate::config::merge::{Sources, drop_ins};
use crate::config::{DEFAULT_PATH, read};
use crate::edge::ledger::keys::hex;
use ask::Asker;
use providers::{Login, Provider};

/// The port of the pages in a config that `init` writes.
const PORT: u16 = 9753;

/// `init`.
#[derive(Debug, Default, Args)]
pub struct InitArgs {
    /// The address customers write to.
    #[arg(long)]
    address: Option<String>,
    /// Name of the account in logs and state.
    #[arg(long, default_value = "support")]
    name: String,
    /// A provider by its word (gmail, microsoft, fastmail, yandex, ukrnet, mailru, …) where the domain does not tell.
    #[arg(long, value_name = "WORD", value_parser = provider_word)]
    provider: Option<&'static Provider>,
    /// The IMAP server; with TLS from the first byte on port 993.
    #[arg(long, value_name = "HOST[:PORT]")]
    imap: Option<String>,
    /// The SMTP server; port 465 has TLS from the first byte, others STARTTLS.
    #[arg(long, value_name = "HOST[:PORT]")]
    smtp: Option<String>,
    /// User name at both; without it, the address.
    #[arg(long)]
    user: Option<String>,
    /// Log in with tokens (OAuth 2.0), by this registered application; needed at Microsoft 365.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Microsoft's directory id, with --client-id.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// A file that holds the password, or the application's secret; `-` reads it from stdin. Asked for on a terminal.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Folders that are watched.
    #[arg(long, value_delimiter = ',', default_value = "INBOX", value_name = "FOLDER,…")]
    folders: Vec<String>,
    /// Who gets the originals of threats.
    #[arg(long, value_name = "ADDRESS")]
    legal: Option<String>,
    /// Who gets mails that make it personal with a colleague.
    #[arg(long, value_name = "ADDRESS")]
    lead: Option<String>,
    /// Name of the company in drafts.
    #[arg(long, value_name = "NAME")]
    company: Option<String>,
    /// Time zone of the company.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Where the state is kept, if not in /var/lib/evenkeel.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// No metrics, health and window on a port of this machine.
    #[arg(long)]
    no_http: bool,
}

fn provider_word(word: &str) -> Result<&'static Provider, String> {
    providers::of_word(word).ok_or_else(|| {
        let words: Vec<&str> = providers::PROVIDERS.iter().map(|provider| provider.word).collect();
        format!("there are {}", words.join(", "))
    })
}

/// A server as the config names it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
struct Place {
    host: String,
    port: u16,
    tls: String,
}

fn place(text: &str, port: u16) -> anyhow::Result<Place> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, digits)) => (host, digits.parse().with_context(|| format!("{digits:?} is no port"))?),
        None => (text, port),
    };
    ensure!(!host.is_empty() && !host.contains(['/', '@', ' ']), "{text:?} is no server");
    let local = ["localhost", "127.0.0.1", "::1"].contains(&host);
    let tls = match port {
        993 | 465 => "implicit",
        _ if local && ![143, 587, 25].contains(&port) => "none",
        _ => "starttls",
    };
    Ok(Place { host: quoted(host), port, tls: quoted(tls) })
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `init`.
///
/// # Errors
/// When something is missing or wrong, or a file is there already; then nothing was written.
pub fn init(config: &Path, args: InitArgs) -> anyhow::Result<()> {
    let mut asker = Asker::new();
    let dir = config.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let whole = !config.exists();
    let name = args.name.clone();
    ensure!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
        "--name {name:?}: letters, digits and dashes only"
    );
    let target = if whole { config.to_owned() } else { dir.join("conf.d").join(format!("{name}.toml")) };
    ensure!(
        !target.exists(),
        "{} is there already: nothing was written; edit it, or use another --name",
        target.display()
    );

    let address =
        asker.need("Address that customers write to", args.address.as_deref(), None, "--address")?;
    ensure!(address.parse::<lettre::Address>().is_ok(), "{address:?} is no mail address");
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
    let provider = args.provider.or_else(|| providers::of_address(&address));
    if let Some(provider) = provider {
        output::say(&format!("{} it is.{}", provider.name, hint(provider)));
    }
    let imap = provider.map(|provider| format!("{}:993", provider.imap));
    let imap = imap.or_else(|| guess(&["imap", "mail"], &domain, 993));
    let imap = asker.need("IMAP server", args.imap.as_deref(), imap.as_deref(), "--imap")?;
    let smtp = provider.map(|provider| format!("{}:{}", provider.smtp.0, provider.smtp.1));
    let smtp = smtp.or_else(|| guess(&["smtp", "mail"], &domain, 465));
    let smtp = asker.need("SMTP server, for colleagues", args.smtp.as_deref(), smtp.as_deref(), "--smtp")?;
    let user = asker.need("User name", args.user.as_deref(), Some(&address), "--user")?;
    let oauth = provider.is_some_and(|provider| provider.login == Login::OAuth2) || args.client_id.is_some();
    let microsoft = provider.is_some_and(|provider| provider.word == "microsoft");
    let google = provider.is_some_and(|provider| provider.word == "gmail");
    ensure!(
        !oauth || microsoft || google,
        "OAuth2 is known for Google and Microsoft; for others see docs/operating.md"
    );
    let client = if oauth {
        Some(asker.need(
            "Id of the registered application",
            args.client_id.as_deref(),
            None,
            "--client-id",
        )?)
    } else {
        None
    };
    let tenant = if oauth && microsoft {
        Some(asker.need("Directory (tenant) id", args.tenant.as_deref(), None, "--tenant")?)
    } else {
        None
    };
    let legal = asker.may("Who gets the originals of threats (address; empty: nobody yet)", args.legal)?;
    let lead = asker.may("Who gets mails that make it personal with a colleague (address)", args.lead)?;
    let company = asker.may("Name of the company, for drafts", args.company)?;
    let zone = asker.may("Time zone of the company, such as Europe/Kyiv", args.zone)?;

    let secret = dir.join(format!("{name}-password"));
    let token = dir.join("window-token");
    let packaged = config == Path::new(DEFAULT_PATH);
    let key = |what: &str, credential: &str, file: &Path| {
        if packaged {
            format!("{what}-credential = {}", quoted(credential))
        } else {
            format!("{what}-file = {}", quoted(&absolute(file).display().to_string()))
        }
    };
    let http = !args.no_http && !mentions_http(config);
    let folders: Vec<String> = args.folders.iter().map(|folder| quoted(folder)).collect();
    let text = minijinja::render!(
        include_str!("init/config.j2"),
        whole, http, port => PORT,
        state_dir => args.state_dir.as_ref().map(|dir| quoted(&absolute(dir).display().to_string())),
        token => key("token", "window-token", &token),
        name => quoted(&name), address => quoted(&address), folders => format!("[{}]", folders.join(", ")),
        provider => provider.map(|provider| format!("{}: {}", provider.name, provider.first)),
        imap => Serde(place(&imap, 993)?), smtp => Serde(place(&smtp, 465)?), user => quoted(&user),
        password => if oauth { String::new() } else { key("password", &format!("{name}-password"), &secret) },
        client => client.as_deref().map(quoted), tenant => tenant.as_deref().map(quoted),
        oauth => if microsoft { quoted("microsoft") } else { quoted("google") },
        client_secret => key("client-secret", &format!("{name}-password"), &secret),
        legal => legal.as_deref().map(quoted), lead => lead.as_deref().map(quoted),
        company => company.as_deref().map(quoted), zone => zone.as_deref().map(quoted),
    );
    prove(config, whole, &target, &text)?;
    let password = password(&mut asker, args.password_file.as_deref(), &secret)?;

    let files = Files { target: &target, secret: &secret, password, token: http.then_some(token.as_path()) };
    files.write(&text)?;
    if packaged && name != "support" {
        output::say(&format!(
            "the unit has to hand the password over: run `systemctl edit evenkeel` and add\n[Service]\nLoadCredential={name}-password:{}",
            secret.display()
        ));
    }
    let named = if packaged { String::new() } else { format!("--config {} ", config.display()) };
    output::say(&format!(
        "next: `evenkeel {named}doctor` proves it, `evenkeel {named}preview` shows what would be done"
    ));
    Ok(())
}

/// What is written, the config last: half of it does no harm.
struct Files<'a> {
    target: &'a Path,
    secret: &'a Path,
    password: Option<String>,
    token: Option<&'a Path>,
}

impl Files<'_> {
    fn write(&self, text: &str) -> anyhow::Result<()> {
        if let Some(dir) = self.target.parent() {
            fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        }
        if let Some(password) = &self.password {
            create(self.secret, 0o600, &format!("{password}\n"))?;
            output::say(&format!("written: {} (readable for its owner only)", self.secret.display()));
        }
        if let Some(token) = self.token.filter(|token| !token.exists()) {
            create(token, 0o600, &format!("{}\n", random_token()?))?;
            output::say(&format!("written: {} (opens the window)", token.display()));
        }
        create(self.target, 0o644, text)?;
        output::line(&format!("written: {}", self.target.display()))
    }
}

fn hint(provider: &Provider) -> String {
    let login = match provider.login {
        Login::Password => "",
        Login::AppPassword => " It wants an app password, not the mailbox's own.",
        Login::OAuth2 => " It takes OAuth2 only; a password would be refused.",
    };
    let first =
        if provider.first.is_empty() { String::new() } else { format!("\nBefore: {}.", provider.first) };
    format!("{login}{first}")
}

/// The first of the usual names that has an address.
fn guess(names: &[&str], domain: &str, port: u16) -> Option<String> {
    use std::net::ToSocketAddrs;
    names.iter().map(|name| format!("{name}.{domain}:{port}")).find(|place| place.to_socket_addrs().is_ok())
}

fn mentions_http(config: &Path) -> bool {
    let texts = std::iter::once(config.to_owned()).chain(drop_ins(config).unwrap_or_default());
    texts
        .filter_map(|path| fs::read_to_string(path).ok())
        .any(|text| text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("http")))
}

/// The config with the new file must be good before anything is written.
fn prove(config: &Path, whole: bool, target: &Path, text: &str) -> anyhow::Result<()> {
    let mut sources = Sources::default();
    if whole {
        sources.add(config, text);
    } else {
        let main =
            fs::read_to_string(config).with_context(|| format!("{} cannot be read", config.display()))?;
        sources.add(config, &main);
    }
    for path in drop_ins(config)? {
        sources.add(&path, &fs::read_to_string(&path)?);
    }
    if !whole {
        sources.add(target, text);
    }
    match read::parse_all(config, &sources) {
        Ok(_) => Ok(()),
        Err(error) => bail!("nothing was written, because it would not be good:\n{error}"),
    }
}

fn password(asker: &mut Asker, file: Option<&Path>, secret: &Path) -> anyhow::Result<Option<String>> {
    if secret.exists() {
        output::say(&format!("{} is there already and stays as it is", secret.display()));
        return Ok(None);
    }
    let text = match file {
        Some(path) if path == Path::new("-") => {
            let mut text = String::new();
            std::io::stdin().lock().take(4_096).read_to_string(&mut text).context("stdin")?;
            text
        }
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?
        }
        None => match asker.secret("Password (not shown; empty: write the file yourself)")? {
            Some(text) if !text.is_empty() => text,
            _ => {
                output::say(&format!("no password: write it into {}, mode 600", secret.display()));
                return Ok(None);
            }
        },
    };
    let text = text.trim_end_matches(['\r', '\n']);
    ensure!(!text.is_empty() && !text.contains(['\r', '\n', '\0']), "the password must be one line");
    Ok(Some(text.to_owned()))
}

/// A new file, or nothing.
fn create(path: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = opened.with_context(|| format!("{} cannot be created", path.display()))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| path.display().to_string())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn random_token() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 24];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .context("/dev/urandom")?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_tells_the_protection() {
        let tls = |text: &str, port| place(text, port).unwrap().tls;
        assert_eq!(tls("imap.example.com", 993), "\"implicit\"");
        assert_eq!(tls("smtp.example.com:587", 465), "\"starttls\"");
        assert_eq!(tls("127.0.0.1:1143", 993), "\"none\"");
        assert!(place("user@host", 993).is_err() && place("host:many", 993).is_err());
    }

    #[test]
    fn what_is_typed_cannot_leave_its_string() {
        assert_eq!(quoted("a\"\n[desks]"), toml::Value::String("a\"\n[desks]".into()).to_string());
        let table: toml::Table = format!("x = {}", quoted("a\"\n[desks]\nlegal = 1")).parse().unwrap();
        assert_eq!(table.len(), 1);
    }
}
