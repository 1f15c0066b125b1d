//! The index of runs behind list and count.
