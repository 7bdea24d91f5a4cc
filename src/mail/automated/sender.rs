//! Senders that are programs.

use super::marks::{self, any};

fn local_part(address: &str) -> String {
    address.rsplit_once('@').map_or(address, |(local, _)| local).to_lowercase()
}

pub(super) fn is_daemon(address: &str) -> bool {
    let local = local_part(address);
    let local = local.trim_matches(['"', '<', '>']);
    any(marks::DAEMONS, |name| {
        local == name
            || local.strip_prefix(name).is_some_and(|rest| rest.starts_with(['-', '+', '.', '=', '_', '3']))
    })
}

pub(super) fn is_daemon_name(name: &str) -> bool {
    let name = name.to_lowercase();
    any(marks::DAEMON_NAMES, |daemon| name.contains(daemon))
}

pub(super) fn is_no_reply(address: &str) -> bool {
    let local = local_letters(address);
    any(marks::NO_REPLY, |name| local.starts_with(name) || local.ends_with(name))
}

/// The letters and digits of the local part.
pub(super) fn local_letters(address: &str) -> String {
    local_part(address).chars().filter(char::is_ascii_alphanumeric).collect()
}
