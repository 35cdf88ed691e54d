//! `stsctl sandbox demo`: the main job, told on a terminal with the real program. Each step is a
//! process of its own, as a user would run it, against a cloud whose clock the story can move.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};

use super::CloudArgs;
use super::serve::Running;
use crate::cli::context::{Context, block_on};
use crate::cli::error::CommandError;
use crate::http::{Body, Transport};
use crate::model::{Clock, Credentials, SystemClock};
use crate::sandbox::Sandbox;
use crate::sign::{OssRequest, encode, oss_v4};

/// The bucket of the default world that the story uploads to.
const BUCKET: &str = "demo-bucket";
/// A name with the characters that break careless signers.
const KEY: &str = "releases/stsctl 中文 +%&.bin";
/// How much of the cloud's answers the story holds in memory.
const LARGEST: usize = 1 << 30;

/// The machine's clock, and an hour more when the story says so.
#[derive(Debug, Default)]
struct StoryClock(AtomicI64);

impl Clock for StoryClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// The story so far: the cloud, its client's environment, and where the files lie.
struct Story<'a> {
    context: &'a Context,
    environment: Vec<(&'static str, String)>,
    removed: Vec<&'static str>,
    sandbox: Sandbox,
}

pub(super) fn run(context: &Context) -> Result<(), CommandError> {
    let clock = Arc::new(StoryClock::default());
    let args = CloudArgs {
        listen: ([127, 0, 0, 1], 0).into(),
        data: None,
        session_lifetime: None,
        skew: None,
        fault: Vec::new(),
        trace: false,
    };
    block_on(async {
        let cloud: Arc<dyn Clock> = Arc::<StoryClock>::clone(&clock);
        let running = Running::start(&args, cloud, context).await?;
        let story = Story {
            context,
            environment: (running.environment.set())
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
            removed: running.environment.removed().collect(),
            sandbox: running.sandbox.clone(),
        };
        // The cloud ends with the story.
        let mut result = Ok(());
        running
            .serve(async { result = story.tell(&clock).await })
            .await;
        result
    })?
}

impl Story<'_> {
    async fn tell(&self, clock: &StoryClock) -> Result<(), CommandError> {
        let program = std::env::current_exe()?;
        let file = program.as_path();
        let size = fs_err::metadata(file)?.len();
        self.say(
            "An embedded cloud is listening: STS and OSS on loopback, checking every signature.",
        )?;
        self.say("In it: the RAM user alice, the role testrole that she may assume, the bucket demo-bucket.")?;

        self.chapter("1. Assume the role. STS is asked once; the session is cached.")?;
        self.step(&["assume"], true).await?;
        self.step(&["assume"], true).await?;
        self.expect_calls("AssumeRole", 1)?;

        self.chapter("2. Export it to anything that speaks Alibaba Cloud: eval \"$(stsctl env)\"")?;
        self.step(&["env", "--shell", "sh"], false).await?;

        self.chapter("3. Who am I?")?;
        self.step(&["whoami"], true).await?;

        self.chapter("4. Upload a real file, this program itself, with the session. OSS checks the V4 signature; CRC-64 is compared end to end.")?;
        let path = file.display().to_string();
        self.step(&["oss", "put", BUCKET, KEY, &path], true).await?;
        self.read_back(file).await?;

        self.chapter("5. An hour passes in the cloud, but not here: the session is over, and our clock is now wrong. The upload is refused; STS refuses the first call for its time, the clock is corrected by the answer's Date, and the upload goes on with one new session.")?;
        clock.0.store(3600, Ordering::Relaxed);
        self.step(
            &["oss", "put", BUCKET, KEY, &path, "--sign-version", "v1"],
            true,
        )
        .await?;
        self.expect_calls("AssumeRole", 3)?;
        self.read_back(file).await?;

        self.chapter(
            "6. A wrong secret is told from a signing bug, by the string that the server signed.",
        )?;
        let denied = self
            .run(&["assume", "--refresh"], Some("not-alices-secret"))
            .await?;
        self.show(&["assume", "--refresh"], &denied, true)?;
        if denied.status.code() != Some(3) {
            return Err(CommandError::local(
                "a wrong secret was not refused with exit code 3",
            ));
        }

        let puts = self.sandbox.calls("PutObject");
        self.say(&format!(
            "\nDone: {size} bytes went up twice in {puts} PutObject calls, with two sessions. The server checked every signature."
        ))
    }

    fn say(&self, text: &str) -> Result<(), CommandError> {
        Ok(self.context.ui.data(&format!("{text}\n"))?)
    }

    fn chapter(&self, title: &str) -> Result<(), CommandError> {
        self.say(&format!("\n== {title}"))
    }

    /// Runs the program, shows what a user would see, and fails if it failed.
    async fn step(&self, args: &[&str], show_values: bool) -> Result<(), CommandError> {
        let output = self.run(args, None).await?;
        self.show(args, &output, show_values)?;
        if output.status.success() {
            Ok(())
        } else {
            Err(CommandError::local(format!(
                "`stsctl {}` failed",
                args.join(" ")
            )))
        }
    }

    async fn run(&self, args: &[&str], secret: Option<&str>) -> Result<Output, CommandError> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(args)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        for name in &self.removed {
            command.env_remove(name);
        }
        if let Some(secret) = secret {
            command.env(crate::config::env::ACCESS_KEY_SECRET, secret);
        }
        // The cloud answers on this thread meanwhile.
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        Ok(output.map_err(|_| CommandError::local("a step of the story was lost"))??)
    }

    fn show(&self, args: &[&str], output: &Output, values: bool) -> Result<(), CommandError> {
        let quoted: Vec<String> = args.iter().map(|arg| quote(arg)).collect();
        let mut lines = vec![format!("$ stsctl {}", quoted.join(" "))];
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            // What `env` prints is for a shell alone.
            lines.push(match line.split_once('=') {
                Some((name, _)) if !values => format!("  {name}=…"),
                _ => format!("  {line}"),
            });
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        lines.extend(stderr.lines().map(|line| format!("  {line}")));
        self.say(&lines.join("\n"))
    }

    fn expect_calls(&self, operation: &str, count: usize) -> Result<(), CommandError> {
        let calls = self.sandbox.calls(operation);
        if calls != count {
            return Err(CommandError::local(format!(
                "{calls} {operation} calls reached the cloud instead of {count}"
            )));
        }
        self.say(&format!("-- {operation} calls so far: {calls}"))
    }

    /// Reads the object back by a presigned URL and compares it byte for byte.
    async fn read_back(&self, file: &Path) -> Result<(), CommandError> {
        let object = self
            .get(self.sandbox.world().user("alice").expect("alice exists"))
            .await?;
        let local = fs_err::read(file)?;
        if object != local {
            return Err(CommandError::local("the object differs from the file"));
        }
        self.say(&format!(
            "-- read back: {} bytes, all the same",
            object.len()
        ))
    }

    async fn get(&self, reader: &Credentials) -> Result<Bytes, CommandError> {
        let request = OssRequest {
            method: "GET",
            bucket: Some(BUCKET),
            key: Some(KEY),
            query: &[],
            headers: &[],
        };
        let scope = oss_v4::Scope {
            at: self.sandbox.now(),
            region: self.sandbox.world().region().as_str(),
            product: "oss",
        };
        let signed = oss_v4::sign_url(&request, &[], reader, &scope, Duration::from_secs(60));
        let query: Vec<String> = (signed.additions.iter())
            .map(|add| format!("{}={}", add.name, encode::component(&add.value)))
            .collect();
        let url = format!(
            "http://localhost/{BUCKET}/{}?{}",
            encode::path(KEY),
            query.join("&")
        );
        let request = http::Request::get(url)
            .body(Body::empty())
            .expect("the URL is well formed");
        let answer = self
            .sandbox
            .send(request)
            .await
            .map_err(|error| CommandError::local(error.to_string()))?;
        if !answer.status().is_success() {
            return Err(CommandError::local(format!(
                "reading back answered {}",
                answer.status()
            )));
        }
        let body = answer.into_body().collect(LARGEST, "the sandbox").await;
        body.map_err(|error| CommandError::local(error.to_string()))
    }
}

/// Quotes an argument as a person would type it.
fn quote(arg: &str) -> String {
    shlex::try_quote(arg).map_or_else(|_| arg.to_owned(), Into::into)
}
