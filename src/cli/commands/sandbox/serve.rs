//! `stsctl sandbox serve`: the cloud on a loopback port until it is told to stop.

use std::sync::Arc;

use clap::Args;

use super::environment::Environment;
use super::{CloudArgs, background};
use crate::cli::context::{Context, block_on};
use crate::cli::error::{CommandError, Kind};
use crate::cli::text::columns;
use crate::http::Listener;
use crate::model::Clock;
use crate::sandbox::{Fault, Options, Sandbox, Trace, World};

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    pub(super) cloud: CloudArgs,

    /// Detach, as ssh-agent does: print the lines and go on in the background
    #[arg(long)]
    pub(super) background: bool,

    /// What `--background` starts: this process is the one that stays
    #[arg(long, hide = true, conflicts_with = "background")]
    pub(super) detached: bool,
}

/// The help text that lists the faults.
pub(super) fn long_help() -> String {
    let mut text =
        String::from("Faults (SERVICE:WHAT[:COUNT]; without COUNT it happens always):\n");
    let rows: Vec<[String; 2]> = Fault::HELP
        .iter()
        .map(|(spec, what)| [format!("  {spec}"), (*what).to_owned()])
        .collect();
    text.push_str(&columns(&rows));
    text.push_str("\nExample:\n  eval \"$(stsctl sandbox serve --background)\"");
    text
}

/// A cloud that listens, and what its clients need.
pub(super) struct Running {
    pub(super) sandbox: Sandbox,
    pub(super) environment: Environment,
    listener: Listener,
}

impl Running {
    /// Starts listening; requests wait until [`Running::serve`] is polled.
    pub(super) async fn start(
        args: &CloudArgs,
        clock: Arc<dyn Clock>,
        context: &Context,
    ) -> Result<Self, CommandError> {
        if !args.listen.ip().is_loopback() {
            return Err(CommandError::usage(format!(
                "`{}` is not a loopback address: the sandbox speaks plain HTTP",
                args.listen
            ))
            .hinted("listen on 127.0.0.1 or [::1]"));
        }
        let world = match &args.data {
            Some(data) => World::kept_in(data),
            None => Ok(World::generate()),
        };
        let ui = context.ui;
        let options = Options {
            data: args.data.clone(),
            faults: args.fault.clone(),
            session_lifetime: args.session_lifetime,
            skew: args.skew.unwrap_or_default(),
            trace: args.trace.then(|| Trace::new(move |line| ui.plain(line))),
        };
        let sandbox = world
            .and_then(|world| Sandbox::new(world, options, clock))
            .map_err(|error| CommandError::new(Kind::Local, error))?;
        let listener = Listener::bind(args.listen).await.map_err(|error| {
            CommandError::from(error).doing(format!("cannot listen on {}", args.listen))
        })?;
        let environment = Environment::new(&sandbox, listener.local_addr())?;
        Ok(Self {
            sandbox,
            environment,
            listener,
        })
    }

    /// Answers requests until `stop` completes; gives the environment back, whose drop removes
    /// the configuration directory.
    pub(super) async fn serve(self, stop: impl Future<Output = ()>) -> Environment {
        let Self {
            sandbox,
            environment,
            listener,
        } = self;
        let handler = move |request| {
            let sandbox = sandbox.clone();
            async move { sandbox.handle(request).await }
        };
        listener.serve(handler, stop).await;
        environment
    }
}

pub(super) fn run(args: &ServeArgs, context: &Context) -> Result<(), CommandError> {
    if args.background {
        return background::start(args, context);
    }
    if args.detached {
        background::detach()?;
    }
    block_on(async {
        let running = Running::start(&args.cloud, Arc::clone(&context.clock), context).await?;
        let pid = std::process::id().to_string();
        let _held = background::sign(&running.environment.config_dir(), &pid)?;
        let more = args
            .detached
            .then_some(("STSCTL_SANDBOX_PID", pid.as_str()));
        let stop = told_to_stop()?;
        let mut script = running.environment.script(more)?;
        if args.detached {
            script.push_str(background::READY);
        }
        context.ui.data(&script)?;
        running.serve(stop).await;
        Ok(())
    })?
}

/// Completes at Ctrl-C, SIGTERM or SIGHUP. The handlers are in place when this returns.
#[cfg(unix)]
pub(super) fn told_to_stop() -> Result<impl Future<Output = ()>, CommandError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
pub(super) fn told_to_stop() -> Result<impl Future<Output = ()>, CommandError> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
