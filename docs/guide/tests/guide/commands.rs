use std::fmt::Write;

use crate::files::is_made;

/// The sides of a command line, in one line.
fn usage(argument: &clap::Arg) -> String {
    let names: Vec<String> = argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(|name| format!("<{name}>"))
        .collect();
    let values = names.join(" ");
    let takes = argument.get_action().takes_values();
    match (argument.get_long(), argument.get_short()) {
        (Some(long), Some(short)) if takes => format!("`-{short}`, `--{long} {values}`"),
        (Some(long), Some(short)) => format!("`-{short}`, `--{long}`"),
        (Some(long), None) if takes => format!("`--{long} {values}`"),
        (Some(long), None) => format!("`--{long}`"),
        (None, Some(short)) => format!("`-{short} {values}`"),
        (None, None) => format!("`{values}`"),
    }
}

fn described(page: &mut String, command: &clap::Command, path: &str, top: bool) {
    if !top {
        let _ = writeln!(page, "## `{path}`\n");
        if let Some(about) = command.get_long_about().or(command.get_about()) {
            let about = about.to_string();
            let _ = writeln!(page, "{}.\n", about.trim_end_matches('.'));
        }
    }
    let arguments = command.get_arguments();
    let own = arguments.filter(|argument| {
        !argument.is_hide_set() && argument.get_id() != "help" && (top || !argument.is_global_set())
    });
    let rows: Vec<String> = own
        .map(|argument| {
            let help = argument.get_help().map(ToString::to_string);
            let help = help.unwrap_or_default().replace('|', "\\|");
            let defaults: Vec<String> = argument
                .get_default_values()
                .iter()
                .map(|value| format!("`{}`", value.to_string_lossy()))
                .collect();
            let takes = argument.get_action().takes_values();
            match defaults.is_empty() || !takes {
                true => format!("| {} | {help} |", usage(argument)),
                false => format!(
                    "| {} | {help} (default: {}) |",
                    usage(argument),
                    defaults.join(", ")
                ),
            }
        })
        .collect();
    if !rows.is_empty() {
        let _ = writeln!(
            page,
            "| argument | meaning |\n|---|---|\n{}\n",
            rows.join("\n")
        );
    }
    for sub in command.get_subcommands() {
        if sub.get_name() != "help" && !sub.is_hide_set() {
            described(page, sub, &format!("{path} {}", sub.get_name()), false);
        }
    }
}

#[test]
fn the_reference_has_every_command() {
    let mut command = underpin_cli::command_line();
    command.build();
    let mut page = "# Commands\n\nThis page is made from the code. `underpin --help` and \
                    `underpin COMMAND --help` print the same.\n\nOptions that hold for every command:\n\n"
        .to_owned();
    described(&mut page, &command, "underpin", true);
    let codes = underpin_commands::exit_codes();
    let _ = writeln!(page, "## Exit codes\n\n```text\n{codes}\n```");
    for name in [
        "underpin migrate up",
        "underpin schema diff",
        "underpin query",
    ] {
        assert!(page.contains(&format!("## `{name}`")), "{name}");
    }
    is_made("reference/commands.md", &page);
}
