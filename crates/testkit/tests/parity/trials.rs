//! From the rows to tests with names: `test-cluster-basic::rust-node`.

use libtest_mimic::{Completion, Failed, Trial};
use portcrew_testkit::node::Node;

use crate::row::{Proof, Row};
use crate::world::{World, checks};
use crate::{page, rows, totals};

/// Every proof of every row, and the checks of the page itself.
pub(crate) fn all() -> Vec<Trial> {
    let node = Node::find();
    let proofs = rows::all().into_iter().flat_map(|row| row.proofs.iter().map(move |it| (row, it)));
    let proofs = proofs.map(|(row, proof)| trial(row, proof, node.clone()));
    let checks = [
        Trial::test("page::is_what_the_rows_say", || Ok(page::check()?)),
        Trial::ignorable_test("page::reaches_its_aim", || Ok(totals::check()?)),
        Trial::test("page::every_row_is_there_once_and_shown_as_it_claims", || Ok(rows::check()?)),
        Trial::test("world::the_end_sees_a_failure_before_it", || {
            Ok(checks::the_end_sees_a_failure_before_it()?)
        }),
        Trial::test("world::a_script_is_heard_to_its_end", || {
            Ok(checks::a_script_is_heard_to_its_end()?)
        }),
    ];
    proofs.chain(checks).collect()
}

fn trial(row: &'static Row, proof: &'static Proof, node: Option<Node>) -> Trial {
    let name = format!("{}::{}", row.name, proof.pairing.name());
    Trial::ignorable_test(name, move || run(row, proof, node))
}

fn run(row: &'static Row, proof: &Proof, mut node: Option<Node>) -> Result<Completion, Failed> {
    if proof.pairing.needs_node() {
        let Some(found) = &node else {
            if is_set("PORTCREW_REQUIRE_NODE") {
                return Err("PORTCREW_REQUIRE_NODE=1 and node not found".into());
            }
            return Ok(Completion::ignored_with("node not found"));
        };
        if let Some((major, minor)) = proof.since
            && !found.is_since(major, minor)
        {
            let reason = format!(
                "needs Node {major}.{minor}; this is {}, and scripts/install-runtimes has put no newer one there",
                found.version()
            );
            node = Node::since(major, minor);
            if node.is_none() && is_set("PORTCREW_INTEROP") {
                return Err(reason.into());
            }
            if node.is_none() {
                return Ok(Completion::ignored_with(reason));
            }
        }
    }
    let world = World::new(row, node)?;
    if let Some(Err(reason)) = proof.needs.map(|needs| needs(&world)) {
        return Ok(Completion::ignored_with(reason));
    }
    (proof.run)(&world);
    Ok(Completion::Completed)
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|it| it == "1")
}
