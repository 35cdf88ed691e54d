//! The nouns of the domain: credentials, sessions, ARNs, endpoints and the checked parameters of
//! STS and OSS. Text from outside becomes one of these types once, at the edge, and is never
//! checked again. This layer must not know I/O, async, serialisation of secrets, or what time it
//! is: instants are arguments, and [`Clock`] is only the shape of the thing that tells them.

mod arn;
mod clock;
mod credentials;
mod endpoint;
mod error;
mod object;
mod session;
mod units;

pub use arn::RoleArn;
pub use clock::{Clock, ClockSkew, SystemClock};
pub use credentials::{AccessKeyId, Credentials, Expiration, Session};
pub use endpoint::{Endpoint, RegionId, Scheme, oss_host, sts_host};
pub use error::{Error, Result};
pub use object::{Bucket, ObjectKey};
pub use session::{DurationSeconds, ExternalId, RoleSessionName, SessionPolicy, SourceIdentity};
pub use units::{parse_duration, parse_size};
