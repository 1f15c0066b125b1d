//! The fields of a heartbeat that a filter may name.

use api::{enums::v1::WorkerStatus, worker::v1::WorkerHeartbeat};
use model::Time;
use visibility_query::Field;

/// What a heartbeat says of a field; none for a name that is no field. Names are case-sensitive,
/// but `Status` is a word of the language and may be written in any case.
pub(crate) fn field<'a>(heartbeat: &'a WorkerHeartbeat, name: &str) -> Option<Field<'a>> {
    let version = heartbeat.deployment_version.as_ref();
    let time = |time: Option<&prost_types::Timestamp>| {
        Field::Time(time.map(|time| Time::from_proto(Some(time))))
    };
    Some(match name {
        "WorkerInstanceKey" => Field::Text(&heartbeat.worker_instance_key),
        "WorkerIdentity" => Field::Text(&heartbeat.worker_identity),
        "HostName" => Field::Text(heartbeat.host_info.as_ref().map_or("", |host| &host.host_name)),
        "TaskQueue" => Field::Text(&heartbeat.task_queue),
        "DeploymentName" => Field::Text(version.map_or("", |version| &version.deployment_name)),
        "BuildId" => Field::Text(version.map_or("", |version| &version.build_id)),
        "SdkName" => Field::Text(&heartbeat.sdk_name),
        "SdkVersion" => Field::Text(&heartbeat.sdk_version),
        "StartTime" => time(heartbeat.start_time.as_ref()),
        "HeartbeatTime" => time(heartbeat.heartbeat_time.as_ref()),
        "WorkerStatus" => Field::Text(status(heartbeat.status())),
        name if name.eq_ignore_ascii_case("status") => Field::Text(status(heartbeat.status())),
        _ => return None,
    })
}

const fn status(status: WorkerStatus) -> &'static str {
    match status {
        WorkerStatus::Unspecified => "Unspecified",
        WorkerStatus::Running => "Running",
        WorkerStatus::ShuttingDown => "ShuttingDown",
        WorkerStatus::Shutdown => "Shutdown",
    }
}
