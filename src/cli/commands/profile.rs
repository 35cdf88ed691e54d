//! x
use clap::Args;
/// x
#[derive(Args, Debug)]
pub(crate) struct ProfileArgs {}
pub(crate) fn run(
    _args: ProfileArgs,
    _context: &crate::cli::context::Context,
) -> Result<(), crate::cli::error::CommandError> {
    Ok(())
}
