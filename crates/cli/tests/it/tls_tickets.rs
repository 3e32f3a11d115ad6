//! TLS sessions are resumed by every worker of an unmodified server, under every policy.

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::tls::TlsClient;
use portcrew_testkit::{require_certificate, require_node};

use crate::crew::{Crew, portcrew};

#[test]
fn of_sixteen_connections_to_four_workers_fifteen_are_resumed() {
    let node = require_node!();
    let certificate = require_certificate!();
    for policy in ["round-robin", "shared"] {
        let program = certificate.told_to(portcrew("run").args(["-w", "4", "--policy", policy]));
        let mut crew = Crew { process: program.arg(fixture("tls_hello.js")).start() };
        let address = crew.serving(4);
        for version in ["TLSv1.2", "TLSv1.3"] {
            let mut client = TlsClient::start(&node, &certificate, address, version);
            let connections = client.connect_times(16);
            let resumed = connections.iter().filter(|it| it.reused).count();
            assert!(!connections[0].reused && resumed == 15, "{policy} {version} {connections:?}");
            if policy == "round-robin" {
                let of = |worker| connections.iter().filter(|it| it.worker == worker).count();
                assert_eq!([1, 2, 3, 4].map(of), [4; 4], "{version} {connections:?}");
            }
        }
        crew.process.signal(Signal::Term);
        assert_eq!(crew.status(), 0);
    }
}
