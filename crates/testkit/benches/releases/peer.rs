//! The same releases with PM2: its `reload`, its exit status, and what its clients see.

use std::net::TcpStream;
use std::time::Duration;

use portcrew_testkit::ports;

use crate::broken::{self, Seen};
use crate::crew::WORKERS;
use crate::health::Health;
use crate::pm2::{Cli, Pm2};
use crate::release::{Kind, Release};
use crate::traffic;
use crate::world::World;
use crate::{Failure, good};

/// What a reload has done shows only after it has returned: crash loops and their ends. The load goes on for so long.
const AFTERMATH: Duration = Duration::from_secs(3);

/// Each reload has a crew of its own: some leave none behind.
pub(crate) fn broken(
    world: &World,
    cli: &Cli,
    kind: Kind,
    reloads: u32,
) -> Result<broken::Row, Failure> {
    let pm2 = Pm2::new(cli)?;
    let release = Release::new(pm2.home(), kind.predecessor())?;
    let health = Health::new(pm2.home())?;
    let mut row = broken::Row::new("PM2", kind);
    for _ in 0..reloads {
        world.interrupt.check()?;
        let address = ports::free();
        release.put(kind.predecessor())?;
        pm2.start(
            WORKERS,
            release.script(),
            address,
            &[("HEALTH_FILE", health.file().as_os_str())],
        );
        let before = pm2.pids();
        let load = traffic::Kind::Close.begin(address);
        load.wait_answered(100, crate::place::HANG);
        release.put(kind)?;
        let answer = pm2.reload();
        std::thread::sleep(AFTERMATH);
        row.traffic.add(&load.finish());
        let after = pm2.pids();
        let open = TcpStream::connect(address).is_ok();
        let rolled_back = open && before == after;
        row.book(&Seen { answer: &answer, before: &before, after: &after, rolled_back, open });
        pm2.delete();
    }
    Ok(row.finished())
}

/// Good reloads, one after another.
pub(crate) fn good(
    world: &World,
    cli: &Cli,
    load: traffic::Kind,
    reloads: u32,
) -> Result<good::Row, Failure> {
    let pm2 = Pm2::new(cli)?;
    let release = Release::new(pm2.home(), Kind::Good)?;
    let address = ports::free();
    pm2.start(WORKERS, release.script(), address, &[]);
    let mut row = good::Row::new("PM2, Node", load);
    let running = load.begin(address);
    for _ in 0..reloads {
        world.interrupt.check()?;
        running.wait_answered(good::BETWEEN, crate::place::HANG);
        row.book(&pm2.reload());
    }
    running.wait_answered(good::BETWEEN, crate::place::HANG);
    row.traffic.add(&running.finish());
    Ok(row.finished())
}
