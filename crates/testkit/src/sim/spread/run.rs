//! One seed.

use super::world::{Fault, Seen, World};

/// Runs one seed.
///
/// # Errors
/// What was broken, in words, with the step.
pub fn run(seed: u64, fault: Option<Fault>) -> Result<Seen, String> {
    let mut world = World::new(seed, fault);
    world.run().map_err(|broken| {
        format!("seed {seed}, step {}: {broken}\n{}", world.step, world.said.join("\n"))
    })?;
    Ok(world.seen)
}
