//! Temporal's test service: locks on time, and sleeps that pass over it. Served only where the
//! clock can do that, by `longtide test-server`.

use std::sync::Arc;

use api::{
    Wire,
    testservice::v1::{
        GetCurrentTimeResponse, LockTimeSkippingRequest, LockTimeSkippingResponse, SleepRequest,
        SleepResponse, SleepUntilRequest, UnlockTimeSkippingRequest, UnlockTimeSkippingResponse,
    },
};
use bytes::Bytes;
use environment::{Clock, NotLocked, SkippableClock};
use model::{Span, Time};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, codec::CompressionEncoding, server::Grpc};
use tower::service_fn;

use crate::{
    rpc::{decode, encode},
    server::{HttpRequest, ResponseFuture, SideService},
};

/// Its name.
pub(crate) const NAME: &str = "temporal.api.testservice.v1.TestService";

/// What answers its calls.
#[derive(Debug, Clone)]
struct TestService {
    clock: SkippableClock,
    stopping: CancellationToken,
}

/// The service of a node that runs on this clock.
pub(crate) fn service(clock: SkippableClock, stopping: CancellationToken) -> SideService {
    let service = TestService { clock, stopping };
    Arc::new(move |request| service.clone().call(request))
}

impl TestService {
    fn call(self, request: HttpRequest) -> ResponseFuture {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
        Box::pin(async move {
            let answering = service_fn(|asked: Request<Bytes>| {
                Box::pin(self.clone().answer(&method, asked.into_inner()))
            });
            Grpc::new(Wire)
                .accept_compressed(CompressionEncoding::Gzip)
                .unary(answering, request)
                .await
        })
    }

    async fn answer(self, method: &str, asked: Bytes) -> Result<Response<Bytes>, Status> {
        let answer = match method {
            "LockTimeSkipping" => encode(&self.lock(decode(asked)?).await?),
            "UnlockTimeSkipping" => encode(&self.unlock(decode(asked)?).await?),
            "Sleep" => encode(&self.sleep(decode(asked)?).await?),
            "SleepUntil" => encode(&self.sleep_until(decode(asked)?).await?),
            "UnlockTimeSkippingWithSleep" => encode(&self.unlock_with_sleep(decode(asked)?).await?),
            "GetCurrentTime" => encode(&self.current_time().await?),
            other => {
                let text = format!("unknown method {other} for service {NAME}");
                return Err(Status::unimplemented(text));
            }
        };
        Ok(Response::new(answer))
    }

    async fn lock(self, _: LockTimeSkippingRequest) -> Result<LockTimeSkippingResponse, Status> {
        self.clock.lock();
        Ok(LockTimeSkippingResponse {})
    }

    async fn unlock(
        self,
        _: UnlockTimeSkippingRequest,
    ) -> Result<UnlockTimeSkippingResponse, Status> {
        self.clock.unlock().map_err(not_locked)?;
        Ok(UnlockTimeSkippingResponse {})
    }

    async fn sleep(self, request: SleepRequest) -> Result<SleepResponse, Status> {
        let until = self.clock.now() + Span::from_proto(request.duration.as_ref());
        self.unless_stopping(self.clock.wait_for(until)).await?;
        Ok(SleepResponse {})
    }

    async fn sleep_until(self, request: SleepUntilRequest) -> Result<SleepResponse, Status> {
        let until = Time::from_proto(request.timestamp.as_ref());
        self.unless_stopping(self.clock.wait_for(until)).await?;
        Ok(SleepResponse {})
    }

    async fn unlock_with_sleep(self, request: SleepRequest) -> Result<SleepResponse, Status> {
        let span = Span::from_proto(request.duration.as_ref());
        self.unless_stopping(self.clock.unlock_and_wait(span)).await?.map_err(not_locked)?;
        Ok(SleepResponse {})
    }

    async fn current_time(self) -> Result<GetCurrentTimeResponse, Status> {
        Ok(GetCurrentTimeResponse { time: self.clock.now().to_proto() })
    }

    async fn unless_stopping<T>(&self, sleep: impl Future<Output = T>) -> Result<T, Status> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Err(Status::unavailable("the server is stopping")),
            slept = sleep => Ok(slept),
        }
    }
}

fn not_locked(NotLocked: NotLocked) -> Status {
    Status::failed_precondition(
        "time skipping is not locked: more calls unlocked it than locked it",
    )
}
