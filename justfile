# Ways of working, one word each. `just` alone lists them.

default:
    @just --list

# Everything that must hold before a change lands.
ci:
    bash .ci/run

# The built-in crew.
demo:
    cargo run --release -- demo

# Millions of simulated schedules: `just simulate 1000000`.
simulate seeds="1000000":
    PORTCREW_SIM_SEEDS={{seeds}} cargo test --release -p portcrew-testkit --test sim -- --nocapture

# Every order in which so many things can happen to two workers and three connections, and to a crew of two:
# `just exhaust 9 7`.
exhaust depth="12" orders="9":
    PORTCREW_EXHAUST={{depth}} cargo test --release -p portcrew-testkit --test sim every_order -- --nocapture
    PORTCREW_ORDERS={{orders}} cargo test --release -p portcrew-core --lib orders -- --nocapture

# The one benchmark: portcrew, Node's cluster, PM2, nginx and plain servers; writes docs/benchmarks: `just bench --quick`.
bench *args:
    scripts/npm-cache peers/pm2 pm2@7 || echo "PM2 is left out"
    cargo bench -p portcrew-testkit --bench report -- {{args}}

# Descriptors by the lane and messages by the channel, against the kernel's own calls and Node: `just ipc --quick`.
ipc *args:
    cargo bench -p portcrew-testkit --bench ipc -- {{args}}

# What single steps cost: deciding, encoding and decoding, sending and receiving in one process: `just micro codec`.
micro *filter:
    cargo bench -p portcrew-core --bench step -- {{filter}}
    cargo bench -p portcrew-ipc --bench codec --bench lane --bench channel -- {{filter}}

# Counts instructions and holds them against scripts/instructions.txt: `just instructions --renew` writes that anew.
instructions *args:
    scripts/instructions {{args}}

# What a few slow requests cost all others, and how evenly connections are spread: `just tail --quick`.
tail *args:
    cargo bench -p portcrew-testkit --bench tail -- {{args}}

# Releases, good and broken, crashes and stops, with PM2 beside: `just releases --quick`.
releases *args:
    scripts/npm-cache peers/pm2 pm2@7
    cargo bench -p portcrew-testkit --bench releases -- {{args}}

# Workers killed, stopped and starved under load, in two sets of books, with others beside: `just reliability --quick`.
reliability *args:
    scripts/npm-cache peers/pm2 pm2@7
    cargo bench -p portcrew-testkit --bench reliability -- {{args}}

# Real runtimes and frameworks as workers: installs them into a cache, runs all, writes the pages in docs/.
interop *args:
    scripts/install-runtimes {{args}}
    cargo build --workspace --bins
    PORTCREW_INTEROP=1 PORTCREW_REQUIRE_NODE=1 cargo test -p portcrew-cli --test interop runtimes -- --nocapture
    PORTCREW_INTEROP=1 PORTCREW_REQUIRE_NODE=1 cargo test -p portcrew-cli --test interop frameworks -- --nocapture
    PORTCREW_INTEROP=1 PORTCREW_REQUIRE_NODE=1 cargo test -p portcrew-testkit --test parity

# The recipes of docs/any-language.md: installs what they need, runs each under load, writes the page's table.
recipes *args:
    scripts/install-recipes {{args}}
    PORTCREW_RECIPES=1 cargo test -p portcrew-cli --test interop recipes -- --nocapture --test-threads=1
