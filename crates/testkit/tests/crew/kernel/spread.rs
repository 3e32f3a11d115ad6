//! The kernel spreads connections, and the primary accepts none of them.

use portcrew_testkit::http::Load;
use portcrew_testkit::require_node;

use super::{crew, node, rust};
use crate::support::listening_sockets;

#[test]
fn each_worker_has_a_socket_of_its_own_on_one_port_and_the_primary_has_them_all() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        let (crew, address) = crew(program, 3);
        let sockets = listening_sockets(crew.pid());
        assert_eq!(sockets.len(), 3);
        assert!(sockets.iter().all(|it| it.0.port() == address.port()), "{sockets:?}");
        for worker in portcrew_testkit::process::proc_fs::children(crew.pid()).unwrap() {
            assert_eq!(listening_sockets(worker).len(), 1);
        }
    }
}

#[test]
fn connections_are_spread_evenly_and_none_goes_through_the_primary() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        let (mut crew, address) = crew(program, 4);
        // One at a time: nobody is ever busy.
        let report = Load::new(address).requests(2_000).run();
        report.assert_all_ok();
        // Five deviations of a fair coin with four sides.
        let shares = &report.by_worker;
        assert!(
            shares.len() == 4 && shares.values().all(|it| it.abs_diff(500) < 100),
            "{shares:?}"
        );
        let books = crew.snapshot();
        assert_eq!(books["accepted"], books["rescued"], "{books}");
    }
}

#[test]
fn many_clients_at_once_and_kept_connections_are_served() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        let (_crew, address) = crew(program, 2);
        Load::new(address).clients(64).requests(4_000).run().assert_all_ok();
        Load::new(address).clients(8).keep_alive(50).requests(1_000).run().assert_all_ok();
    }
}
