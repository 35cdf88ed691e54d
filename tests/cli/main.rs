//! What a user of the program sees: real processes against the sandbox.

mod readme;
mod secrets;
