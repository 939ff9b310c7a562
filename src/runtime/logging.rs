//! Logs to stderr, for people or as JSON lines.
#![forbid(unsafe_code)]

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sends what is logged to stderr. `level` is a level or a filter of `tracing`; the variable `CONCLAVE_LOG` goes
/// before it. The error says what is wrong with the filter. A second call changes nothing.
pub fn start(json: bool, level: &str) -> Result<(), String> {
    let directives = std::env::var("CONCLAVE_LOG").unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::try_new(&directives).map_err(|e| format!("log level `{directives}`: {e}"))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = if json {
        builder.json().flatten_event(true).finish().try_init()
    } else {
        builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).finish().try_init()
    };
    // Already started, by a test that runs several replicas in one process.
    drop(started);
    Ok(())
}
