//! What the primary does while others accept: nothing, and with traffic a look now and then.

use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{eventually, proc_fs};

use super::{crew, rust};
use crate::support::{Crew, HANG};

/// How often the primary's threads have gone to sleep.
fn sleeps(crew: &Crew) -> u64 {
    proc_fs::voluntary_ctxt_switches(crew.pid()).unwrap()
}

#[test]
fn without_connections_nothing_wakes_the_primary() {
    let (crew, address) = crew(rust(), 3);
    Load::new(address).requests(100).run().assert_all_ok();
    // It looks for a second more, and a crew has times of its own to await; then there is nothing any more.
    eventually("nothing wakes it", HANG, || {
        let before = sleeps(&crew);
        // An absence has no event.
        std::thread::sleep(Duration::from_secs(3));
        (sleeps(&crew) == before).then_some(())
    });
    Load::new(address).requests(10).run().assert_all_ok();
}

#[test]
fn under_traffic_it_is_woken_a_few_times_a_second_however_many_connections_come() {
    let (crew, address) = crew(rust(), 3);
    let before = sleeps(&crew);
    let report = Load::new(address).time_limit(Duration::from_secs(2)).run();
    let woken = sleeps(&crew) - before;
    println!("woken {woken} times in {:?} for {} connections", report.elapsed, report.ok);
    // One look in 45 ms, one in 15 where a worker was late. (Where the machine is slow it is woken less often.)
    let most = report.elapsed.as_millis() / 15 * 2;
    assert!(u128::from(woken) < most, "{woken} times for {} connections", report.ok);
    assert!(report.ok > 4 * woken, "{woken} times for {} connections", report.ok);
}
