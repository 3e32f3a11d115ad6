//! Every recipe, and the test of each.

use super::traffic::Protocol;
use super::trial;
use super::world::World;

/// A recipe of the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe {
    /// As `scripts/install-recipes` calls it.
    pub(crate) name: &'static str,
    /// Its heading on the page.
    pub(crate) heading: &'static str,
    pub(crate) protocol: Protocol,
    /// It needs Python or Node alone, which every machine of ours has.
    pub(crate) is_quick: bool,
    /// What becomes of requests when it is told to leave.
    pub(crate) leaves: Leaves,
}

/// How a program leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// What it has taken, it answers.
    Clean,
    /// It closes some connections that it has just taken, without an answer. The page says why.
    MayCut,
}

const fn recipe(name: &'static str, heading: &'static str) -> Recipe {
    Recipe { name, heading, protocol: Protocol::Http, is_quick: false, leaves: Leaves::Clean }
}

/// In the order of the page. All of them make a whole run.
pub(crate) const ALL: [Recipe; 13] = [
    Recipe { is_quick: true, ..recipe("python", "A server in Python") },
    recipe("gunicorn", "gunicorn"),
    Recipe { leaves: Leaves::MayCut, ..recipe("uvicorn", "uvicorn") },
    Recipe { leaves: Leaves::MayCut, ..recipe("hypercorn", "hypercorn") },
    recipe("puma", "puma"),
    recipe("go", "Go: `net/http`"),
    recipe("std", "Rust: the standard library"),
    Recipe { leaves: Leaves::MayCut, ..recipe("actix-web", "Rust: actix-web") },
    Recipe { protocol: Protocol::Grpc, leaves: Leaves::MayCut, ..recipe("tonic", "Rust: tonic") },
    Recipe { is_quick: true, ..recipe("node", "Node.js without cluster") },
    recipe("deno", "Deno"),
    recipe("bun", "Bun"),
    recipe("nginx", "nginx"),
];

fn holds(name: &str) {
    let recipe = ALL.iter().find(|it| it.name == name).expect("it is one of them");
    let Some(world) = World::of(recipe) else { return };
    trial::holds(recipe, &world);
}

macro_rules! recipes {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            holds($name);
        })*

        #[test]
        fn every_recipe_has_a_test() {
            assert_eq!([$($name),*], ALL.map(|it| it.name));
        }
    };
}

recipes! {
    python_serves_from_the_socket_that_it_inherits: "python",
    gunicorn_serves_from_the_socket_that_it_inherits: "gunicorn",
    uvicorn_serves_from_the_socket_that_it_inherits: "uvicorn",
    hypercorn_serves_from_the_socket_that_it_inherits: "hypercorn",
    puma_serves_from_the_socket_that_it_inherits: "puma",
    go_serves_from_the_socket_that_it_inherits: "go",
    rust_serves_from_the_socket_that_it_inherits: "std",
    actix_web_serves_from_the_socket_that_it_inherits: "actix-web",
    tonic_serves_from_the_socket_that_it_inherits: "tonic",
    node_serves_from_the_socket_that_it_inherits: "node",
    deno_serves_from_the_socket_that_it_inherits: "deno",
    bun_serves_from_the_socket_that_it_inherits: "bun",
    nginx_serves_from_the_socket_that_it_inherits: "nginx",
}
