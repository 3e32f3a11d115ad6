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

# portcrew against Node's cluster and single processes, in one run: `just bench --quick`.
bench *args:
    cargo bench -p portcrew-testkit --bench compare -- {{args}}
