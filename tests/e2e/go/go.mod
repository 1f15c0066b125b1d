module longtide/e2e

go 1.26.0

require go.temporal.io/sdk v1.50.0 // indirect
