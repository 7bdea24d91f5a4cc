//! Certificates that prove nothing, and TLS that somebody has taken away: no password is ever sent.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use evenkeel::config::Server;
use evenkeel::edge::imap::Imap;
use evenkeel::edge::login::Gates;
use evenkeel::edge::smtp::Smtp;
use evenkeel::edge::{EdgeError, Trouble};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

fn openssl(dir: &Path, args: &[&str]) {
    let output = Command::new("openssl").args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate for `name`, valid from 2020 until a day.
fn certificate(dir: &Path, name: &str, until: &str) -> (PathBuf, PathBuf) {
    let dir = dir.join(format!("{name}-{until}"));
    std::fs::create_dir(&dir).unwrap();
    let config = "[ca]\ndefault_ca = d\n[d]\ndatabase = index\nnew_certs_dir = .\nserial = serial\ndefault_md = sha256\n\
                  policy = p\ncopy_extensions = copy\n[p]\ncommonName = optional\n";
    std::fs::write(dir.join("ca.cnf"), config).unwrap();
    std::fs::write(dir.join("index"), "").unwrap();
    std::fs::write(dir.join("serial"), "01\n").unwrap();
    openssl(&dir, &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem"]);
    // rustls refuses a CA certificate as a server's
    let (san, ca) = (format!("subjectAltName=DNS:{name}"), "basicConstraints=critical,CA:FALSE");
    openssl(
        &dir,
        &["req", "-new", "-key", "key.pem", "-subj", "/CN=x", "-addext", &san, "-addext", ca, "-out", "csr"],
    );
    let end = format!("{until}000000Z");
    openssl(
        &dir,
        &[
            "ca",
            "-selfsign",
            "-batch",
            "-config",
            "ca.cnf",
            "-keyfile",
            "key.pem",
            "-in",
            "csr",
            "-startdate",
            "20200101000000Z",
            "-enddate",
            &end,
            "-notext",
            "-out",
            "cert.pem",
        ],
    );
    (dir.join("cert.pem"), dir.join("key.pem"))
}

/// A server that greets under TLS and counts what it is told after the handshake.
async fn tls_server((cert, key): &(PathBuf, PathBuf)) -> (u16, Arc<AtomicUsize>) {
    let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(AtomicUsize::new(0));
    let counter = heard.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let Ok(mut tls) = acceptor.accept(tcp).await else { continue };
            let _ = tls.write_all(b"* OK hello\r\n").await;
            let mut bytes = [0; 64];
            counter.fetch_add(tls.read(&mut bytes).await.unwrap_or(0), Ordering::SeqCst);
        }
    });
    (port, heard)
}

/// A server without TLS that offers no STARTTLS, as after somebody has stripped it.
async fn stripped_server(greeting: &'static str, answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let secrets = Arc::new(AtomicUsize::new(0));
    let counter = secrets.clone();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let _ = tcp.write_all(greeting.as_bytes()).await;
            let mut bytes = [0; 512];
            while let Ok(count @ 1..) = tcp.read(&mut bytes).await {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                counter.fetch_add(
                    usize::from(text.contains("LOGIN") || text.contains("AUTH")),
                    Ordering::SeqCst,
                );
                let tag = text.split(' ').next().unwrap_or_default();
                let _ = tcp.write_all(answer.replace("TAG", tag).as_bytes()).await;
            }
        }
    });
    (port, secrets)
}

fn server(dir: &Path, port: u16, tls: &str, ca: Option<&Path>) -> Server {
    let password = dir.join("password");
    std::fs::write(&password, "secret").unwrap();
    crate::e2e::servers::protect(&password);
    let ca = ca.map(|path| format!("ca-file = \"{}\"", path.display())).unwrap_or_default();
    let text = format!(
        "host = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nuser = \"u\"\npassword-file = \"{}\"\ntimeout-secs = 5\n{ca}\n",
        password.display()
    );
    toml::from_str(&text).unwrap()
}

async fn refusal(server: &Server) -> [(Trouble, String); 2] {
    let imap = Imap::connect(server, None).await.map(drop).unwrap_err();
    let smtp = Smtp::new(server.clone(), Gates::default()).connect().await.map(drop).unwrap_err();
    [(imap.trouble(), imap.to_string()), (smtp.trouble(), smtp.to_string())]
}

#[tokio::test]
async fn a_certificate_that_is_expired_foreign_or_unknown_is_refused_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let good = certificate(dir.path(), "localhost", "20490101");
    let expired = certificate(dir.path(), "localhost", "20200201");
    let foreign = certificate(dir.path(), "elsewhere.example", "20490101");
    for (name, pair, trust, says) in [
        ("expired", &expired, Some(&expired.0), "xpired"),
        ("for another name", &foreign, Some(&foreign.0), "not valid for name"),
        ("of an unknown issuer", &good, None, "UnknownIssuer"),
    ] {
        let (port, heard) = tls_server(pair).await;
        let server = server(dir.path(), port, "implicit", trust.map(PathBuf::as_path));
        for (trouble, text) in refusal(&server).await {
            assert_eq!(trouble, Trouble::Tls, "{name}: {text}");
            assert!(text.contains(says) && text.contains("must be valid for this name"), "{name}: {text}");
        }
        assert_eq!(heard.load(Ordering::SeqCst), 0, "{name}: not a word was said");
    }
}

#[tokio::test]
async fn where_starttls_was_stripped_no_password_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let (port, secrets) = stripped_server("* OK hello\r\n", "TAG BAD no such command\r\n").await;
    let imap = Imap::connect(&server(dir.path(), port, "starttls", None), None).await.map(drop).unwrap_err();
    assert!(imap.trouble() == Trouble::Tls && imap.to_string().contains("does not offer STARTTLS"), "{imap}");
    assert_eq!(secrets.load(Ordering::SeqCst), 0);

    let (port, secrets) = stripped_server("220 hello\r\n", "250-peer\r\n250 AUTH PLAIN\r\n").await;
    let smtp = Smtp::new(server(dir.path(), port, "starttls", None), Gates::default());
    let smtp = smtp.connect().await.map(drop).unwrap_err();
    assert!(smtp.trouble() == Trouble::Tls && smtp.to_string().contains("does not offer STARTTLS"), "{smtp}");
    assert_eq!(secrets.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_without_address_and_a_dead_route_end_in_time_and_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut nowhere = server(dir.path(), 1, "implicit", None);
    nowhere.host = "no-such-host.invalid".into();
    for (trouble, text) in refusal(&nowhere).await {
        assert!(trouble == Trouble::Line && text.contains("check `host` and the machine's DNS"), "{text}");
    }
    // a server that accepts and says nothing
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let silent = server(dir.path(), listener.local_addr().unwrap().port(), "none", None);
    let begun = std::time::Instant::now();
    for (trouble, text) in refusal(&silent).await {
        assert_eq!(trouble, Trouble::Line, "{text}");
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(14), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_dead_address_does_not_keep_the_next_one_waiting() {
    // the name has two addresses; nobody answers at the first: its queue of connections is full
    let dead = tokio::net::TcpSocket::new_v6().unwrap();
    let Ok(()) = dead.bind("[::1]:0".parse().unwrap()) else {
        crate::skipped::skipped("IPv6", "this machine has none");
        return;
    };
    let port = dead.local_addr().unwrap().port();
    let dead = dead.listen(1).unwrap();
    let mut full = Vec::new();
    for _ in 0..4 {
        let filler = tokio::net::TcpStream::connect(("::1", port));
        full.push(tokio::time::timeout(std::time::Duration::from_millis(200), filler).await);
    }
    let Ok(alive) = TcpListener::bind(("127.0.0.1", port)).await else {
        crate::skipped::skipped("IPv6", "the port is taken");
        return;
    };
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut tcp, _)) = alive.accept().await {
            let _ = tcp.write_all(b"* BYE we have met\r\n").await;
            open.push(tcp);
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let begun = std::time::Instant::now();
    let error = Imap::connect(&server(dir.path(), port, "none", None), None).await.map(drop).unwrap_err();
    assert!(error.to_string().contains("we have met"), "{error}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
    drop((dead, full));
}
