//! What a proof must notice, shown with workers that do wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use portcrew::Settings;
use portcrew_testkit::process::Program;
use tokio::runtime::Builder;

use super::{NodeProcess, Primary};

/// That the end of a proof sees a worker that had failed before.
pub(crate) fn the_end_sees_a_failure_before_it() -> Result<(), String> {
    fails(|| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let primary = Primary::new(sh("exit 1"));
            primary.fork().await;
            // It is gone from the table before the end looks there.
            primary.cluster.disconnect().await;
            primary.end().await;
        });
    })
}

/// That a script which failed after all that was asked of it is seen.
pub(crate) fn a_script_is_heard_to_its_end() -> Result<(), String> {
    fails(|| {
        let script = r#"echo '{"event":"fine"}'; exit 1"#;
        let process = NodeProcess::start(Program::new("/bin/sh").args(["-c", script]));
        process.next("fine");
    })
}

fn sh(script: &str) -> Settings {
    Settings::program("/bin/sh", ["-c", script])
}

fn fails(proof: impl FnOnce()) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(proof)) {
        Ok(()) => Err("it passed".to_owned()),
        Err(_) => Ok(()),
    }
}
