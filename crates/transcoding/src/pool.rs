//! The API's own description.

use std::{collections::BTreeSet, sync::LazyLock};

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;

/// Made when the first request comes: it takes megabytes. Empty only if the API's description were
/// broken, which the tests rule out.
static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let Ok(mut files) = FileDescriptorSet::decode(api::DESCRIPTOR_SET) else {
        return DescriptorPool::new();
    };
    let names: BTreeSet<String> = files.file.iter().map(|file| file.name().to_owned()).collect();
    for file in &mut files.file {
        // What other tools want to know of the API is not in the set.
        file.dependency.retain(|name| names.contains(name));
        file.public_dependency.clear();
        file.weak_dependency.clear();
        // Comments on methods are shown, and no others.
        if file.service.is_empty() {
            file.source_code_info = None;
        }
    }
    DescriptorPool::from_file_descriptor_set(files).unwrap_or_default()
});

pub(crate) fn pool() -> &'static DescriptorPool {
    &POOL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_of_the_api_is_whole() {
        assert!(pool().services().len() >= 2);
    }
}
