//! What a server's untagged answers say, in our own words: the parts of the protocol we use.

use imap_proto::rfc4315::UidSetMember;
use imap_proto::{AttributeValue, Capability, MailboxDatum, NameAttribute, Response, ResponseCode};

use crate::edge::Uid;
use crate::time::Timestamp;

/// One row of a FETCH answer. Rows without a uid are news about other mails and are dropped.
#[derive(Debug, Default)]
pub struct Row {
    /// UID.
    pub uid: Uid,
    /// RFC822.SIZE.
    pub size: Option<u32>,
    /// INTERNALDATE.
    pub arrived: Option<Timestamp>,
    /// FLAGS.
    pub flags: Vec<String>,
    /// What was asked of the body.
    pub body: Option<Vec<u8>>,
    /// MODSEQ (RFC 7162 §3.1.4).
    pub modseq: Option<u64>,
}

/// One folder of a LIST answer.
#[derive(Debug)]
pub struct ListItem {
    /// Name as on the wire.
    pub name: String,
    /// Hierarchy separator.
    pub separator: Option<char>,
    /// Whether it has the special use `\Drafts`.
    pub drafts: bool,
    /// Whether it has the special use `\Sent`.
    pub sent: bool,
}

/// What the server has to say about a command that succeeded.
#[derive(Debug, Default)]
pub struct Reply {
    /// FETCH rows.
    pub rows: Vec<Row>,
    /// SEARCH results.
    pub found: Vec<Uid>,
    /// LIST results.
    pub folders: Vec<ListItem>,
    /// CAPABILITY, upper case.
    pub capabilities: Vec<String>,
    /// EXISTS.
    pub exists: Option<u32>,
    /// UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// UIDNEXT.
    pub uid_next: Option<u32>,
    /// PERMANENTFLAGS.
    pub permanent_flags: Vec<String>,
    /// Uids of COPYUID (RFC 4315 §3) at the source.
    pub copied: Option<Vec<Uid>>,
    /// QUOTA for STORAGE (RFC 9208): used and allowed, in kibibytes.
    pub quota: Option<(u64, u64)>,
    /// Whether `[READ-ONLY]` came with the answer.
    pub read_only: bool,
    /// Uids of MODIFIED (RFC 7162 §3.1.3): somebody was faster, they were left as they are.
    pub modified: Vec<Uid>,
}

impl Reply {
    /// Takes note of untagged data.
    pub fn take(&mut self, response: &Response<'_>) {
        match response {
            Response::Fetch(_, attributes) => {
                let row = row(attributes);
                if row.uid != 0 {
                    self.rows.push(row);
                }
            }
            Response::MailboxData(MailboxDatum::Search(uids)) => self.found.extend(uids),
            Response::MailboxData(MailboxDatum::Exists(count)) => self.exists = Some(*count),
            Response::MailboxData(MailboxDatum::List(item)) => self.folders.push(ListItem {
                name: item.name.to_string(),
                separator: item.delimiter.as_ref().and_then(|d| d.chars().next()),
                drafts: item.name_attributes.contains(&NameAttribute::Drafts),
                sent: item.name_attributes.contains(&NameAttribute::Sent),
            }),
            Response::Capabilities(list) => self.capabilities.extend(list.iter().map(capability)),
            Response::Quota(quota) => {
                let storage = quota
                    .resources
                    .iter()
                    .find(|r| r.name == imap_proto::rfc2087::QuotaResourceName::Storage);
                self.quota = storage.map(|found| (found.usage, found.limit)).or(self.quota);
            }
            Response::Data { outcome, .. } => self.note(outcome.code.as_ref()),
            _ => {}
        }
    }

    /// Takes note of the codes that the parser leaves in the text of a tagged answer.
    pub fn note_text(&mut self, text: &str) {
        let Some((set, _)) = text.strip_prefix("[MODIFIED ").and_then(|rest| rest.split_once(']')) else {
            return;
        };
        for part in set.split(',') {
            let (from, to) = part.split_once(':').unwrap_or((part, part));
            if let (Ok(from), Ok(to)) = (from.trim().parse::<Uid>(), to.trim().parse::<Uid>()) {
                self.modified.extend((from.min(to)..=from.max(to)).take(1_000));
            }
        }
    }

    /// Takes note of a response code, tagged or not.
    pub fn note(&mut self, code: Option<&ResponseCode<'_>>) {
        match code {
            Some(ResponseCode::CopyUid(_, from, _)) => self.copied = Some(members(from)),
            Some(ResponseCode::ReadOnly) => self.read_only = true,
            Some(ResponseCode::UidValidity(value)) => self.uid_validity = Some(*value),
            Some(ResponseCode::UidNext(value)) => self.uid_next = Some(*value),
            Some(ResponseCode::PermanentFlags(flags)) => {
                self.permanent_flags = flags.iter().map(ToString::to_string).collect();
            }
            _ => {}
        }
    }
}

fn capability(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(mechanism) => format!("AUTH={}", mechanism.to_uppercase()),
        Capability::Atom(atom) => atom.to_uppercase(),
    }
}

fn row(attributes: &[AttributeValue<'_>]) -> Row {
    let mut row = Row::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => row.uid = *uid,
            AttributeValue::Rfc822Size(size) => row.size = Some(*size),
            AttributeValue::InternalDate(date) => row.arrived = internal_date(date),
            AttributeValue::ModSeq(value) => row.modseq = Some(*value),
            AttributeValue::Flags(flags) => row.flags = flags.iter().map(ToString::to_string).collect(),
            AttributeValue::BodySection { data: Some(bytes), .. } => row.body = Some(bytes.to_vec()),
            _ => {}
        }
    }
    row
}

fn members(set: &[UidSetMember]) -> Vec<Uid> {
    set.iter()
        .flat_map(|member| match member {
            UidSetMember::Uid(uid) => *uid..=*uid,
            UidSetMember::UidRange(range) => range.clone(),
        })
        .take(1_000)
        .collect()
}

/// date-time of RFC 9051 §9: `"17-Jul-2026 02:44:25 -0700"`.
fn internal_date(text: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    parsed.to_timestamp().ok().map(|at| Timestamp(at.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrival_date_is_read_with_its_zone() {
        assert_eq!(internal_date("17-Jul-1996 02:44:25 -0700"), Some(Timestamp(837_596_665)));
        assert_eq!(internal_date(" 1-Jan-1970 00:00:10 +0000"), Some(Timestamp(10)));
        assert_eq!(internal_date("yesterday"), None);
    }

    #[test]
    fn mails_that_somebody_else_has_changed_are_named() {
        let mut reply = Reply::default();
        reply.note_text("[MODIFIED 7,9:11] Conditional STORE failed.");
        assert_eq!(reply.modified, [7, 9, 10, 11]);
        reply.note_text("Store completed [MODIFIED 3]");
        assert_eq!(reply.modified.len(), 4);
    }

    #[test]
    fn a_row_without_uid_is_news_about_another_mail_and_is_dropped() {
        let mut reply = Reply::default();
        for line in [&b"* 3 FETCH (FLAGS (\\Seen))\r\n"[..], b"* 4 FETCH (UID 9 FLAGS (ek-threat))\r\n"] {
            reply.take(&Response::parse(line).unwrap().1);
        }
        assert_eq!(reply.rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [9]);
        assert_eq!(reply.rows[0].flags, ["ek-threat"]);
    }
}
