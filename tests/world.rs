//! An in-memory world: a mailbox and an outbox made of lists, which can fail at the n-th effect.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evenkeel::classify::Classifier;
use evenkeel::config::{Account, Config, Mode};
use evenkeel::daemon::Shared;
use evenkeel::daemon::reload::Loaded;
use evenkeel::daemon::worker::{WorkError, Worker};
use evenkeel::decide::{Keyword, Rulebook};
use evenkeel::edge::control::{Request, Response};
use evenkeel::edge::ledger::Ledger;
use evenkeel::edge::{
    Clock, EdgeError, FolderFlags, FolderState, FoundDraft, Head, Heads, Keywords, Listed, Mailbox, Moved,
    Outbox, Retry, Transfer, Uid,
};
use evenkeel::mail::MessageId;
use evenkeel::reply::Playbooks;
use evenkeel::time::Timestamp;

use crate::canary;

/// A mail in a folder.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub uid: Uid,
    pub bytes: Vec<u8>,
    pub flags: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Inner {
    folders: BTreeMap<String, Vec<Stored>>,
    next_uid: BTreeMap<String, Uid>,
    uid_validity: u32,
    sent: Vec<(Vec<String>, Vec<u8>)>,
    /// Effects so far, and the one at which the line breaks: before it is done, or after.
    effects: usize,
    break_at: Option<(usize, Break)>,
    smtp_refuses: Option<bool>,
    failing_fetches: usize,
    /// Mails that the server refuses to show.
    refused: BTreeSet<Uid>,
}

/// How the line breaks at an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// Nothing was done.
    Before,
    /// It was done, but nobody was told.
    After,
}

/// The world. Clones are views of the same one.
#[derive(Clone, Debug, Default)]
pub struct World(Arc<Mutex<Inner>>);

/// The line broke, or the server said no.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub &'static str);

impl EdgeError for Broken {
    fn retry(&self) -> Retry {
        if self.0 == "550 never" { Retry::Never } else { Retry::Later }
    }

    fn outcome_unknown(&self) -> bool {
        self.0 == "after the dot"
    }

    fn is_refusal(&self) -> bool {
        self.0 == "NO"
    }
}

/// A clock that stands where it is put.
#[derive(Clone, Debug, Default)]
pub struct Standing(pub Arc<Mutex<i64>>);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp(*self.0.lock().unwrap())
    }
}

impl World {
    pub fn new() -> Self {
        let world = Self::default();
        world.0.lock().unwrap().uid_validity = 1;
        for folder in ["INBOX", "Drafts"] {
            world.0.lock().unwrap().folders.insert(folder.into(), Vec::new());
        }
        world
    }

    /// A person or a program puts a mail into a folder.
    pub fn put(&self, folder: &str, mail: &str) -> Uid {
        canary::remember(mail.as_bytes());
        self.0.lock().unwrap().put(folder, mail.replace('\n', "\r\n").into_bytes(), BTreeSet::new())
    }

    pub fn deliver(&self, mail: &str) -> Uid {
        canary::remember(mail.as_bytes());
        self.0.lock().unwrap().put("INBOX", mail.replace('\n', "\r\n").into_bytes(), BTreeSet::new())
    }

    pub fn folder(&self, name: &str) -> Vec<Stored> {
        self.0.lock().unwrap().folders.get(name).cloned().unwrap_or_default()
    }

    /// Every folder with its mails' first words of the subject and keywords, for comparison.
    pub fn snapshot(&self) -> Vec<String> {
        let inner = self.0.lock().unwrap();
        let mut all = Vec::new();
        for (name, mails) in &inner.folders {
            for mail in mails {
                let text = String::from_utf8_lossy(&mail.bytes);
                let id = text.lines().find_map(|l| l.strip_prefix("Message-ID: ")).unwrap_or("").to_owned();
                all.push(format!("{name} {id} {}", mail.flags.iter().cloned().collect::<Vec<_>>().join(" ")));
            }
        }
        all.sort();
        all
    }

    pub fn sent(&self) -> Vec<(Vec<String>, String)> {
        let inner = self.0.lock().unwrap();
        inner
            .sent
            .iter()
            .map(|(to, bytes)| (to.clone(), String::from_utf8_lossy(bytes).into_owned()))
            .collect()
    }

    pub fn effects(&self) -> usize {
        self.0.lock().unwrap().effects
    }

    pub fn break_at(&self, effect: usize, how: Break) {
        self.0.lock().unwrap().break_at = Some((effect, how));
    }

    /// The line breaks in the middle of the next fetches.
    pub fn fail_fetches(&self, times: usize) {
        self.0.lock().unwrap().failing_fetches = times;
    }

    /// The server says NO to whatever is asked of this mail.
    pub fn refuse(&self, uid: Uid) {
        self.0.lock().unwrap().refused.insert(uid);
    }

    pub fn smtp_refuses(&self, for_good: Option<bool>) {
        self.0.lock().unwrap().smtp_refuses = for_good;
    }

    /// The folder gets new UIDs, as after a restore.
    pub fn renumber(&self) {
        let mut inner = self.0.lock().unwrap();
        inner.uid_validity += 1;
        let inbox = inner.folders.get_mut("INBOX").unwrap();
        inbox.iter_mut().enumerate().for_each(|(i, mail)| mail.uid = u32::try_from(i).unwrap() + 100);
        let next = u32::try_from(inbox.len()).unwrap() + 100;
        inner.next_uid.insert("INBOX".into(), next);
    }

    /// INBOX as a backup has it, with its first mails and the same UIDVALIDITY.
    pub fn restore(&self, mails: usize) {
        let mut inner = self.0.lock().unwrap();
        let inbox = inner.folders.get_mut("INBOX").unwrap();
        inbox.truncate(mails);
        let next = inbox.last().map_or(1, |mail| mail.uid + 1);
        inner.next_uid.insert("INBOX".into(), next);
    }

    /// An agent sets a keyword.
    pub fn flag(&self, folder: &str, id: &str, word: &str) {
        let id = MessageId::new(id).unwrap();
        let mut inner = self.0.lock().unwrap();
        let mails = inner.folders.get_mut(folder).unwrap();
        mails.iter_mut().filter(|mail| has_id(mail, &id)).for_each(|mail| {
            mail.flags.insert(word.to_owned());
        });
    }

    /// An agent takes a keyword off.
    pub fn unflag(&self, folder: &str, id: &str, word: &str) {
        let id = MessageId::new(id).unwrap();
        let mut inner = self.0.lock().unwrap();
        let mails = inner.folders.get_mut(folder).unwrap();
        mails.iter_mut().filter(|mail| has_id(mail, &id)).for_each(|mail| {
            mail.flags.remove(word);
        });
    }

    /// An agent moves a mail, as MOVE does it.
    pub fn drag(&self, from: &str, to: &str, id: &str) {
        let id = MessageId::new(id).unwrap();
        let mut inner = self.0.lock().unwrap();
        let source = inner.folders.get_mut(from).unwrap_or_else(|| panic!("no folder {from}"));
        let at = source.iter().position(|mail| has_id(mail, &id)).unwrap_or_else(|| panic!("not in {from}"));
        let mail = source.remove(at);
        inner.put(to, mail.bytes, mail.flags);
    }

    /// An agent empties a folder.
    pub fn clear(&self, folder: &str) {
        self.0.lock().unwrap().folders.entry(folder.into()).or_default().clear();
    }

    /// A person takes a mail away.
    /// Every mail that was filed is in `folder` again, under a new uid.
    pub fn bring_all_back(&self, folder: &str, with_keywords: bool) {
        let mut inner = self.0.lock().unwrap();
        let names: Vec<String> = inner.folders.keys().cloned().collect();
        for name in names.iter().filter(|name| *name != "Drafts" && *name != "Sent" && *name != folder) {
            for mail in inner.folders.remove(name).unwrap_or_default() {
                let flags = if with_keywords { mail.flags } else { BTreeSet::new() };
                inner.put(folder, mail.bytes, flags);
            }
        }
    }

    pub fn take_away(&self, folder: &str, uid: Uid) {
        self.0.lock().unwrap().folders.get_mut(folder).unwrap().retain(|mail| mail.uid != uid);
    }

    /// A person edits the only draft.
    pub fn edit_draft(&self) {
        // as clients do it: a new mail with an id of its own, the old one gone
        let mut inner = self.0.lock().unwrap();
        let old = inner.folders.get_mut("Drafts").unwrap().remove(0);
        let text = String::from_utf8(old.bytes).unwrap().replace("Message-ID: <ek1.", "Message-ID: <agent.");
        inner.put("Drafts", format!("{text}\r\nedited").into_bytes(), old.flags);
    }
}

impl Inner {
    fn put(&mut self, folder: &str, bytes: Vec<u8>, flags: BTreeSet<String>) -> Uid {
        let next = self.next_uid.entry(folder.into()).or_insert(1);
        let uid = *next;
        *next += 1;
        self.folders.entry(folder.into()).or_default().push(Stored { uid, bytes, flags });
        uid
    }

    /// Counts an effect; the line breaks before or after it.
    fn effect<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> Result<T, Broken> {
        self.effects += 1;
        match self.break_at {
            Some((n, Break::Before)) if n == self.effects => Err(Broken("cut before")),
            Some((n, Break::After)) if n == self.effects => {
                run(self);
                Err(Broken("cut after"))
            }
            _ => Ok(run(self)),
        }
    }
}

/// A connection to the world.
pub struct Connection {
    world: World,
    selected: String,
}

impl Mailbox for Connection {
    type Error = Broken;

    async fn select(&mut self, folder: &str) -> Result<FolderState, Broken> {
        let inner = self.world.0.lock().unwrap();
        self.selected = folder.into();
        Ok(FolderState {
            uid_validity: inner.uid_validity,
            uid_next: inner.next_uid.get(folder).copied().unwrap_or(1),
            exists: 0,
            read_only: false,
            keywords: Keywords { any: true, known: BTreeSet::new() },
        })
    }

    async fn since(&mut self, _: Timestamp) -> Result<Option<Uid>, Broken> {
        Ok(self.world.folder(&self.selected).first().map(|mail| mail.uid))
    }

    async fn list(&mut self, from: Uid) -> Result<Vec<Listed>, Broken> {
        let mails = self.world.folder(&self.selected);
        let refused = self.world.0.lock().unwrap().refused.clone();
        let told = |mail: &Stored| (!refused.contains(&mail.uid)).then(|| size(mail));
        let ours = |mail: &Stored| mail.flags.iter().any(|flag| Keyword::from_word(flag).is_some());
        let listed = |mail: &Stored| Listed {
            uid: mail.uid,
            size: told(mail),
            tagged: ours(mail),
            ..Listed::default()
        };
        Ok(mails.iter().filter(|mail| mail.uid >= from).map(listed).collect())
    }

    async fn fetch(&mut self, uid: Uid, cap: u32) -> Result<Option<Vec<u8>>, Broken> {
        {
            let mut inner = self.world.0.lock().unwrap();
            if inner.refused.contains(&uid) {
                return Err(Broken("NO"));
            }
            if inner.failing_fetches > 0 {
                inner.failing_fetches -= 1;
                return Err(Broken("cut in the middle"));
            }
        }
        let mails = self.world.folder(&self.selected);
        let mail = mails.iter().find(|mail| mail.uid == uid);
        Ok(mail.map(|mail| mail.bytes.iter().copied().take(cap as usize).collect()))
    }

    async fn fetch_set(&mut self, uids: &[Uid], cap: u32) -> Result<BTreeMap<Uid, Vec<u8>>, Broken> {
        let mut bodies = BTreeMap::new();
        for uid in uids {
            bodies.extend(self.fetch(*uid, cap).await?.map(|body| (*uid, body)));
        }
        Ok(bodies)
    }

    async fn claim(&mut self, mails: &[Listed], _: &str) -> Result<BTreeSet<Uid>, Broken> {
        Ok(mails.iter().map(|mail| mail.uid).collect())
    }

    async fn tag(&mut self, uids: &[Uid], keywords: &BTreeSet<Keyword>) -> Result<BTreeSet<Uid>, Broken> {
        let folder = self.selected.clone();
        self.world.0.lock().unwrap().effect(|inner| {
            let mails = inner.folders.get_mut(&folder).unwrap().iter_mut();
            let mut tagged = BTreeSet::new();
            for mail in mails.filter(|mail| uids.contains(&mail.uid)) {
                mail.flags.extend(keywords.iter().map(|k| k.word()));
                tagged.insert(mail.uid);
            }
            tagged
        })
    }

    async fn file(&mut self, uids: &[Uid], folder: &str, _: bool) -> Result<BTreeMap<Uid, Moved>, Broken> {
        let from = self.selected.clone();
        self.world.0.lock().unwrap().effect(|inner| {
            let mut filed = BTreeMap::new();
            for uid in uids {
                let source = inner.folders.get_mut(&from).unwrap();
                let Some(at) = source.iter().position(|mail| mail.uid == *uid) else {
                    filed.insert(*uid, Moved::Gone);
                    continue;
                };
                let mail = source.remove(at);
                inner.put(folder, mail.bytes, mail.flags);
                filed.insert(*uid, Moved::Done);
            }
            filed
        })
    }

    async fn holds(&mut self, folder: &str, id: &MessageId) -> Result<bool, Broken> {
        Ok(self.world.folder(folder).iter().any(|mail| has_id(mail, id)))
    }

    async fn save_draft(&mut self, message: &[u8]) -> Result<(), Broken> {
        let flags = BTreeSet::from(["\\Draft".to_owned()]);
        self.world.0.lock().unwrap().effect(|inner| inner.put("Drafts", message.to_vec(), flags)).map(drop)
    }

    async fn find_draft(&mut self, id: &MessageId) -> Result<Option<FoundDraft>, Broken> {
        let drafts = self.world.folder("Drafts");
        let found = drafts.iter().find(|mail| has_id(mail, id));
        Ok(found.map(|mail| FoundDraft { uid: mail.uid, size: size(mail) }))
    }

    async fn drafts_about(&mut self, id: &MessageId) -> Result<Vec<FoundDraft>, Broken> {
        let about = format!("<{}>", id.as_str());
        let drafts = self.world.folder("Drafts");
        let refers = |mail: &&Stored| {
            String::from_utf8_lossy(&mail.bytes).lines().any(|l| {
                (l.starts_with("In-Reply-To:") || l.starts_with("References:")) && l.contains(&about)
            })
        };
        Ok(drafts.iter().filter(refers).map(|mail| FoundDraft { uid: mail.uid, size: size(mail) }).collect())
    }

    async fn remove_draft(&mut self, draft: FoundDraft) -> Result<bool, Broken> {
        self.world.0.lock().unwrap().effect(|inner| {
            inner.folders.get_mut("Drafts").unwrap().retain(|mail| mail.uid != draft.uid);
            true
        })
    }

    async fn mark(
        &mut self,
        folder: &str,
        id: &MessageId,
        keywords: &BTreeSet<Keyword>,
        on: bool,
    ) -> Result<bool, Broken> {
        self.world.0.lock().unwrap().effect(|inner| {
            let mails = inner.folders.get_mut(folder).into_iter().flatten();
            let mut found = false;
            for mail in mails.filter(|mail| has_id(mail, id)) {
                found = true;
                for word in keywords.iter().map(|k| k.word()) {
                    if on {
                        mail.flags.insert(word)
                    } else {
                        mail.flags.remove(&word)
                    };
                }
            }
            found
        })
    }

    async fn bring_back(&mut self, folder: &str, id: &MessageId) -> Result<Moved, Broken> {
        let home = self.selected.clone();
        self.world.0.lock().unwrap().effect(|inner| {
            let Some(source) = inner.folders.get_mut(folder) else { return Moved::Gone };
            let Some(at) = source.iter().position(|mail| has_id(mail, id)) else { return Moved::Gone };
            let mail = source.remove(at);
            inner.put(&home, mail.bytes, mail.flags);
            Moved::Done
        })
    }

    async fn read_in(&mut self, folder: &str, id: &MessageId, cap: u32) -> Result<Option<Vec<u8>>, Broken> {
        let mails = self.world.folder(folder);
        let mail = mails.iter().find(|mail| has_id(mail, id));
        Ok(mail.map(|mail| mail.bytes.iter().copied().take(cap as usize).collect()))
    }

    async fn fetch_in(&mut self, folder: &str, uid: Uid, cap: u32) -> Result<Option<(Vec<u8>, u32)>, Broken> {
        let mails = self.world.folder(folder);
        let mail = mails.iter().find(|mail| mail.uid == uid);
        Ok(mail.map(|mail| (mail.bytes.iter().copied().take(cap as usize).collect(), size(mail))))
    }

    async fn flags_in(&mut self, folder: &str) -> Result<Option<FolderFlags>, Broken> {
        let inner = self.world.0.lock().unwrap();
        let Some(mails) = inner.folders.get(folder) else { return Ok(None) };
        Ok(Some((inner.uid_validity, mails.iter().map(|mail| (mail.uid, mail.flags.clone())).collect())))
    }

    async fn heads(
        &mut self,
        folder: &str,
        from: Uid,
        keyword: Option<&str>,
    ) -> Result<Option<Heads>, Broken> {
        let inner = self.world.0.lock().unwrap();
        let Some(mails) = inner.folders.get(folder) else { return Ok(None) };
        let fits = |mail: &&Stored| mail.uid >= from && keyword.is_none_or(|word| mail.flags.contains(word));
        Ok(Some(Heads {
            uid_validity: inner.uid_validity,
            uid_next: inner.next_uid.get(folder).copied().unwrap_or(1),
            mails: mails.iter().filter(fits).map(|m| Head { uid: m.uid, fields: m.bytes.clone() }).collect(),
        }))
    }

    fn sent_folder(&self) -> Option<String> {
        Some("Sent".into())
    }

    async fn wait(&mut self, _: Duration) -> Result<(), Broken> {
        Ok(())
    }
}

fn size(mail: &Stored) -> u32 {
    u32::try_from(mail.bytes.len()).unwrap()
}

fn has_id(mail: &Stored, id: &MessageId) -> bool {
    String::from_utf8_lossy(&mail.bytes).contains(&format!("Message-ID: <{}>", id.as_str()))
}

impl Outbox for World {
    type Error = Broken;

    async fn prepare(&mut self, _: &str, to: &[String]) -> Result<Transfer, Broken> {
        let mut inner = self.0.lock().unwrap();
        match inner.smtp_refuses {
            Some(true) => return Err(Broken("550 never")),
            Some(false) => return Err(Broken("451 later")),
            None => {}
        }
        inner.sent.retain(|(_, bytes)| !bytes.is_empty());
        inner.sent.push((to.to_vec(), Vec::new()));
        Ok(Transfer { eight_bit: true, later: Vec::new() })
    }

    async fn send(&mut self, message: &[u8]) -> Result<(), Broken> {
        let result = self.0.lock().unwrap().effect(|inner| {
            if let Some(last) = inner.sent.last_mut() {
                last.1 = message.to_vec();
            }
        });
        result.map_err(
            |broken| if broken.0 == "cut after" { Broken("after the dot") } else { Broken("451 later") },
        )
    }
}

/// The config of this world. A value given in `more` comes before the sections.
fn config_text(more: &str) -> String {
    let (top, sections) = more.split_at(more.find('[').unwrap_or(more.len()));
    format!(
        "authserv-ids = [\"mx.example.test\"]\n{top}\n{sections}\n[desks]\nlegal = [\"legal@example.test\"]\n\
         lead = [\"lead@example.test\"]\n[[account]]\nname = \"a\"\naddress = \"support@example.test\"\nstart = \"1d\"\n\
         [account.imap]\nhost = \"h\"\nport = 1\nuser = \"u\"\npassword-file = \"p\"\n"
    )
}

impl Drop for Life {
    fn drop(&mut self) {
        canary::assert_silent();
    }
}

/// A daemon in this world; its state lives in `dir`.
pub struct Life {
    pub world: World,
    pub clock: Standing,
    shared: Shared,
    account: Account,
}

impl Life {
    pub async fn begin(world: &World, dir: &Path) -> Self {
        Self::begin_as(world, dir, Mode::Act).await
    }

    pub async fn begin_as(world: &World, dir: &Path, mode: Mode) -> Self {
        Self::begin_with(world, dir, mode, "").await
    }

    /// With more of a config: top-level keys and sections other than accounts and desks.
    pub async fn begin_with(world: &World, dir: &Path, mode: Mode, extra: &str) -> Self {
        canary::listen();
        let text = config_text(extra);
        let mut config = Self::config(&text);
        config.mode = mode;
        let book = Self::book(&config);
        let clock = Standing(Arc::new(Mutex::new(1_790_000_000)));
        // sled gives its lock back a moment after the last handle is dropped
        let ledger = loop {
            match Ledger::open(dir) {
                Ok(ledger) => break ledger,
                Err(evenkeel::edge::ledger::LedgerError::Locked { .. }) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                Err(other) => panic!("{other}"),
            }
        };
        let classifier = Classifier::shipped().unwrap();
        let mut shared = Shared::new(&config, book, classifier, ledger, Arc::new(clock.clone()));
        shared.retry_floor = Duration::ZERO;
        shared.clock_rest = Duration::ZERO;
        let account = config.accounts[0].clone();
        Self { world: world.clone(), clock, shared, account }
    }

    fn config(text: &str) -> Config {
        evenkeel::config::read::parse(Path::new("world.toml"), text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn book(config: &Config) -> Rulebook {
        Rulebook {
            policy: config.policy.clone(),
            company: config.company.clone(),
            playbooks: Playbooks::shipped().unwrap(),
            ..Rulebook::default()
        }
    }

    /// A reload with another config.
    pub fn reload(&self, more: &str) -> Result<(), String> {
        let running = Self::config(&config_text(""));
        let text = config_text(more);
        let loaded = evenkeel::config::read::parse(Path::new("world.toml"), &text)
            .map_err(|error| error.to_string())
            .map(|config| Loaded {
                book: Self::book(&config),
                classifier: Classifier::shipped().unwrap(),
                config,
            });
        self.shared.take_policy(loaded, &running)
    }

    /// What a command is answered.
    pub async fn ask(&self, request: Request) -> Response {
        let now = self.clock.now();
        let base = self.shared.report();
        let answer = move |store: &mut evenkeel::edge::ledger::Store| {
            evenkeel::edge::control::answer(store, &["a".to_owned()], now, base, &request)
        };
        self.shared.ledger.run(answer).await.unwrap()
    }

    /// Book and classifier of such a config.
    pub fn policy_of(extra: &str) -> (Rulebook, Classifier) {
        (Self::book(&Self::config(&config_text(extra))), Classifier::shipped().unwrap())
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time goes by.
    pub fn pass(&self, seconds: i64) {
        *self.clock.0.lock().unwrap() += seconds;
    }

    /// One session: open the folder, finish what was begun, handle what is new.
    pub async fn session(&self) -> Result<usize, WorkError<Broken>> {
        let connection = Connection { world: self.world.clone(), selected: String::new() };
        let mut worker =
            Worker::new(&self.shared, &self.account, "INBOX", connection, Some(self.world.clone()));
        worker.open().await?;
        worker.catch_up().await
    }

    /// As if handling this mail had killed the process that often.
    pub async fn died_of(&self, uid: Uid, times: usize) {
        let folder = evenkeel::edge::ledger::FolderKey { account: "a".into(), folder: "INBOX".into() };
        let key = evenkeel::edge::ledger::MailKey { folder, uid_validity: 1, uid };
        for _ in 0..times {
            let key = key.clone();
            self.shared.ledger.run(move |store| store.attempt(&key)).await.unwrap();
        }
    }

    /// As if a worker still held this record, and wrote it.
    pub async fn update(&self, record: evenkeel::edge::ledger::MailRecord) {
        self.shared.ledger.run(move |store| store.update(&record)).await.unwrap();
    }

    pub async fn reopened(&self) -> Vec<evenkeel::edge::ledger::MailRecord> {
        self.shared.ledger.run(|store| store.reopened()).await.unwrap()
    }

    pub async fn records(&self, id: &str) -> Vec<evenkeel::edge::ledger::MailRecord> {
        let id = MessageId::new(id).unwrap();
        self.shared.ledger.run(move |store| store.find(&["a".into()], &id)).await.unwrap()
    }
}
