//! The arguments of every process that the program starts, and its own.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use fs_err as fs;

use super::harness::{Place, Run, Stdout, private_file, text};
use super::relay::Mode;

/// Prints the arguments of every process of the machine; those that end meanwhile do not matter.
const ALL_ARGUMENTS: &str = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '";

#[test]
fn a_secrets_command_sees_no_secret_in_any_arguments() {
    let mut place = Place::new();
    let secret = place.var("ALIBABA_CLOUD_ACCESS_KEY_SECRET").to_owned();
    let id = place.var("ALIBABA_CLOUD_ACCESS_KEY_ID").to_owned();
    let role = place.var("ALIBABA_CLOUD_ROLE_ARN").to_owned();
    let dir = place.config_dir();
    let (file, seen, script) = (dir.join("secret"), dir.join("seen"), dir.join("script"));
    private_file(&file, &secret);
    private_file(
        &script,
        &format!(
            "{ALL_ARGUMENTS} >> '{}'\ncat '{}'\n",
            seen.display(),
            file.display()
        ),
    );
    place.configure(&format!(
        "[profile.a]\naccess_key_id = \"{id}\"\nrole_arn = \"{role}\"\n\
         access_key_secret = {{ command = [\"sh\", {:?}] }}\n",
        script.to_str().unwrap()
    ));
    place.check(&Run::of("assume --refresh --profile a", Stdout::Any));
    let arguments = fs::read_to_string(&seen).unwrap();
    assert!(
        arguments.contains("--refresh"),
        "the program itself is among them"
    );
    place.search(&arguments, "arguments of processes");
    for path in [file, seen, script] {
        fs::remove_file(path).unwrap();
    }
    place.close();
}

#[test]
fn a_command_in_a_sandbox_sees_no_secret_in_any_arguments() {
    let mut place = Place::new();
    let script = format!("printf '%s\\n' \"$ALIBABA_CLOUD_ACCESS_KEY_SECRET\"; {ALL_ARGUMENTS}");
    let run = Run::of("sandbox exec -- sh -c", Stdout::Any).arg(&script);
    let output = place.command(&run).output().unwrap();
    let stdout = text(&output.stdout);
    let (secret, arguments) = stdout.split_once('\n').unwrap();
    place.mark(secret);
    assert!(arguments.contains("sandbox exec"));
    place.search(arguments, "arguments of processes");
    place.search(&text(&output.stderr), "stderr of sandbox exec");
    place.close();
}

/// The program at work: one that waits for an answer, and a sandbox in the background.
#[test]
fn a_process_that_runs_has_no_secret_in_its_arguments() {
    let mut place = Place::with(&["--fault", "sts:hang"], Mode::Pass);
    let mut waiting = place.command(&Run::of("assume", Stdout::Any));
    let mut waiting = waiting
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        place.learn();
        // The request is on its way once its signature has passed the relay.
        if place.has_signatures() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it never called");
        thread::yield_now();
    }
    let arguments = fs::read(format!("/proc/{}/cmdline", waiting.id())).unwrap();
    let arguments = text(&arguments);
    assert!(arguments.ends_with("assume\0"), "{arguments}");
    place.search(&arguments, "arguments of assume");
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    place.close();

    let mut place = Place::new();
    let mut serve = place.command(&Run::of("sandbox serve --background", Stdout::Any));
    let mut serve = serve.stdout(Stdio::piped()).spawn().unwrap();
    let mut environment = std::collections::BTreeMap::new();
    for line in BufReader::new(serve.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((name, value)) = line.strip_prefix("export ").and_then(|l| l.split_once('=')) {
            environment.insert(name.to_owned(), value.trim_matches('\'').to_owned());
        }
    }
    assert!(serve.wait().unwrap().success());
    place.mark(&environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]);
    let pid = &environment["STSCTL_SANDBOX_PID"];
    let arguments = text(&fs::read(format!("/proc/{pid}/cmdline")).unwrap());
    assert!(arguments.contains("--detached"), "{arguments}");
    place.search(&arguments, "arguments of the sandbox");
    let mut stop = Run::of("sandbox stop", Stdout::Nothing);
    for (name, value) in &environment {
        stop = stop.set(name, value);
    }
    place.check_once(&stop, &["-vv"], &[]);
    place.close();
}
