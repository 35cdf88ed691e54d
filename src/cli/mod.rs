//! The command line: arguments in, exit code out. Everything that prints, reads the environment
//! or knows exit codes is here; everything else is below.

mod args;
mod commands;
mod context;
mod error;
pub mod exports;
mod failures;
mod hints;
mod notices;
mod text;
mod ui;

pub mod shell;

use std::error::Error as _;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser};

use self::args::GlobalArgs;
use self::commands::Command;
use self::context::Context;
use self::error::{CommandError, Kind};
use self::ui::{ErrorFormat, Ui};
use crate::config::{Env, env as var};

/// Credential broker for Alibaba Cloud: assumes RAM roles, caches the sessions, hands them out
#[derive(Debug, Parser)]
#[command(
    name = "stsctl",
    version,
    disable_help_subcommand = true,
    max_term_width = 100
)]
#[command(after_help = "Example:\n  stsctl assume --role-arn acs:ram::1234567890123456:role/dev")]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

impl Cli {
    /// Returns what clap parses by: each command has the common options of its own.
    fn definition() -> clap::Command {
        Self::command().mut_args(|arg| arg.global(false))
    }

    /// Parses the program's arguments, the first of which is its name.
    fn parse_args(args: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = Self::definition();
        let mut matches = command.try_get_matches_from_mut(args)?;
        let parsed = Self::from_arg_matches_mut(&mut matches);
        let parsed = parsed.map_err(|error| error.format(&mut command));
        // It is needed once, and taking it apart would cost a tenth of a warm `env`.
        std::mem::forget(command);
        parsed
    }
}

/// Runs the program on its arguments, the first of which is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    let env = Env::from_vars(std::env::vars_os());
    let args: Vec<OsString> = args.into_iter().collect();
    // Asked before parsing, so that a parse error, too, is written in the right form.
    let format = asked_format(&args);
    let plain = ui_of(false, asked_color(&args), &env);
    if let Some(error) = misplaced_secret(&args) {
        return fail(plain, format, &error);
    }
    let cli = match Cli::parse_args(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(plain, format, &error),
    };
    let global = cli.global.followed_by(cli.command.global().clone());
    let ui = ui_of(global.quiet, global.color.unwrap_or_default(), &env);
    let result = Context::new(ui, env, global).and_then(|context| cli.command.run(&context));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => fail(ui, format, &error),
    }
}

fn ui_of(quiet: bool, color: ui::Color, env: &Env) -> Ui {
    let forced = env
        .get(var::CLICOLOR_FORCE)
        .is_some_and(|value| value != "0");
    Ui::new(quiet, color, env.is_set(var::NO_COLOR), forced)
}

fn fail(ui: Ui, format: ErrorFormat, error: &CommandError) -> ExitCode {
    match format {
        ErrorFormat::Json => ui.plain(&error.render_json()),
        ErrorFormat::Human => {
            ui.error(&error.render());
            if !error.hints().is_empty() {
                ui.plain("");
            }
            for hint in error.hints() {
                ui.hint(hint);
            }
        }
    }
    ExitCode::from(error.kind().exit_code())
}

/// Ends a run that did not get past its arguments: help and version are data, the rest is usage.
fn usage(ui: Ui, format: ErrorFormat, error: &clap::Error) -> ExitCode {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that went away is no failure of ours.
            let _ = ui.data(&text);
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if format == ErrorFormat::Human => {
            ui.plain(text.trim_end());
            ExitCode::from(Kind::Usage.exit_code())
        }
        ErrorKind::ValueValidation if error.source().is_some() => {
            fail(ui, format, &bad_value(error))
        }
        _ => {
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            if format == ErrorFormat::Json {
                let first = text.split("\n\n").next().unwrap_or(text);
                return fail(ui, format, &CommandError::usage(first));
            }
            ui.error(text);
            ExitCode::from(Kind::Usage.exit_code())
        }
    }
}

/// Says what is wrong with an option's value as the value's own type says it: that text shows no
/// password of a URL and no kilobyte of nonsense, which clap's repetition of the value would.
fn bad_value(error: &clap::Error) -> CommandError {
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(option)) => option.as_str(),
        _ => "an argument",
    };
    CommandError::usage(why)
        .doing(format!("the value of {option} cannot be used"))
        .hinted("for more information, try --help")
}

fn asked_format(args: &[OsString]) -> ErrorFormat {
    match asked(args, "--error-format") {
        Some("json") => ErrorFormat::Json,
        _ => ErrorFormat::Human,
    }
}

fn asked_color(args: &[OsString]) -> ui::Color {
    match asked(args, "--color") {
        Some("always") => ui::Color::Always,
        Some("never") => ui::Color::Never,
        _ => ui::Color::Auto,
    }
}

/// Returns an option's value as it was typed, as `--option VALUE` or `--option=VALUE`.
fn asked<'a>(args: &'a [OsString], option: &str) -> Option<&'a str> {
    let mut args = args.iter().take_while(|arg| *arg != "--");
    args.find_map(|arg| Some(arg.to_str()?.strip_prefix(option)?.strip_prefix('=')))?
        .or_else(|| args.next()?.to_str())
}

/// Catches a secret on the command line before anything could echo it. There is no such option:
/// every process on the machine can read another's arguments.
fn misplaced_secret(args: &[OsString]) -> Option<CommandError> {
    const NAMES: [&str; 9] = [
        "access-key-secret",
        "access_key_secret",
        "access-key",
        "secret",
        "secret-key",
        "security-token",
        "security_token",
        "sts-token",
        "token",
    ];
    let name = args
        .iter()
        .skip(1)
        .take_while(|arg| *arg != "--")
        .find_map(|arg| {
            let option = arg.to_str()?.strip_prefix("--")?;
            let name = option.split('=').next().unwrap_or(option);
            NAMES
                .into_iter()
                .find(|known| known.eq_ignore_ascii_case(name))
        })?;
    Some(
        CommandError::usage(format!("there is no option `--{name}`: a secret never goes on the command line, where every process can read it"))
            .hinted("set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (and ALIBABA_CLOUD_SECURITY_TOKEN) in the environment")
            .hinted("or store it: `stsctl profile add NAME --access-key-id LTAI… --secret-stdin` reads the AccessKeySecret from stdin"),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::definition().debug_assert();
    }

    #[test]
    fn the_list_of_commands_says_of_each_what_it_says_of_itself() {
        let listed = super::Cli::definition();
        let mut built = listed.clone();
        built.build();
        for command in listed.get_subcommands() {
            let itself = built.find_subcommand(command.get_name()).unwrap();
            assert!(itself.get_arguments().count() > command.get_arguments().count());
            assert_eq!(
                command.get_about().map(ToString::to_string),
                itself.get_about().map(ToString::to_string)
            );
        }
    }
}
