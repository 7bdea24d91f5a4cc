//! A TCP proxy that breaks the line on purpose: at a line of the conversation, before or after it has
//! passed, or so many bytes behind it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use regex::Regex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// What happens to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    /// Both ends are closed; the matching line does not pass.
    Cut,
    /// The line passes, its answer does not, then both ends are closed.
    CutAfter,
    /// So many bytes after the matching line pass, then both ends are closed.
    CutBehind(usize),
    /// As `Cut`, with a reset instead of an end.
    Reset,
    /// Nothing passes any more in either direction, and nobody is told.
    Blackhole,
    /// Nothing: it is only counted.
    Count,
}

#[derive(Debug)]
struct Rule {
    side: Side,
    pattern: Regex,
    action: Do,
    left: usize,
}

#[derive(Debug, Default)]
struct State {
    rules: Mutex<Vec<Rule>>,
    /// Lines of a side that pass in other words.
    rewrites: Mutex<Vec<(Side, Regex, String)>>,
    fired: AtomicUsize,
    connections: AtomicUsize,
    /// Bytes a second, 0: as fast as it goes.
    rate: AtomicUsize,
}

/// The proxy; its connections end when it is dropped.
pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
    cut: watch::Sender<u64>,
    _runtime: Runtime,
}

impl Proxy {
    /// Between a free port and `to`, on this machine.
    pub fn before(to: u16) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let (cut, cuts) = watch::channel(0);
        let shared = state.clone();
        runtime.spawn(async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { continue };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let to = SocketAddr::from(([127, 0, 0, 1], to));
                let Ok(server) = TcpStream::connect(to).await else { continue };
                tokio::spawn(join(client, server, shared.clone(), cuts.clone()));
            }
        });
        Self { port, state, cut, _runtime: runtime }
    }

    /// The next time a line of `side` matches, `action` happens.
    pub fn once(&self, side: Side, pattern: &str, action: Do) {
        self.times(1, side, pattern, action);
    }

    pub fn times(&self, left: usize, side: Side, pattern: &str, action: Do) {
        let pattern = Regex::new(pattern).unwrap();
        self.state.rules.lock().unwrap().push(Rule { side, pattern, action, left });
    }

    /// What matches in lines of `side` is said in other words from now on.
    pub fn rewrite(&self, side: Side, pattern: &str, with: &str) {
        self.state.rewrites.lock().unwrap().push((side, Regex::new(pattern).unwrap(), with.to_owned()));
    }

    /// From now on everything passes as it is.
    pub fn honest(&self) {
        self.state.rewrites.lock().unwrap().clear();
    }

    /// How often a rule has struck.
    pub fn fired(&self) -> usize {
        self.state.fired.load(Ordering::SeqCst)
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub fn throttle(&self, bytes_per_second: usize) {
        self.state.rate.store(bytes_per_second, Ordering::SeqCst);
    }

    /// Ends every connection.
    pub fn cut_all(&self) {
        self.cut.send_modify(|n| *n += 1);
    }
}

/// What one direction has come to.
enum End {
    Closed,
    Reset,
    Blackhole,
}

async fn join(client: TcpStream, server: TcpStream, state: Arc<State>, mut cuts: watch::Receiver<u64>) {
    cuts.mark_unchanged();
    let deaf = Arc::new(AtomicBool::new(false));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (mut to_client, mut to_server) = (to_client, to_server);
    let end = {
        let upstream = pump(Side::Client, from_client, &mut to_server, &state, &deaf);
        let downstream = pump(Side::Server, from_server, &mut to_client, &state, &deaf);
        tokio::select! {
            end = upstream => end,
            end = downstream => end,
            _ = cuts.changed() => End::Closed,
        }
    };
    match end {
        End::Closed => {}
        // an end with unread data is a reset
        End::Reset => {
            let _ = to_client.as_ref().set_zero_linger();
        }
        End::Blackhole => {
            let _ = cuts.changed().await;
        }
    }
}

async fn pump(
    side: Side,
    mut from: OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    state: &State,
    deaf: &AtomicBool,
) -> End {
    let mut buffer = vec![0; 16 * 1024];
    let mut line = Vec::new();
    let mut left: Option<usize> = None;
    loop {
        let count = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => {
                // what the other side still has to say arrives
                tokio::time::sleep(Duration::from_millis(20)).await;
                return End::Closed;
            }
            Ok(count) => count,
        };
        if deaf.load(Ordering::SeqCst) && side == Side::Server {
            continue;
        }
        let mut out = Vec::with_capacity(count);
        let mut end = None;
        for byte in &buffer[..count] {
            if let Some(rest) = &mut left {
                if *rest == 0 {
                    end = Some(Do::Cut);
                    break;
                }
                *rest -= 1;
                out.push(*byte);
                continue;
            }
            line.push(*byte);
            if *byte != b'\n' {
                continue;
            }
            match strike(side, &line, state) {
                Some(Do::CutBehind(bytes)) => left = Some(bytes),
                Some(Do::Count) | None => {}
                Some(action) => {
                    end = Some(action);
                    if action == Do::CutAfter {
                        out.append(&mut line);
                    }
                    break;
                }
            }
            out.append(&mut in_other_words(side, std::mem::take(&mut line), state));
        }
        if end.is_none() && line.len() > 8 * 1024 {
            out.append(&mut line);
        }
        if send(to, &out, state).await.is_err() {
            return End::Closed;
        }
        match end {
            None | Some(Do::Count) => {}
            Some(Do::Cut | Do::CutBehind(_)) => return End::Closed,
            Some(Do::Reset) => return End::Reset,
            Some(Do::Blackhole) => return End::Blackhole,
            Some(Do::CutAfter) => {
                // the other side does what it was told, and nobody hears of it
                deaf.store(true, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(400)).await;
                return End::Closed;
            }
        }
    }
}

async fn send(to: &mut OwnedWriteHalf, bytes: &[u8], state: &State) -> std::io::Result<()> {
    let rate = state.rate.load(Ordering::SeqCst);
    if rate == 0 {
        return to.write_all(bytes).await;
    }
    for byte in bytes.chunks(1) {
        to.write_all(byte).await?;
        tokio::time::sleep(Duration::from_millis(1000 / rate as u64)).await;
    }
    Ok(())
}

fn in_other_words(side: Side, line: Vec<u8>, state: &State) -> Vec<u8> {
    let rewrites = state.rewrites.lock().unwrap();
    let text = String::from_utf8_lossy(&line).into_owned();
    let mut new = text.clone();
    for (_, pattern, with) in rewrites.iter().filter(|(of, ..)| *of == side) {
        new = pattern.replace_all(&new, with.as_str()).into_owned();
    }
    if new == text { line } else { new.into_bytes() }
}

fn strike(side: Side, line: &[u8], state: &State) -> Option<Do> {
    let text = String::from_utf8_lossy(line);
    let mut rules = state.rules.lock().unwrap();
    let rule = rules.iter_mut().find(|r| r.side == side && r.left > 0 && r.pattern.is_match(&text))?;
    rule.left -= 1;
    state.fired.fetch_add(1, Ordering::SeqCst);
    Some(rule.action)
}
