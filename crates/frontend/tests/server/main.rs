//! The gRPC server over loopback: what every call goes through, whatever its method.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod methods;
#[cfg(test)]
mod reflection;
#[cfg(test)]
mod shutdown;
