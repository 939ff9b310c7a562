//! What the process asks of the operating system, and how it ends.
#![forbid(unsafe_code)]

use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use tokio::signal::unix::{SignalKind, signal};

/// A panic in any thread is a bug of ours: the process ends, for a replica without that thread would only pretend to
/// work. The log is good: a restart goes on from it.
pub(super) fn end_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}

/// Has the kernel send SIGTERM when the thread that started this process ends.
pub(super) fn end_with_parent() -> Result<(), String> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(|error| format!("cannot follow the parent process: {error}"))?;
    if getppid() != parent {
        return Err("the parent process has ended".into());
    }
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn told_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
