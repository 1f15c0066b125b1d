package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
)

// startWithin is how long a server may take until it serves the namespace `default`.
const startWithin = 30 * time.Second

// address is where the server that all tests share listens.
var address string

// silent is a logger that keeps the SDK's lines out of the tests' output.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func TestMain(m *testing.M) {
	server, err := startServer()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = server.Process.Kill()
	_ = server.Wait()
	os.Exit(code)
}

func startServer() (*exec.Cmd, error) {
	executable := os.Getenv("LONGTIDE_E2E_SERVER")
	if executable == "" {
		return nil, fmt.Errorf("LONGTIDE_E2E_SERVER must name the server's executable")
	}
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address = probe.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if err := probe.Close(); err != nil {
		return nil, err
	}
	server := exec.Command(executable, "server", "start-dev", "--port", port, "--headless",
		"--log-level", "warn")
	if err := server.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(startWithin); ; time.Sleep(lookAgain) {
		if err = serving(); err == nil {
			return server, nil
		}
		if time.Now().After(deadline) {
			_ = server.Process.Kill()
			return nil, fmt.Errorf("the server did not start: %w", err)
		}
	}
}

func serving() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	namespaces, err := client.NewNamespaceClient(client.Options{HostPort: address, Logger: silent{}})
	if err != nil {
		return err
	}
	defer namespaces.Close()
	_, err = namespaces.Describe(ctx, "default")
	return err
}
