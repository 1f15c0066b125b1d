#[test]
fn it() { let _ = std::any::type_name::<temporalio_sdk::Worker>(); }
