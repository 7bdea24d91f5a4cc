//! Where the servers of well-known mail providers are, and how one logs in there.

/// How a provider lets programs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// With the password of the mailbox.
    Password,
    /// With a password made for this program in the account's settings.
    AppPassword,
    /// With `OAuth2` only.
    OAuth2,
}

/// A provider.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// Its name.
    pub name: &'static str,
    /// A word for `--provider`.
    pub word: &'static str,
    /// Domains of its addresses; companies use it with their own as well.
    pub domains: &'static [&'static str],
    /// IMAP host; port 993, TLS from the first byte.
    pub imap: &'static str,
    /// SMTP host and port: 465 has TLS from the first byte, 587 STARTTLS.
    pub smtp: (&'static str, u16),
    /// How one logs in.
    pub login: Login,
    /// What has to be done there first.
    pub first: &'static str,
}

/// The table.
pub const PROVIDERS: [Provider; 20] = [
    Provider {
        name: "Gmail, Google Workspace",
        word: "gmail",
        domains: &["gmail.com", "googlemail.com"],
        imap: "imap.gmail.com",
        smtp: ("smtp.gmail.com", 465),
        login: Login::AppPassword,
        first: "turn on 2-step verification and make an app password at myaccount.google.com/apppasswords; in Workspace the administrator must allow IMAP",
    },
    Provider {
        name: "Microsoft 365, Outlook.com",
        word: "microsoft",
        domains: &["outlook.com", "hotmail.com", "live.com", "msn.com", "onmicrosoft.com"],
        imap: "outlook.office365.com",
        smtp: ("smtp.office365.com", 587),
        login: Login::OAuth2,
        first: "register an application in Entra ID that may use IMAP.AccessAsApp (or IMAP.AccessAsUser.All) and SMTP.Send, and give it the mailbox; Exchange has no keywords of one's own: folders and the ledger tell what was found",
    },
    Provider {
        name: "Fastmail",
        word: "fastmail",
        domains: &["fastmail.com", "fastmail.fm", "messagingengine.com"],
        imap: "imap.fastmail.com",
        smtp: ("smtp.fastmail.com", 465),
        login: Login::AppPassword,
        first: "make an app password with access to mail in Settings, Privacy & Security",
    },
    Provider {
        name: "Yandex",
        word: "yandex",
        domains: &["yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "ya.ru"],
        imap: "imap.yandex.ru",
        smtp: ("smtp.yandex.ru", 465),
        login: Login::AppPassword,
        first: "allow mail clients (IMAP) in the mailbox's settings and make an app password for mail at id.yandex.ru",
    },
    Provider {
        name: "ukr.net",
        word: "ukrnet",
        domains: &["ukr.net"],
        imap: "imap.ukr.net",
        smtp: ("smtp.ukr.net", 465),
        login: Login::AppPassword,
        first: "switch IMAP on in the mailbox's settings and make a password for external programs there",
    },
    Provider {
        name: "Mail.ru",
        word: "mailru",
        domains: &["mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"],
        imap: "imap.mail.ru",
        smtp: ("smtp.mail.ru", 465),
        login: Login::AppPassword,
        first: "make a password for external applications in the account's security settings",
    },
    Provider {
        name: "Rambler",
        word: "rambler",
        domains: &["rambler.ru", "lenta.ru", "ro.ru"],
        imap: "imap.rambler.ru",
        smtp: ("smtp.rambler.ru", 465),
        login: Login::Password,
        first: "allow mail clients in the mailbox's settings",
    },
    Provider {
        name: "I.UA",
        word: "iua",
        domains: &["i.ua", "ua.fm", "email.ua"],
        imap: "imap.i.ua",
        smtp: ("smtp.i.ua", 465),
        login: Login::Password,
        first: "switch IMAP on in the mailbox's settings",
    },
    Provider {
        name: "META.ua",
        word: "meta",
        domains: &["meta.ua"],
        imap: "imap.meta.ua",
        smtp: ("smtp.meta.ua", 465),
        login: Login::Password,
        first: "switch IMAP on in the mailbox's settings",
    },
    Provider {
        name: "Yahoo",
        word: "yahoo",
        domains: &["yahoo.com", "yahoo.es", "yahoo.co.uk", "ymail.com"],
        imap: "imap.mail.yahoo.com",
        smtp: ("smtp.mail.yahoo.com", 465),
        login: Login::AppPassword,
        first: "make an app password in the account's security settings",
    },
    Provider {
        name: "iCloud",
        word: "icloud",
        domains: &["icloud.com", "me.com", "mac.com"],
        imap: "imap.mail.me.com",
        smtp: ("smtp.mail.me.com", 587),
        login: Login::AppPassword,
        first: "make an app-specific password at account.apple.com",
    },
    Provider {
        name: "GMX",
        word: "gmx",
        domains: &["gmx.net", "gmx.de", "gmx.at", "gmx.ch"],
        imap: "imap.gmx.net",
        smtp: ("mail.gmx.net", 465),
        login: Login::Password,
        first: "allow POP3 and IMAP in the mailbox's settings",
    },
    Provider {
        name: "GMX.com",
        word: "gmxcom",
        domains: &["gmx.com", "gmx.us", "gmx.co.uk"],
        imap: "imap.gmx.com",
        smtp: ("mail.gmx.com", 465),
        login: Login::Password,
        first: "allow POP3 and IMAP in the mailbox's settings",
    },
    Provider {
        name: "WEB.DE",
        word: "webde",
        domains: &["web.de"],
        imap: "imap.web.de",
        smtp: ("smtp.web.de", 587),
        login: Login::Password,
        first: "allow POP3 and IMAP in the mailbox's settings",
    },
    Provider {
        name: "Zoho (US)",
        word: "zoho",
        domains: &["zoho.com", "zohomail.com"],
        imap: "imap.zoho.com",
        smtp: ("smtp.zoho.com", 465),
        login: Login::AppPassword,
        first: "switch IMAP on in the mailbox's settings; with two factors, make an application-specific password",
    },
    Provider {
        name: "Zoho (EU)",
        word: "zohoeu",
        domains: &["zoho.eu", "zohomail.eu"],
        imap: "imap.zoho.eu",
        smtp: ("smtp.zoho.eu", 465),
        login: Login::AppPassword,
        first: "switch IMAP on in the mailbox's settings; with two factors, make an application-specific password",
    },
    Provider {
        name: "mailbox.org",
        word: "mailboxorg",
        domains: &["mailbox.org"],
        imap: "imap.mailbox.org",
        smtp: ("smtp.mailbox.org", 465),
        login: Login::Password,
        first: "",
    },
    Provider {
        name: "Posteo",
        word: "posteo",
        domains: &["posteo.de", "posteo.net"],
        imap: "posteo.de",
        smtp: ("posteo.de", 465),
        login: Login::Password,
        first: "",
    },
    Provider {
        name: "Amazon WorkMail (EU, Ireland)",
        word: "workmail",
        domains: &["awsapps.com"],
        imap: "imap.mail.eu-west-1.awsapps.com",
        smtp: ("smtp.mail.eu-west-1.awsapps.com", 465),
        login: Login::Password,
        first: "the host names hold the region: change eu-west-1 where it is another",
    },
    Provider {
        name: "Migadu",
        word: "migadu",
        domains: &["migadu.com"],
        imap: "imap.migadu.com",
        smtp: ("smtp.migadu.com", 465),
        login: Login::Password,
        first: "",
    },
];

/// The provider of an address, by its domain.
#[must_use]
pub fn of_address(address: &str) -> Option<&'static Provider> {
    let (_, domain) = address.rsplit_once('@')?;
    let domain = domain.to_ascii_lowercase();
    // tenants of Microsoft 365 are below onmicrosoft.com
    let matches =
        |known: &str| domain == known || domain.strip_suffix(known).is_some_and(|front| front.ends_with('.'));
    PROVIDERS.iter().find(|provider| provider.domains.iter().any(|known| matches(known)))
}

/// The provider with this word.
#[must_use]
pub fn of_word(word: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_the_domain_and_by_nothing_that_only_looks_like_it() {
        let word = |address: &str| of_address(address).map(|provider| provider.word);
        assert_eq!(word("help@GMAIL.com"), Some("gmail"));
        assert_eq!(word("help@contoso.onmicrosoft.com"), Some("microsoft"));
        assert_eq!(word("a@ukr.net"), Some("ukrnet"));
        assert_eq!(word("a@notgmail.com"), None);
        assert_eq!(word("a@gmail.com.example.org"), None);
        assert_eq!(word("gmail.com"), None);
    }

    #[test]
    fn words_and_domains_are_there_once() {
        let mut words: Vec<&str> = PROVIDERS.iter().map(|provider| provider.word).collect();
        let mut domains: Vec<&str> = PROVIDERS.iter().flat_map(|p| p.domains).copied().collect();
        let (all, every) = (words.len(), domains.len());
        words.sort_unstable();
        words.dedup();
        domains.sort_unstable();
        domains.dedup();
        assert_eq!((words.len(), domains.len()), (all, every));
        for provider in PROVIDERS {
            assert!([465, 587].contains(&provider.smtp.1), "{}", provider.name);
        }
    }
}
