//! A resolver that fails for a while: the daemon runs with a list of hosts and a name server of its own.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::{Rig, complaint, until, until_filed};
use crate::e2e::servers::Daemon;
use crate::skipped::skipped;

#[test]
fn a_resolver_that_fails_for_a_while_costs_time_and_no_mail() {
    let Some(rig) = Rig::start("dns", &[]) else { return };
    if !Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success()) {
        return skipped("a failing resolver", "needs root, for a mount namespace");
    }
    let (hosts, servers) = (rig.servers.dir.join("hosts"), rig.servers.dir.join("resolv.conf"));
    // nobody answers there
    fs::write(&servers, "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").unwrap();
    let (known, unknown) = ("127.0.0.1 localhost\n", "# nothing is known\n");
    fs::write(&hosts, unknown).unwrap();
    let own = format!(
        "mount --bind {} /etc/hosts && mount --bind {} /etc/resolv.conf && exec \"$@\"",
        hosts.display(),
        servers.display()
    );
    let config = rig.config(&rig.wish());
    let daemon = Daemon::launch_by(&["unshare", "-m", "sh", "-c", &own, "sh"], &rig.servers, &config);
    let is_named = || daemon.log().contains("localhost cannot be resolved");
    until("the failing name is named", Duration::from_secs(30), is_named);
    fs::write(&hosts, known).unwrap();
    daemon.wait_for_line("watching");
    let first = rig.deliver(&complaint("dns-first"));
    until_filed(&rig, &daemon, "dns", "Queue/Support", &first);

    // it fails again, and the connection breaks
    fs::write(&hosts, unknown).unwrap();
    rig.imap.cut_all();
    let second = rig.deliver(&complaint("dns-second"));
    std::thread::sleep(Duration::from_secs(4));
    fs::write(&hosts, known).unwrap();
    until_filed(&rig, &daemon, "dns", "Queue/Support", &second);
    let lines = daemon.log().matches("cannot be resolved").count();
    daemon.stop();
    for id in [&first, &second] {
        rig.assert_exactly_once("dns", id, "Queue/Support", "ek-complaint", 0);
    }
    assert!(lines <= 4, "{lines} lines for two changes of state");
    rig.servers.assert_log_is_clean();
}
