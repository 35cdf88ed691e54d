//! Links the program at a fixed address on Linux: a warm `stsctl env` is mostly its own start, and
//! an executable that may lie anywhere has 45 pages of addresses to write before `main` (a
//! seventh of the whole run, as `tests/bench/warm_env.sh` measures it). Stack, heap and shared
//! libraries stay randomised, and no code of ours is unsafe. Must not do anything else: what is
//! built does not depend on the machine.

#![expect(
    clippy::disallowed_methods,
    reason = "this is how cargo speaks to a build script"
)]

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
