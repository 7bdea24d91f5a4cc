//! The window in a headless Chromium: light and dark, on a telephone, by keyboard alone, with scripts and
//! without, and with mails that would like to be markup.

mod chrome;

use std::time::{Duration, Instant};

use serde_json::json;

use super::web::free_port;
use super::window::{HOSTILE, TOKEN, with_window};
use crate::e2e::client::ImapClient;
use crate::e2e::servers::{Daemon, Servers};
use chrome::{Chrome, ENTER, SPACE, TAB};

/// A mail in a language that is not read: it waits for a person.
const FOREIGN: &str = "From: =?utf-8?B?5bGx55Sw?= <yamada-with-a-long-name-that-does-not-break-anywhere@very-long-host-name.example.org>\r\n\
To: support@example.test\r\nSubject: =?utf-8?B?6Kix5Y+v?=\r\nMessage-ID: <NUMBER@example.org>\r\n\
Date: Sun, 22 Nov 2026 05:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
注文した商品がまだ届いていません。いつ届くのか教えていただけますか。よろしくお願いいたします。\r\n";

/// What the test itself asks for, to see that the policy forbids it.
const ELSEWHERE: &str = "http://127.0.0.2:9/x";

/// A daemon with mails in every page, and its window.
struct Stage {
    // it ends before its servers
    _daemon: Daemon,
    servers: Servers,
    config: std::path::PathBuf,
    port: u16,
}

impl Stage {
    fn start() -> Option<Self> {
        let servers = Servers::start("browser", &[])?;
        let port = free_port();
        let config = with_window(&servers, port);
        let daemon = Daemon::start(&servers, &config, None);
        servers.deliver("support@example.test", &crate::e2e::sample("threat.en.eml"));
        servers.deliver("support@example.test", HOSTILE.as_bytes());
        for number in ["a1", "a2", "a3"] {
            servers.deliver("support@example.test", FOREIGN.replace("NUMBER", number).as_bytes());
        }
        ImapClient::login(&servers, "support").until("all are filed", |imap| imap.filed() == 5);
        let mark = ["customers", "set", "rick@example.org", "email-only", "--note", "<b>agreed</b>"];
        assert!(Servers::evenkeel(&config, &mark).status.success());
        Some(Self { servers, config, port, _daemon: daemon })
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn audit(&self) -> String {
        let output = Servers::evenkeel(&self.config, &["audit", "show"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Logs in with the keyboard: the field has the focus.
fn log_in(chrome: &Chrome, stage: &Stage) {
    chrome.open(&stage.at("/"));
    assert!(chrome.url().ends_with("/login"), "{}", chrome.url());
    chrome.press(&format!("{TOKEN}{ENTER}"));
    until(chrome, "the overview", "return location.pathname === '/' && !!document.querySelector('.tiles')");
}

/// Waits until a script of the test says yes.
fn until(chrome: &Chrome, what: &str, script: &str) {
    let begun = Instant::now();
    while chrome.run(script) != true {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} did not come: {}", chrome.url());
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Presses Tab until a script of the test says yes.
fn tab_until(chrome: &Chrome, what: &str, script: &str) {
    for _ in 0..60 {
        chrome.press(TAB);
        if chrome.run(script) == true {
            return;
        }
    }
    panic!("Tab never comes to {what} on {}", chrome.url());
}

#[test]
fn in_a_browser_the_window_is_read_and_worked_in_by_everybody_and_no_mail_speaks() {
    let test = "the window in a browser";
    let Some(chrome) = Chrome::start(test) else { return };
    let Some(stage) = Stage::start() else { return };
    // the browser's own first page asks for much
    chrome.open("about:blank");
    chrome.asked_for();
    log_in(&chrome, &stage);
    let pages = pages(&chrome, &stage);
    in_light_and_dark_at_every_width(&chrome, &stage, &pages);
    by_keyboard_alone(&chrome, &stage, &pages);
    nothing_of_a_mail_speaks(&chrome, &stage, &pages);
    a_correction_without_a_mouse(&chrome, &stage);
    without_scripts(&chrome, &stage);
    let ours = |url: &str| url.starts_with(&stage.at("/")) || url.starts_with("data:") || url == ELSEWHERE;
    let foreign: Vec<String> = chrome.asked_for().into_iter().filter(|url| !ours(url)).collect();
    assert!(foreign.is_empty(), "something remote was asked for: {foreign:?}");
    stage.servers.assert_log_is_clean();
}

/// Every page there is, with one of each kind, and a mail's text fetched.
fn pages(chrome: &Chrome, stage: &Stage) -> Vec<String> {
    chrome.open(&stage.at("/feed"));
    let script = "return [...document.querySelectorAll('.feed li')].map(li => li.querySelector('a').getAttribute('href'))";
    let mails = chrome.run(script);
    let mails: Vec<&str> = mails.as_array().unwrap().iter().map(|href| href.as_str().unwrap()).collect();
    assert_eq!(mails.len(), 5);
    let mut pages: Vec<String> = [
        "/",
        "/feed",
        "/review",
        "/tickets",
        "/customers",
        "/customers/rick@example.org",
        "/learning",
        "/mails/none",
    ]
    .map(str::to_owned)
    .to_vec();
    pages.extend(mails.iter().map(|mail| format!("{mail}?text=true")));
    pages
}

/// Text whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3; 3 to 1 where it is large), and what is wider than
/// the screen.
const UNREADABLE: &str = r"
  const parts = c => (c.match(/[\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const f = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parts(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const e of document.body.querySelectorAll('*')) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('');
    const box = e.getBoundingClientRect();
    if (!text || !box.width || getComputedStyle(e).visibility === 'hidden') continue;
    const style = getComputedStyle(e), svg = e.namespaceURI.endsWith('svg');
    const ink = parts(svg ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(svg ? e.ownerSVGElement : e))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${ratio.toFixed(2)}: ${e.localName} ${text.slice(0, 30)}`);
  }
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) bad.push(`${root.scrollWidth} pixels wide of ${root.clientWidth}`);
  for (const e of document.querySelectorAll('button, input:not([type=hidden])')) {
    const box = e.getBoundingClientRect();
    if (box.height < 24 || box.width < 24) bad.push(`too small to touch: ${e.outerHTML.slice(0, 80)}`);
  }
  return bad;
";

fn in_light_and_dark_at_every_width(chrome: &Chrome, stage: &Stage, pages: &[String]) {
    let pictures = std::env::var_os("EVENKEEL_PICTURES").map(std::path::PathBuf::from);
    let mut grounds = std::collections::BTreeSet::new();
    for (width, scheme) in [(320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")] {
        chrome.look(width, scheme);
        for page in pages {
            chrome.open(&stage.at(page));
            let bad = chrome.run(UNREADABLE);
            assert_eq!(bad, json!([]), "{page}, {width} pixels, {scheme}");
            if let Some(dir) = &pictures {
                let name = page.split(['?', '@']).next().unwrap().trim_matches('/').replace('/', "-");
                chrome.picture(dir, &format!("{name}-{width}-{scheme}"));
            }
        }
        let ground = chrome.run("return getComputedStyle(document.body).backgroundColor");
        grounds.insert((scheme, ground.to_string()));
    }
    assert_eq!(grounds.len(), 2, "light is light and dark is dark: {grounds:?}");
    // a telephone that shows what does not fit is noticed
    chrome.look(320, "light");
    chrome.run("document.querySelector('main').style.width = '400px'");
    assert_ne!(chrome.run(UNREADABLE), json!([]));
    chrome.look(1280, "light");
}

/// Where the focus is: its place among all elements, and whether it can be seen.
const FOCUS: &str = r"
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  const seen = e.matches(':focus-visible') && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
    && box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return [[...document.querySelectorAll('*')].indexOf(e), seen, e.outerHTML.slice(0, 100)];
";

fn by_keyboard_alone(chrome: &Chrome, stage: &Stage, pages: &[String]) {
    let wanted = "return [...document.querySelectorAll('*')].map((e, i) => e.matches('a[href], button, input:not([type=hidden])') ? i : -1).filter(i => i >= 0)";
    for page in pages {
        chrome.open(&stage.at(page));
        let wanted: Vec<i64> = serde_json::from_value(chrome.run(wanted)).unwrap();
        let mut found: Vec<i64> = Vec::new();
        // past the last one the focus leaves the page
        for _ in 0..wanted.len() + 9 {
            chrome.press(TAB);
            let focus = chrome.run(FOCUS);
            let at = focus[0].as_i64().unwrap();
            if found.contains(&at) || chrome.run("return document.activeElement === document.body") == true {
                break;
            }
            assert_eq!(focus[1], true, "{page}: the focus cannot be seen: {focus}");
            found.push(at);
        }
        assert!(found.is_sorted(), "{page}: Tab does not go in the order of the page: {found:?}");
        let missed: Vec<&i64> = wanted.iter().filter(|at| !found.contains(at)).collect();
        assert!(missed.is_empty(), "{page}: Tab never comes to {missed:?} of {wanted:?}");
    }
    // the first key offers to go past the menu
    chrome.open(&stage.at("/feed"));
    chrome.press(TAB);
    assert_eq!(chrome.run("return document.activeElement.className"), "skip");
    chrome.press(ENTER);
    chrome.press(TAB);
    assert_eq!(chrome.run("return !!document.activeElement.closest('main')"), true);
}

fn nothing_of_a_mail_speaks(chrome: &Chrome, stage: &Stage, pages: &[String]) {
    chrome.complaints();
    for page in pages {
        chrome.open(&stage.at(page));
        assert!(!chrome.has_alert(), "{page} opened a dialogue");
        let ours = "return [...document.scripts].every(s => s.src === location.origin + '/script.js' && !s.textContent) && !document.querySelector('img, iframe, object, embed, [onerror], [style]')";
        assert_eq!(chrome.run(ours), true, "{page} holds markup of a mail");
    }
    let shown = "return document.querySelector('.extract')?.textContent.includes('<script>alert(2)</script>') ?? false";
    let texts = pages.iter().filter(|page| page.contains("?text=true"));
    let hostile = texts.filter(|page| {
        chrome.open(&stage.at(page));
        chrome.run(shown) == true
    });
    assert_eq!(hostile.count(), 1, "the hostile text is shown as text");
    // an unknown mail is a 404, which the browser tells as well
    let told: Vec<String> =
        chrome.complaints().into_iter().filter(|line| !line.contains("/mails/none")).collect();
    assert!(told.is_empty(), "the browser complains: {told:#?}");
    // what the policy is for is noticed here
    chrome.open(&stage.at("/feed"));
    chrome.run(&format!(
        "const i = document.createElement('img'); i.src = '{ELSEWHERE}'; document.body.append(i)"
    ));
    chrome.run("const s = document.createElement('style'); s.textContent = '*{}'; document.body.append(s)");
    let markup = "try { document.body.innerHTML = '<b>x</b>'; return 'made' } catch { return 'refused' }";
    assert_eq!(chrome.run(markup), "refused", "no script makes markup of text");
    let told = chrome.complaints();
    assert!(told.iter().filter(|line| line.contains("Content Security Policy")).count() >= 2, "{told:#?}");
    assert!(!chrome.has_alert());
}

fn a_correction_without_a_mouse(chrome: &Chrome, stage: &Stage) {
    chrome.open(&stage.at("/review"));
    let queue = chrome.run("return document.querySelectorAll('form.correct').length");
    tab_until(chrome, "a correction", "return document.activeElement.matches('form.correct button')");
    let said = chrome.run("return document.activeElement.name");
    let said = said.as_str().unwrap();
    chrome.press(ENTER);
    until(
        chrome,
        "the note",
        &format!("return document.querySelector('[role=status]')?.textContent === 'Noted: {said}.'"),
    );
    assert!(chrome.url().ends_with("/review"), "the page stays: {}", chrome.url());
    assert!(stage.audit().contains(&format!("label {said}")), "{}", stage.audit());
    let left = chrome.run("return document.querySelectorAll('form.correct').length");
    assert_eq!(left.as_u64().unwrap() + 1, queue.as_u64().unwrap());
    let next = "return document.activeElement === document.querySelector('form.correct button')";
    assert_eq!(chrome.run(next), true, "the focus is on the next mail");
    // a server that refuses is told, and the form stays
    chrome.run("document.querySelector('form.correct [name=mark]').value = 'forged'");
    chrome.press(ENTER);
    until(
        chrome,
        "the refusal",
        "return [...document.querySelectorAll('[role=status]')].some(e => e.textContent.startsWith('Not noted'))",
    );
    assert_eq!(chrome.run("return document.querySelectorAll('form.correct').length"), left);
    assert_eq!(chrome.complaints().iter().filter(|line| !line.contains("403")).count(), 0);
}

fn without_scripts(chrome: &Chrome, stage: &Stage) {
    chrome.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    chrome.open("data:text/html,<title>off</title><script>document.title='on'</script>");
    assert_eq!(chrome.run("return document.title"), "off", "scripts are off");
    chrome.devtools("Network.clearBrowserCookies", &json!({}));
    log_in(chrome, stage);
    // by the menu to the queue, and a correction: a page says that it was noted
    tab_until(chrome, "the review queue", "return document.activeElement.getAttribute('href') === '/review'");
    chrome.press(ENTER);
    until(chrome, "the queue", "return location.pathname === '/review'");
    tab_until(chrome, "a correction", "return document.activeElement.matches('form.correct button')");
    chrome.press(ENTER);
    until(
        chrome,
        "the note",
        "return location.pathname.startsWith('/mails/') && document.querySelector('.note')?.textContent.startsWith('Noted')",
    );
    // several labels at once, with the space bar
    let boxes = "return document.querySelectorAll('#correct input:checked').length";
    let before = chrome.run(boxes);
    tab_until(chrome, "a label", "return document.activeElement.matches('#correct input[name=idea]')");
    chrome.press(SPACE);
    assert_ne!(chrome.run(boxes), before);
    tab_until(chrome, "the button", "return document.activeElement.matches('#correct button')");
    chrome.press(ENTER);
    let said = || stage.audit().lines().any(|line| line.contains("label ") && line.contains("idea"));
    crate::faults::until("the label is in the audit", Duration::from_secs(20), said);
    until(
        chrome,
        "the page with the note",
        "return document.readyState === 'complete' && !!document.querySelector('.note')",
    );
    // a mail is taken back, a ticket settled
    tab_until(chrome, "taking back", "return document.activeElement.textContent.startsWith('Take back')");
    chrome.press(ENTER);
    until(chrome, "the mail", "return location.search === ''");
    chrome.open(&stage.at("/tickets"));
    let open = chrome.run("return document.querySelectorAll('form button.quiet').length");
    tab_until(chrome, "a ticket", "return document.activeElement.textContent === 'Settled'");
    chrome.press(ENTER);
    until(
        chrome,
        "the ticket's end",
        &format!("return document.querySelectorAll('form button.quiet').length < {open}"),
    );
    tab_until(chrome, "the door", "return document.activeElement.textContent === 'Log out'");
    chrome.press(ENTER);
    until(chrome, "the way out", "return location.pathname === '/login'");
}
