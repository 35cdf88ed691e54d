//! `stsctl profile`: the profiles of `config.toml`. Edits keep comments; secrets are masked.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use secrecy::SecretString;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::args::Output;
use crate::cli::context::Context;
use crate::cli::error::CommandError;
use crate::cli::text::{self, chain, columns, listing, object};
use crate::config::aliyun_cli::AliyunConfig;
use crate::config::edit::Editor;
use crate::config::{PolicySource, Profile, SecretSource};
use crate::model::{
    AccessKeyId, DurationSeconds, Endpoint, ExternalId, RoleArn, RoleSessionName, SourceIdentity,
};

/// List and edit the profiles of config.toml
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  stsctl profile list")]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// List the profiles
    #[command(after_help = "Example:\n  stsctl profile list -o json")]
    List {
        /// How the list is printed
        #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
        output: Output,
    },
    /// Show a profile, its secret masked
    #[command(after_help = "Example:\n  stsctl profile show dev")]
    Show {
        /// Profile [default: the default profile]
        name: Option<String>,
        /// How the profile is printed
        #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
        output: Output,
    },
    Add(Box<AddArgs>),
    /// Bring a profile over from ~/.aliyun/config.json, with the profiles it builds on
    #[command(after_help = "Example:\n  stsctl profile import default")]
    Import {
        /// Profile of the official CLI [default: its current one]
        name: Option<String>,
        /// Use it where no profile is named
        #[arg(long)]
        default: bool,
    },
    /// Remove a profile
    #[command(after_help = "Example:\n  stsctl profile remove dev")]
    Remove {
        /// Profile
        name: String,
    },
}

/// Add a profile: an AccessKey of its own, or a role assumed from another profile
///
/// `--region` is kept with it. The AccessKeySecret never goes on the command line.
#[derive(Args, Debug)]
#[command(
    group(ArgGroup::new("secret").args(["secret_stdin", "secret_file", "secret_command"])),
    after_help = "Examples:\n  \
        stsctl profile add base --access-key-id LTAI… --secret-command 'pass show aliyun'\n  \
        stsctl profile add dev --source-profile base --role-arn acs:ram::1234567890123456:role/dev"
)]
struct AddArgs {
    /// Name of the new profile
    name: String,

    /// AccessKeyId
    #[arg(
        long,
        value_name = "ID",
        requires = "secret",
        conflicts_with = "source_profile"
    )]
    access_key_id: Option<AccessKeyId>,

    /// Read the AccessKeySecret from the first line of stdin and keep it in config.toml (0600)
    #[arg(long, requires = "access_key_id")]
    secret_stdin: bool,

    /// Keep the AccessKeySecret in this file (0600), read when it is needed
    #[arg(long, value_name = "FILE", requires = "access_key_id")]
    secret_file: Option<PathBuf>,

    /// Get the AccessKeySecret from this command when it is needed; no shell is involved
    #[arg(long, value_name = "CMD ARG…", requires = "access_key_id")]
    secret_command: Option<String>,

    /// Profile whose identity assumes the role
    #[arg(long, value_name = "NAME")]
    source_profile: Option<String>,

    /// Role to assume
    #[arg(long, value_name = "ARN")]
    role_arn: Option<RoleArn>,

    /// RoleSessionName
    #[arg(long, value_name = "NAME")]
    role_session_name: Option<RoleSessionName>,

    /// How long a session is to last, 15m to 12h
    #[arg(long, alias = "duration-seconds", value_name = "D")]
    duration: Option<DurationSeconds>,

    /// ExternalId
    #[arg(long, value_name = "ID")]
    external_id: Option<ExternalId>,

    /// Session policy
    #[arg(long, value_name = "JSON or @FILE")]
    policy: Option<String>,

    /// SourceIdentity
    #[arg(long, value_name = "ID")]
    source_identity: Option<SourceIdentity>,

    /// OSS endpoint
    #[arg(long, value_name = "HOST or URL")]
    oss_endpoint: Option<Endpoint>,

    /// Use it where no profile is named
    #[arg(long)]
    default: bool,
}

pub(crate) fn run(args: ProfileArgs, context: &Context) -> Result<(), CommandError> {
    match args.command {
        ProfileCommand::List { output } => list(output, context),
        ProfileCommand::Show { name, output } => show(name, output, context),
        ProfileCommand::Add(args) => add(*args, context),
        ProfileCommand::Import { name, default } => import(name, default, context),
        ProfileCommand::Remove { name } => remove(&name, context),
    }
}

fn list(output: Output, context: &Context) -> Result<(), CommandError> {
    let config = context.config()?;
    let mut rows = vec![["PROFILE", "ROLE", "IDENTITY", "REGION"].map(str::to_owned)];
    let mut objects = Vec::new();
    for name in config.profile_names() {
        let is_default = config.default_profile() == Some(name);
        // One broken profile must not hide the others.
        let (role, identity, region) = match config.profile(name) {
            Ok(profile) => {
                objects.push(object(settings(&profile, is_default)));
                let identity = match (&profile.access_key_id, &profile.source_profile) {
                    (Some(id), _) => id.to_string(),
                    (None, Some(source)) => format!("profile {source}"),
                    (None, None) => String::new(),
                };
                let role = profile
                    .role_arn
                    .map(|arn| arn.to_string())
                    .unwrap_or_default();
                (role, identity, profile.region.unwrap_or_default())
            }
            Err(error) => {
                let error = chain(&error);
                objects.push(json!({"name": name, "error": &error}));
                context.ui.warning(&error);
                ("(broken)".to_owned(), String::new(), String::new())
            }
        };
        let mark = if is_default { " (default)" } else { "" };
        rows.push([format!("{name}{mark}"), role, identity, region]);
    }
    if output == Output::Json {
        return Ok(context.ui.data(&text::json(&objects))?);
    }
    if rows.len() == 1 {
        context
            .ui
            .status(&format!("no profile in {}", config.path().display()));
        return Ok(());
    }
    Ok(context.ui.data(&columns(&rows))?)
}

fn show(name: Option<String>, output: Output, context: &Context) -> Result<(), CommandError> {
    let config = context.config()?;
    let name = name
        .or_else(|| context.global.profile.clone())
        .or_else(|| config.default_profile().map(str::to_owned))
        .ok_or_else(|| CommandError::usage("which profile? There is no default_profile"))?;
    let profile = config.profile(&name)?;
    let settings = settings(&profile, config.default_profile() == Some(&name));
    if output == Output::Json {
        return Ok(context.ui.data(&text::json(&object(settings)))?);
    }
    Ok(context.ui.data(&listing(&settings))?)
}

/// What a profile says, under the names of `config.toml`; of its secret only where it is.
fn settings(profile: &Profile, is_default: bool) -> Vec<(&'static str, Value)> {
    fn text(value: Option<impl ToString>) -> Value {
        value.map_or(Value::Null, |value| Value::String(value.to_string()))
    }
    let secret = profile
        .access_key_secret
        .as_ref()
        .map(|source| match source {
            SecretSource::Plain(_) => "********".to_owned(),
            SecretSource::File(path) => format!("from the file {}", path.display()),
            SecretSource::Command { program, .. } => {
                format!("from the command {}", program.display())
            }
            SecretSource::Keychain => "in the keychain".to_owned(),
        });
    let policy = profile.policy.as_ref().map(|policy| match policy {
        PolicySource::Inline(policy) => policy.to_string(),
        PolicySource::File(path) => format!("@{}", path.display()),
    });
    let mut settings = vec![
        ("name", json!(profile.name)),
        ("default", json!(is_default)),
        ("access_key_id", text(profile.access_key_id.as_ref())),
        ("access_key_secret", text(secret)),
        ("source_profile", text(profile.source_profile.as_ref())),
        ("role_arn", text(profile.role_arn.as_ref())),
        (
            "role_session_name",
            text(profile.role_session_name.as_ref()),
        ),
        (
            "duration",
            text(
                profile
                    .duration
                    .map(|duration| format!("{}s", duration.get())),
            ),
        ),
        ("external_id", text(profile.external_id.as_ref())),
        ("policy", text(policy)),
        ("source_identity", text(profile.source_identity.as_ref())),
        ("region", text(profile.region.as_ref())),
        ("oss_endpoint", text(profile.oss_endpoint.as_ref())),
    ];
    settings.retain(|(_, value)| !value.is_null());
    settings
}

fn add(args: AddArgs, context: &Context) -> Result<(), CommandError> {
    if args.access_key_id.is_none() && args.source_profile.is_none() {
        return Err(CommandError::usage(
            "a profile has an AccessKey of its own or a source_profile that has one",
        )
        .hinted("pass --access-key-id with --secret-stdin, --secret-file or --secret-command; or --source-profile with --role-arn"));
    }
    let profile = Profile {
        access_key_secret: secret_source(&args)?,
        name: args.name,
        access_key_id: args.access_key_id,
        source_profile: args.source_profile,
        role_arn: args.role_arn,
        role_session_name: args.role_session_name,
        duration: args.duration,
        external_id: args.external_id,
        policy: args.policy.as_deref().map(policy_source).transpose()?,
        source_identity: args.source_identity,
        region: context
            .global
            .region
            .as_ref()
            .map(|(region, _)| region.to_string()),
        oss_endpoint: args.oss_endpoint,
    };
    let mut editor = Editor::open(&context.dirs.config_file())?;
    if let Some(source) = &profile.source_profile {
        // Asked now rather than when the profile is used.
        context.config()?.profile(source)?;
    }
    editor.add(&profile)?;
    if args.default {
        editor.set_default(&profile.name)?;
    }
    editor.save()?;
    context
        .ui
        .status(&format!("added profile `{}`", profile.name));
    Ok(())
}

fn secret_source(args: &AddArgs) -> Result<Option<SecretSource>, CommandError> {
    Ok(if args.secret_stdin {
        Some(SecretSource::Plain(secret_from_stdin()?))
    } else if let Some(path) = &args.secret_file {
        Some(SecretSource::File(std::path::absolute(path)?))
    } else if let Some(command) = &args.secret_command {
        let words = shlex::split(command).unwrap_or_default();
        let (program, arguments) = words.split_first().ok_or_else(|| {
            CommandError::usage("--secret-command is empty, or has a quote that is not closed")
        })?;
        Some(SecretSource::Command {
            program: program.into(),
            arguments: arguments.to_vec(),
        })
    } else {
        None
    })
}

fn secret_from_stdin() -> Result<SecretString, CommandError> {
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().read_line(&mut line)?;
    let secret = line.trim();
    if secret.is_empty() {
        return Err(CommandError::usage(
            "stdin holds no AccessKeySecret on its first line",
        ));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(CommandError::usage(
            "the first line of stdin is no AccessKeySecret: it has spaces or characters outside ASCII",
        ));
    }
    Ok(SecretString::from(secret))
}

fn policy_source(text: &str) -> Result<PolicySource, CommandError> {
    Ok(match text.strip_prefix('@') {
        Some(path) => PolicySource::File(std::path::absolute(path)?),
        None => PolicySource::Inline(text.parse()?),
    })
}

fn import(name: Option<String>, default: bool, context: &Context) -> Result<(), CommandError> {
    let path = context
        .dirs
        .aliyun_cli_file()
        .ok_or_else(|| CommandError::usage("there is no home directory to find ~/.aliyun in"))?;
    let theirs = AliyunConfig::load(&path)?;
    let name = name
        .or_else(|| theirs.current().map(str::to_owned))
        .ok_or_else(|| {
            CommandError::usage(format!("{} names no current profile", path.display()))
        })?;
    let ours = context.config()?;
    let mut editor = Editor::open(&context.dirs.config_file())?;
    let mut brought: Vec<String> = Vec::new();
    let mut next = Some(name.clone());
    while let Some(wanted) = next.take() {
        // A source that is there already is the user's; a chain that turns back ends here.
        if brought.contains(&wanted) || (wanted != name && ours.has_profile(&wanted)) {
            break;
        }
        let imported = theirs.import(&wanted)?;
        editor.add(&imported.profile)?;
        for field in &imported.left_behind {
            context.ui.warning(&format!(
                "`{field}` of profile `{wanted}` has no place here"
            ));
        }
        next.clone_from(&imported.profile.source_profile);
        brought.push(wanted);
    }
    if default {
        editor.set_default(&name)?;
    }
    editor.save()?;
    for name in brought {
        context.ui.status(&format!("imported profile `{name}`"));
    }
    Ok(())
}

fn remove(name: &str, context: &Context) -> Result<(), CommandError> {
    let mut editor = Editor::open(&context.dirs.config_file())?;
    let was_default = editor.remove(name)?;
    editor.save()?;
    context.ui.status(&format!("removed profile `{name}`"));
    if was_default {
        context.ui.status("there is no default profile now");
    }
    Ok(())
}
