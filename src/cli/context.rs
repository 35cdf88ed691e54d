//! What every command needs: the terminal, the environment, the options, and, made on first use,
//! configuration, cache, client and runtime. A command answered from the cache makes none of the
//! last two.

use std::future::Future;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::broker::{Broker, Demand, Granted, Notice};
use crate::cache::{Cache, State};
use crate::cli::args::{GlobalArgs, SessionArgs, Signature, parse_some_time};
use crate::cli::error::{CommandError, Kind};
use crate::cli::notices::Notices;
use crate::cli::ui::Ui;
use crate::config::{BaseKind, ConfigFile, Dirs, Env, Plan, Wanted, env as var, secret};
use crate::http::{Client, ClientOptions, Proxies, RetryPolicy, Transport};
use crate::model::{
    Clock, ClockSkew, Credentials, RoleSessionName, Session, SessionPolicy, SystemClock,
};
use crate::sts::{SignatureScheme, StsClient};

/// What every command needs.
#[derive(Debug)]
pub(crate) struct Context {
    /// The terminal.
    pub(crate) ui: Ui,
    /// The environment, captured once.
    pub(crate) env: Env,
    /// The options of every command.
    pub(crate) global: GlobalArgs,
    /// Where configuration and sessions lie.
    pub(crate) dirs: Dirs,
    /// The machine's clock.
    pub(crate) clock: Arc<dyn Clock>,
    client: OnceLock<Arc<Client>>,
    exported_skew: OnceLock<ClockSkew>,
}

/// What signs a request: the last role's session, or the base identity where there is no role.
#[derive(Debug)]
pub(crate) enum Identity {
    /// The base identity's own credentials, and the skew to sign with.
    Base(Credentials, ClockSkew),
    /// A session.
    Session(Granted),
}

impl Identity {
    /// Returns what signs for the plan: its session, or its base identity where it has no role.
    pub(crate) async fn of(
        context: &Context,
        broker: &Broker,
        plan: &Plan,
        demand: &Demand,
    ) -> Result<Self, CommandError> {
        if plan.hops.is_empty() {
            let limit = secret::COMMAND_LIMIT;
            let credentials = broker.base_credentials(&plan.base, limit).await?;
            let skew = match plan.base.kind {
                BaseKind::Exported { .. } => context.exported_skew(),
                _ => ClockSkew::ZERO,
            };
            return Ok(Self::Base(credentials, skew));
        }
        Ok(Self::Session(broker.session(plan, demand).await?))
    }

    /// Returns what signs, and the skew to sign with.
    pub(crate) fn signer(&self) -> (Credentials, ClockSkew) {
        match self {
            Self::Base(credentials, skew) => (credentials.clone(), *skew),
            Self::Session(granted) => (granted.session.credentials(), granted.skew),
        }
    }
}

impl Context {
    /// Settles where things lie; reads nothing yet.
    pub(crate) fn new(ui: Ui, env: Env, global: GlobalArgs) -> Result<Self, CommandError> {
        let dirs = Dirs::discover(global.config_dir.as_deref(), &env)?;
        let context = Self {
            ui,
            env,
            global,
            dirs,
            clock: Arc::new(SystemClock),
            client: OnceLock::new(),
            exported_skew: OnceLock::new(),
        };
        context.start_log()?;
        if let Some((region, true)) = &context.global.region {
            ui.warning(&format!(
                "a region has no `oss-` in front: taken for `{region}`"
            ));
        }
        Ok(context)
    }

    /// Works out which session the options, the environment and the profiles ask for.
    pub(crate) fn plan(&self, args: &SessionArgs) -> Result<Plan, CommandError> {
        let config = self.config()?;
        let wanted = self.wanted(args)?;
        let mut now = self.clock.now();
        if self.env.is_set(var::STSCTL_ROLE_ARN) {
            // The plan asks for the time only to judge an exported session.
            now = self.exported_skew().server_time(now);
        }
        let plan = crate::config::resolve(&wanted, &self.env, &config, now)?;
        for warning in &plan.warnings {
            self.ui.warning(&warning.to_string());
        }
        Ok(plan)
    }

    /// Reads `config.toml`.
    pub(crate) fn config(&self) -> Result<ConfigFile, CommandError> {
        Ok(ConfigFile::load(&self.dirs.config_file())?)
    }

    /// Returns the session that the options ask for.
    pub(crate) fn session(&self, args: &SessionArgs) -> Result<Granted, CommandError> {
        self.session_of(&self.plan(args)?, args)
    }

    /// Returns the plan's session: from the cache without any more ado, if it is fresh there.
    pub(crate) fn session_of(
        &self,
        plan: &Plan,
        args: &SessionArgs,
    ) -> Result<Granted, CommandError> {
        let broker = self.broker(args)?;
        let demand = args.demand();
        if let Some(granted) = broker.cached(plan, &demand) {
            return Ok(granted);
        }
        if plan.hops.is_empty() {
            return base_session(plan, self.exported_skew());
        }
        block_on(async { Ok(broker.session(plan, &demand).await?) })?
    }

    /// Makes a broker; a cache that cannot be used costs a warning.
    pub(crate) fn broker(&self, args: &SessionArgs) -> Result<Broker, CommandError> {
        let notices = Notices::new(self.ui);
        let cache = if args.no_cache {
            None
        } else {
            match Cache::open(self.dirs.config_dir()) {
                Ok(cache) => Some(cache),
                Err(error) => {
                    notices.tell(&Notice::CacheUnusable(&error));
                    None
                }
            }
        };
        let clock = Arc::clone(&self.clock);
        let notify = move |notice: Notice<'_>| notices.tell(&notice);
        Ok(Broker::new(
            self.transport()?,
            clock,
            cache,
            self.scheme()?,
            notify,
        ))
    }

    /// Makes an STS client for the plan's endpoint.
    pub(crate) fn sts(&self, plan: &Plan) -> Result<StsClient, CommandError> {
        let endpoint = plan.sts_endpoint.clone();
        let clock = Arc::clone(&self.clock);
        let retry = RetryPolicy::default();
        Ok(StsClient::new(
            self.transport()?,
            clock,
            endpoint,
            self.scheme()?,
            retry,
        ))
    }

    /// Returns the skew that was measured when the environment's session was made, which its
    /// variables do not tell but its cached copy does.
    fn exported_skew(&self) -> ClockSkew {
        *self.exported_skew.get_or_init(|| {
            let id = self.env.get(var::ACCESS_KEY_ID);
            let cached = Cache::open(self.dirs.config_dir()).and_then(|cache| cache.list());
            let same = cached
                .into_iter()
                .flatten()
                .find_map(|listed| match listed.state {
                    State::Good(summary) if id == Some(summary.access_key_id.as_str()) => {
                        Some(summary.skew)
                    }
                    _ => None,
                });
            same.unwrap_or_default()
        })
    }

    /// Opens the cache, for the commands that are about it.
    pub(crate) fn open_cache(&self) -> Result<Cache, CommandError> {
        Ok(Cache::open(self.dirs.config_dir())?)
    }

    /// Returns the HTTP client, which builds itself when it is first used.
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>, CommandError> {
        if let Some(client) = self.client.get() {
            return Ok(Arc::<Client>::clone(client));
        }
        let default = ClientOptions::default();
        let proxy = |upper: &str| {
            // Both spellings are in use; curl reads the lower-case one first.
            let lower = upper.to_ascii_lowercase();
            self.env
                .get(&lower)
                .or_else(|| self.env.get(upper))
                .map(str::to_owned)
        };
        let options = ClientOptions {
            connect_timeout: self
                .duration(self.global.connect_timeout, var::CONNECT_TIMEOUT)?
                .unwrap_or(default.connect_timeout),
            extra_roots: self.extra_roots(),
            proxies: Proxies {
                https: proxy(var::HTTPS_PROXY),
                http: proxy(var::HTTP_PROXY),
                no_proxy: proxy(var::NO_PROXY),
            },
            timeout: self.timeout()?,
            ..default
        };
        Ok(Arc::<Client>::clone(
            self.client.get_or_init(|| Arc::new(Client::new(options))),
        ))
    }

    /// Returns the files of root certificates that are trusted besides the system's.
    fn extra_roots(&self) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> = self.global.ca_file.iter().cloned().collect();
        if let Some(file) = self.env.path(var::SSL_CERT_FILE) {
            // The TLS library reads this variable, too, and takes it for all there is.
            const BUNDLES: [&str; 4] = [
                "/etc/ssl/certs/ca-certificates.crt",
                "/etc/pki/tls/certs/ca-bundle.crt",
                "/etc/ssl/ca-bundle.pem",
                "/etc/ssl/cert.pem",
            ];
            let system = BUNDLES
                .iter()
                .map(PathBuf::from)
                .find(|bundle| bundle.is_file());
            roots.extend([file].into_iter().chain(system));
        }
        roots
    }

    /// Returns the longest wait for an answer; for a transfer, without a byte moving.
    pub(crate) fn timeout(&self) -> Result<Duration, CommandError> {
        let asked = self.duration(self.global.timeout, var::TIMEOUT)?;
        Ok(asked.unwrap_or(ClientOptions::default().timeout))
    }

    /// Tells whether the endpoints inside a VPC are wanted.
    pub(crate) fn is_vpc(&self) -> bool {
        self.global.vpc || self.env.is_true(var::VPC_ENDPOINT_ENABLED)
    }

    fn duration(
        &self,
        option: Option<Duration>,
        variable: &'static str,
    ) -> Result<Option<Duration>, CommandError> {
        match (option, self.env.text(variable)?) {
            (Some(option), _) => Ok(Some(option)),
            (None, Some(text)) => Ok(Some(parse_some_time(text).map_err(|error| {
                CommandError::from(error).doing(format!("cannot use the variable {variable}"))
            })?)),
            (None, None) => Ok(None),
        }
    }

    fn scheme(&self) -> Result<SignatureScheme, CommandError> {
        let named = match self.env.text(var::SIGNATURE)? {
            Some("rpc") | None => Signature::Rpc,
            Some("acs3") => Signature::Acs3,
            Some(other) => {
                return Err(CommandError::usage(format!(
                    "the variable {} is `{other}`; it can be rpc or acs3",
                    var::SIGNATURE
                )));
            }
        };
        Ok(match self.global.signature.unwrap_or(named) {
            Signature::Rpc => SignatureScheme::Rpc,
            Signature::Acs3 => SignatureScheme::Acs3,
        })
    }

    fn wanted(&self, args: &SessionArgs) -> Result<Wanted, CommandError> {
        Ok(Wanted {
            profile: self.global.profile.clone(),
            role_arns: args.role_arn.clone(),
            no_role: args.no_role,
            role_session_name: args.role_session_name.clone(),
            duration: args.duration,
            policy: args.policy.as_deref().map(read_policy).transpose()?,
            external_id: args.external_id.clone(),
            source_identity: args.source_identity.clone(),
            region: self
                .global
                .region
                .as_ref()
                .map(|(region, _)| region.to_string()),
            sts_endpoint: self.global.sts_endpoint.clone(),
            vpc: self.is_vpc(),
            insecure_http: self.global.insecure_http,
            default_session_name: self.default_session_name(),
            fresh: args.refresh,
            min_lifetime: args.min_lifetime,
        })
    }

    /// `<user>@<host>`, so that ActionTrail tells who used a role from where.
    fn default_session_name(&self) -> RoleSessionName {
        let user = [var::USER, var::LOGNAME, var::USERNAME]
            .into_iter()
            .find_map(|name| self.env.get(name).map(str::to_owned))
            .or_else(user_name)
            .unwrap_or_else(|| "user".to_owned());
        RoleSessionName::for_user(&user, &host_name(&self.env))
    }

    /// Starts the log if it is asked for; it costs a tenth of a millisecond otherwise wasted.
    fn start_log(&self) -> Result<(), CommandError> {
        use tracing::Level;
        let level = match (self.global.verbose, self.env.text(var::LOG)?) {
            (0, None) => return Ok(()),
            (0, Some(text)) => text.parse::<Level>().map_err(|_| {
                CommandError::usage(format!(
                    "the variable {} is `{text}`; it can be error, warn, info, debug or trace",
                    var::LOG
                ))
            })?,
            (1, _) => Level::INFO,
            (_, _) => Level::DEBUG,
        };
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(std::io::stderr)
            .with_ansi(self.ui.is_colored())
            .with_target(false)
            // Its own report of a stderr that is gone would be a panic.
            .log_internal_errors(false)
            .init();
        Ok(())
    }
}

/// Runs a future to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let output = runtime.block_on(future);
    // A thread that still reads a terminal or waits for a name must not hold up the exit.
    runtime.shutdown_background();
    Ok(output)
}

/// Returns the session that the plan's base identity itself is, if it is one to hand out.
fn base_session(plan: &Plan, skew: ClockSkew) -> Result<Granted, CommandError> {
    let id = &plan.base.access_key_id;
    let message = match &plan.base.kind {
        BaseKind::Exported {
            secret,
            token,
            role_arn,
            expiration: Some(expiration),
            ..
        } => {
            let session = Session {
                access_key_id: id.clone(),
                access_key_secret: secret.clone(),
                security_token: token.clone(),
                expiration: *expiration,
                role_arn: role_arn.clone(),
                assumed_role_arn: String::new(),
                assumed_role_id: String::new(),
                request_id: String::new(),
            };
            return Ok(Granted {
                session,
                skew,
                cached: true,
            });
        }
        BaseKind::AccessKey { .. } => {
            format!(
                "no role to assume: `{id}` is a long-lived AccessKey, which is never handed out"
            )
        }
        BaseKind::SessionToken { .. } | BaseKind::Exported { .. } => {
            format!(
                "no role to assume: nobody knows when the session `{id}` ends, so it is not handed out"
            )
        }
    };
    Err(CommandError::usage(message).hinted(
        "pass --role-arn acs:ram::<account id>:role/<role name>, set ALIBABA_CLOUD_ROLE_ARN, or name a --profile with a role_arn",
    ))
}

/// Reads a session policy: JSON, `@FILE`, or `-` for stdin.
fn read_policy(text: &str) -> Result<SessionPolicy, CommandError> {
    let json = match text.strip_prefix('@') {
        Some(path) => fs_err::read_to_string(path).map_err(|error| {
            // A file that is not there was named wrongly, as a source of `oss put` is.
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => Kind::Usage,
                _ => Kind::Local,
            };
            CommandError::new(kind, error).doing("cannot read the session policy")
        })?,
        None if text == "-" => {
            let mut json = String::new();
            std::io::stdin().read_to_string(&mut json)?;
            json
        }
        None => text.to_owned(),
    };
    Ok(json.parse()?)
}

/// Returns the name in the passwd entry, for where no variable has it.
#[cfg(unix)]
fn user_name() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = fs_err::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(not(unix))]
fn user_name() -> Option<String> {
    None
}

#[cfg(unix)]
fn host_name(_env: &Env) -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(not(unix))]
fn host_name(env: &Env) -> String {
    env.get(var::COMPUTERNAME).unwrap_or("host").to_owned()
}
