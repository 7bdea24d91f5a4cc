//! `manual`: man pages and shell completions from the command line's own definition, for packages.

use std::fs;
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

/// Writes `man/*.1` and `completions/*` below `dir`.
///
/// # Errors
/// When a file cannot be written.
pub fn manual(dir: &Path) -> anyhow::Result<()> {
    let mut command = super::Cli::command();
    let (pages, completions) = (dir.join("man"), dir.join("completions"));
    for folder in [&pages, &completions] {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be created", folder.display()))?;
    }
    clap_mangen::generate_to(command.clone(), &pages).context("man pages cannot be written")?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "evenkeel", &completions)
            .with_context(|| format!("completions for {shell} cannot be written"))?;
    }
    Ok(())
}
