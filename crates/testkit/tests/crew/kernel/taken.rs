//! A port is one application's, though the kernel would let another of the same user join.

use super::{crew, rust};
use crate::support::Crew;

const ADDRESS_IN_USE: i32 = 98;

#[test]
fn a_second_crew_on_the_port_hears_that_it_is_taken() {
    let (_first, address) = crew(rust(), 2);
    for program in [rust(), rust().env_remove("KERNEL")] {
        let mut second = Crew::start(program.env("ADDRESS", address.to_string()));
        second.tell("fork 1");
        let failed = second.next("listen-failed");
        assert_eq!(failed["errno"], ADDRESS_IN_USE, "{failed}");
    }
}
