//! The gRPC server over loopback: what every call goes through, whatever its method.

mod harness;
mod limits;
mod messages;
mod methods;
mod shutdown;
