//! A whole run, driven by bytes.
//!
//! The bytes are one byte of start policy, the start event's attributes and then steps. A step is
//! [`Kind`] `u8`, pick `u8`, wait `u16` and a message; a message is its length as `u16` and its
//! protobuf encoding, and one that does not decode counts as empty. Numbers are little-endian.
//! `pick` chooses among what the run has at that time (its activities, its tasks), so that most
//! bytes lead deep into a run.

mod laws;
mod reader;
mod step;
mod world;

pub use step::Kind;

use reader::Reader;
use world::World;

/// The most steps that one input plays.
pub const STEPS_MAX: usize = 64;

/// Plays a run. Every input is answered or refused, and the laws of the engine hold throughout.
pub fn engine_inputs(bytes: &[u8]) {
    let mut reader = Reader::new(bytes);
    let Some(policy) = reader.byte() else { return };
    let mut world = World::new(policy);
    world.decide(step::start(policy, reader.message()));
    for _ in 0..STEPS_MAX {
        let Some((kind, pick, wait)) = reader.step() else { return };
        world.wait(wait);
        let input = step::input(&world, kind, pick, &mut reader);
        world.decide(input);
        if pick % 2 == 1 {
            world.decide_what_is_due();
        }
    }
}
