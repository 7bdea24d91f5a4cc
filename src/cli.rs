//! The command line: data on stdout, talk on stderr.

pub mod backup;
pub mod classify;
pub mod daemon;
pub mod doctor;
pub mod explain;
pub mod init;
pub mod input;
pub mod interrupt;
pub mod label;
pub mod learn;
pub mod log;
pub mod manual;
pub mod operations;
pub mod output;
pub mod playbooks;
pub mod preview;
pub mod progress;
pub mod purpose;
pub mod state;
pub mod training;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, ConfigError, DEFAULT_PATH};
use crate::edge::ledger::LedgerError;
use crate::edge::ledger::backup::RestoreError;
use interrupt::Interrupted;
use output::Format;

/// Exit status of a bad configuration (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;
/// Exit status when the state belongs to another process (`EX_CANTCREAT`).
pub const EXIT_LOCKED: u8 = 73;
/// Exit status when the state cannot be used (`EX_TEMPFAIL`): systemd may try again.
pub const EXIT_STATE: u8 = 75;

/// Exit status after Ctrl-C, as a shell says it.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Keeps a support inbox on an even keel: tags and files each mail, hands threats to legal, and
/// leaves a draft for the agent. It never answers a customer by itself.
#[derive(Debug, Parser)]
#[command(name = "evenkeel", version, max_term_width = 100, propagate_version = true)]
struct Cli {
    /// The configuration.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon until SIGTERM.
    #[command(after_help = "Example:\n  evenkeel --config /etc/evenkeel/evenkeel.toml run")]
    Run,
    /// Write the first config: asks on a terminal, takes flags elsewhere; never over an existing file.
    #[command(
        after_help = "Example:\n  evenkeel init\n  evenkeel --config ./evenkeel.toml init --address help@example.com --imap mail.example.com --smtp mail.example.com --password-file - < password"
    )]
    Init(Box<init::InitArgs>),
    /// Check configuration, playbooks, rules and model; every problem at once, no network.
    #[command(
        after_help = "Example:\n  evenkeel --config evenkeel.toml check\n  evenkeel check --playbooks /etc/evenkeel/playbooks"
    )]
    Check {
        /// Only these playbooks, without a config: which rule each wording breaks.
        #[arg(long, value_name = "DIR")]
        playbooks: Option<PathBuf>,
    },
    /// Prove every server: DNS, TLS, login, folders, keywords, a draft saved and removed; say what will be used
    /// where a server lacks something.
    #[command(after_help = "Example:\n  evenkeel doctor\n  evenkeel doctor --send-test")]
    Doctor(doctor::DoctorArgs),
    /// Show what would be done with the newest mails of the watched folders; changes nothing.
    #[command(
        after_help = "Example:\n  evenkeel --config evenkeel.toml preview --last 200\n  evenkeel --config new.toml preview --against /etc/evenkeel/evenkeel.toml"
    )]
    Preview {
        /// How many of the newest mails of each folder.
        #[arg(long, default_value_t = 50, value_name = "N")]
        last: usize,
        /// Show only what another config would do otherwise.
        #[arg(long, value_name = "OLD.toml")]
        against: Option<PathBuf>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Label mails: .eml, mbox, Maildir, a directory, JSON lines, or - for one mail on stdin.
    #[command(after_help = "Example:\n  evenkeel classify --explain data/samples")]
    Classify {
        #[command(flatten)]
        inputs: InputArgs,
        /// Add the evidence for each label.
        #[arg(long)]
        explain: bool,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show the draft that would be saved, or why there is none.
    #[command(after_help = "Example:\n  evenkeel draft data/samples/*.eml")]
    Draft {
        #[command(flatten)]
        inputs: InputArgs,
        /// What the draft is for, instead of what is found: closing, follow-up, decline, labels as in
        /// abuse+complaint, or a label of your own that has a playbook.
        #[arg(long = "for", value_name = "WHAT", value_parser = purpose::parse)]
        purpose: Option<purpose::Purpose>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Show what is read in a mail: new text, quote, who, language, automated or not.
    #[command(after_help = "Example:\n  evenkeel read data/samples --format jsonl")]
    Read {
        #[command(flatten)]
        inputs: InputArgs,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Train a model from a corpus of labelled mails.
    #[command(
        after_help = "Example:\n  evenkeel train --corpus data/corpus --model models/evenkeel.model\n  evenkeel train --local"
    )]
    Train(training::TrainArgs),
    /// What was learnt from this inbox: list, compare, put in force, go back.
    #[command(after_help = "Example:\n  evenkeel models list\n  evenkeel models rollback")]
    Models {
        #[command(subcommand)]
        command: learn::ModelsCommand,
    },
    /// Measure a model on the held-back part of a corpus.
    #[command(after_help = "Example:\n  evenkeel evaluate --corpus data/corpus")]
    Evaluate(training::EvaluateArgs),
    /// Write an HTML page with the figures of a model on a corpus.
    #[command(after_help = "Example:\n  evenkeel report --corpus data/corpus --output report.html")]
    Report(training::ReportArgs),
    /// Say what labels a mail has, so that the daemon learns from it; list what was said.
    #[command(
        after_help = "Example:\n  evenkeel label '<CAF123@mail.example.com>' complaint question\n  evenkeel label --drawn"
    )]
    Label(label::LabelArgs),
    /// Say what was done with a mail, and why.
    #[command(after_help = "Example:\n  evenkeel explain '<CAF123@mail.example.com>'")]
    Explain {
        /// The mail's Message-ID, with or without angle brackets.
        #[arg(value_name = "MESSAGE-ID")]
        id: String,
        #[command(flatten)]
        format: FormatArg,
    },
    /// How the daemon is: folders, policy, tickets, caps against loops, what is still to do.
    #[command(after_help = "Example:\n  evenkeel status")]
    Status {
        #[command(flatten)]
        format: FormatArg,
    },
    /// List tickets, the most urgent first; or say that one is settled.
    #[command(after_help = "Example:\n  evenkeel tickets --overdue\n  evenkeel tickets EK-2222-A3 --resolve")]
    Tickets(operations::TicketsArgs),
    /// How customers are served: show, set, lift, link.
    #[command(after_help = "Example:\n  evenkeel customers show rick@example.org")]
    Customers {
        #[command(subcommand)]
        command: operations::CustomersCommand,
    },
    /// Take back what was done with a mail, by a rule, or in a time window; says what cannot be.
    #[command(after_help = "Example:\n  evenkeel undo --rule gold --from 2h")]
    Undo(operations::UndoArgs),
    /// Try again what has failed.
    #[command(after_help = "Example:\n  evenkeel retry '<CAF123@mail.example.com>'")]
    Retry {
        /// With this mail only.
        #[arg(value_name = "MESSAGE-ID")]
        id: Option<String>,
        #[command(flatten)]
        format: FormatArg,
    },
    /// What was decided and done, in a file whose lines are chained by hashes.
    #[command(after_help = "Example:\n  evenkeel audit verify")]
    Audit {
        #[command(subcommand)]
        command: operations::AuditCommand,
    },
    /// Write the whole state into one file, also while the daemon runs.
    #[command(after_help = "Example:\n  evenkeel backup /var/backups/evenkeel/")]
    Backup {
        /// A file that does not exist yet, or a directory.
        #[arg(value_name = "FILE|DIR")]
        target: PathBuf,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Put the state of a backup in the place of the present one, which is kept aside; the daemon must
    /// not run.
    #[command(
        after_help = "Example:\n  evenkeel restore /var/backups/evenkeel/evenkeel-2026-11-22T05-01-02Z.17.backup"
    )]
    Restore {
        /// The backup.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Everything stored about a customer, as JSON.
    #[command(after_help = "Example:\n  evenkeel export rick@example.org > rick.json")]
    Export {
        /// An address.
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Erase everything stored about a customer; prints a receipt.
    #[command(after_help = "Example:\n  evenkeel erase rick@example.org")]
    Erase {
        /// An address.
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// Also what is on legal hold.
        #[arg(long)]
        despite_hold: bool,
        #[command(flatten)]
        format: FormatArg,
    },
    /// Write man pages and shell completions; for packages.
    #[command(hide = true, after_help = "Example:\n  evenkeel manual target/package")]
    Manual {
        /// A directory.
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
struct InputArgs {
    /// Files or directories.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
}

/// How data are printed.
#[derive(Clone, Copy, Debug, Args)]
pub struct FormatArg {
    /// Text for people, JSON lines for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log::start(matches!(cli.command, Command::Run));
    let path = cli.config.clone();
    let done = run(cli);
    state::give_back(&path);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::from(status(&error))
        }
    }
}

/// Whether a command line is understood; the first word is the program's name.
///
/// # Errors
/// With what is wrong.
pub fn understood(words: &[String]) -> Result<(), String> {
    match Cli::try_parse_from(words) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn status(error: &anyhow::Error) -> u8 {
    if error.is::<ConfigError>() || error.is::<BadFiles>() {
        return EXIT_CONFIG;
    }
    let restoring = error.downcast_ref::<RestoreError>();
    if error.is::<Interrupted>() || matches!(restoring, Some(RestoreError::Interrupted)) {
        return EXIT_INTERRUPTED;
    }
    let of_ledger = restoring.and_then(|error| match error {
        RestoreError::Ledger(error) => Some(error),
        _ => None,
    });
    if matches!(restoring, Some(RestoreError::Newer { .. })) {
        return EXIT_CONFIG;
    }
    match error.downcast_ref::<LedgerError>().or(of_ledger) {
        Some(LedgerError::Locked { .. }) => EXIT_LOCKED,
        Some(LedgerError::Newer { .. }) => EXIT_CONFIG,
        Some(_) => EXIT_STATE,
        None => 1,
    }
}

/// Files beside the config that cannot be used: model, rules, playbooks.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct BadFiles(pub Vec<String>);

fn run(cli: Cli) -> anyhow::Result<()> {
    let config = || Config::load(&cli.config);
    let place = || state::Whereabouts::of(&cli.config);
    match cli.command {
        Command::Run => daemon::run(config()?),
        Command::Init(args) => init::init(&cli.config, *args),
        Command::Check { playbooks: Some(dir) } => daemon::check_playbooks(&dir),
        Command::Check { playbooks: None } => daemon::check(&config()?),
        Command::Doctor(args) => doctor::doctor(&config()?, &args),
        Command::Preview { last, against, format } => {
            let old = against.as_deref().map(Config::load).transpose()?;
            preview::preview(&config()?, old.as_ref(), last, format.format)
        }
        Command::Explain { id, format } => explain::explain(&place()?, &id, format.format),
        Command::Label(args) => label::label(&config()?, &args),
        Command::Classify { inputs, explain, format } => {
            classify::classify(inputs.inputs, explain, format.format)
        }
        Command::Draft { inputs, purpose, format } => {
            // without a config the company is unknown; the draft is good all the same
            let config = if cli.config.exists() { Some(config()?) } else { None };
            classify::draft(inputs.inputs, purpose.as_ref(), config.as_ref(), format.format)
        }
        Command::Read { inputs, format } => classify::read(inputs.inputs, format.format),
        Command::Status { format } => operations::status(&place()?, format.format),
        Command::Tickets(args) => operations::tickets(&place()?, args),
        Command::Customers { command } => operations::customers(&place()?, command),
        Command::Undo(args) => operations::undo(&place()?, args),
        Command::Retry { id, format } => operations::retry(&place()?, id.as_deref(), format.format),
        Command::Audit { command } => operations::audit(&place()?, &command),
        Command::Backup { target, format } => backup::backup(&place()?, &target, format.format),
        Command::Restore { file, format } => backup::restore(&place()?, &file, format.format),
        Command::Export { address } => operations::export(&place()?, &address),
        Command::Erase { address, despite_hold, format } => {
            operations::erase(&place()?, &address, despite_hold, format.format)
        }
        Command::Train(args) if args.local => {
            let config = config()?;
            interrupt::until_pressed(move || learn::train_local(&config))
        }
        Command::Manual { dir } => manual::manual(&dir),
        Command::Train(args) => interrupt::until_pressed(move || training::train(&args)),
        Command::Models { command } => learn::models(&config()?, &command),
        Command::Evaluate(args) => training::evaluate(&args),
        Command::Report(args) if args.inbox => learn::report_inbox(&config()?, &args.output),
        Command::Report(args) => training::report(&args),
    }
}
