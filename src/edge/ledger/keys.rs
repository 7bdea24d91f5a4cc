//! Keys of the store: readable paths, hashes where a name may be long or personal.

use sha2::{Digest, Sha256};

use super::record::{FolderKey, MailKey};
use crate::mail::MessageId;

/// The first 128 bits of SHA-256, in hex.
#[must_use]
pub fn short_hash(text: &str) -> String {
    hex(Sha256::digest(text.as_bytes()).iter().take(16))
}

/// Lower-case hex.
pub fn hex<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = String::with_capacity(64);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// `%` and `/` escaped, so that no name can reach into another's keys.
pub(super) fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

pub(super) fn folder_path(folder: &FolderKey) -> String {
    format!("{}/{}", escaped(&folder.account), escaped(&folder.folder))
}

pub(super) fn mail_path(mail: &MailKey) -> String {
    format!("{}/{:010}/{:010}", folder_path(&mail.folder), mail.uid_validity, mail.uid)
}

pub(super) fn mail_key(mail: &MailKey) -> String {
    format!("mail/{}", mail_path(mail))
}

pub(super) fn cut_key(mail: &MailKey) -> String {
    format!("cut/{}", mail_path(mail))
}

pub(super) fn attempt_key(mail: &MailKey) -> String {
    format!("attempt/{}", mail_path(mail))
}

pub(super) fn cursor_key(folder: &FolderKey) -> String {
    format!("cursor/{}", folder_path(folder))
}

pub(super) fn thread_key(account: &str, id: &MessageId) -> String {
    format!("thread/{account}/{}", short_hash(id.as_str()))
}

pub(super) fn sender_pace_key(identity: &str) -> String {
    format!("pace/sender/{}", short_hash(identity))
}

/// Where the mail is found about which we wrote something with this id.
pub(super) fn own_key(id: &MessageId) -> String {
    format!("own/{}", short_hash(id.as_str()))
}

/// Where the mails with a Message-ID are listed.
pub(super) fn message_key(account: &str, id: &MessageId) -> String {
    format!("message/{account}/{}", short_hash(id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_in_a_folder_name_does_not_reach_into_another_folder() {
        let inner = FolderKey { account: "a".into(), folder: "b/c".into() };
        let outer = FolderKey { account: "a/b".into(), folder: "c".into() };
        assert_ne!(folder_path(&inner), folder_path(&outer));
    }
}
