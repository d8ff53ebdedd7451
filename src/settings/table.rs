//! The settings table of the README, made from what `--help` knows.

use std::fmt::Write;

use clap::{Args, Command};

use super::ServeArgs;

/// A Markdown table of every variable, its default and its meaning.
pub fn markdown() -> String {
    let command = ServeArgs::augment_args(Command::new("symbolon"));
    let mut table = String::from("| variable | default | meaning |\n|---|---|---|\n");
    for argument in command.get_arguments() {
        let Some(variable) = argument.get_env().and_then(|name| name.to_str()) else { continue };
        let defaults: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default =
            if defaults.is_empty() { String::new() } else { format!("`{}`", defaults.join(",")) };
        let meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{variable}` | {default} | {} |", meaning.replace('|', "\\|"));
    }
    table
}
