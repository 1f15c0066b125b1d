package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	common "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"
)

const usage = `secured activities ADDRESS TASK_QUEUE KEY_FILE   a worker, until a line on standard input
secured encode|decode KEY_FILE                   a payload on standard input
secured tls ADDRESS ROOTS CERTIFICATE KEY        whether there is a connection`

// silent is a logger that keeps the SDK's lines out of the output.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 4 && arguments[0] == "activities":
		return runWorker(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 2 && (arguments[0] == "encode" || arguments[0] == "decode"):
		return code(arguments[0], arguments[1])
	case len(arguments) == 5 && arguments[0] == "tls":
		return connect(arguments[1], arguments[2], arguments[3], arguments[4])
	}
	return errors.New(usage)
}

// charge is what this worker does.
func charge(_ context.Context, card string) (string, error) {
	if strings.HasSuffix(card, "expired") {
		return "", temporal.NewApplicationError(card+": refused in Go", "Refused")
	}
	return card + ": charged in Go", nil
}

func runWorker(address, queue, keys string) error {
	codec, err := codecOf(keys)
	if err != nil {
		return err
	}
	options := encryptedOptions(address, codec)
	options.Logger = silent{}
	connected, err := client.Dial(options)
	if err != nil {
		return err
	}
	defer connected.Close()
	running := worker.New(connected, queue, worker.Options{})
	running.RegisterActivityWithOptions(charge, activity.RegisterOptions{Name: "charge"})
	if err := running.Start(); err != nil {
		return err
	}
	fmt.Println("polls")
	_, _ = os.Stdin.Read(make([]byte, 1))
	running.Stop()
	return nil
}

func code(way, keys string) error {
	codec, err := codecOf(keys)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	payload := &common.Payload{}
	if err := protojson.Unmarshal(text, payload); err != nil {
		return err
	}
	coding := codec.Encode
	if way == "decode" {
		coding = codec.Decode
	}
	coded, err := coding([]*common.Payload{payload})
	if err != nil {
		return err
	}
	fmt.Println(protojson.Format(coded[0]))
	return nil
}

// overMutualTLS are the options of a client that shows a certificate and asks for the server's.
func overMutualTLS(address, roots, certificate, key string) (client.Options, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return client.Options{}, err
	}
	text, err := os.ReadFile(roots)
	if err != nil {
		return client.Options{}, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(text)
	encryption := &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: trusted}
	connection := client.ConnectionOptions{TLS: encryption}
	return client.Options{HostPort: address, ConnectionOptions: connection}, nil
}

func connect(address, roots, certificate, key string) error {
	options, err := overMutualTLS(address, roots, certificate, key)
	if err != nil {
		return err
	}
	options.Logger = silent{}
	connected, err := client.Dial(options)
	if err != nil {
		return err
	}
	defer connected.Close()
	if _, err := connected.CheckHealth(context.Background(), nil); err != nil {
		return err
	}
	fmt.Println("connected")
	return nil
}
