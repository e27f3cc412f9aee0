package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"k8s.io/component-base/version"
)

const (
	// pause is between two looks at whether a component is ready.
	pause = 50 * time.Millisecond
	// askTimeout is how long one such look may take.
	askTimeout = 5 * time.Second
)

// announcement is what `up` says once everything is ready.
type announcement struct {
	Kubeconfig string         `json:"kubeconfig"`
	Audit      string         `json:"audit"`
	Version    string         `json:"version"`
	Pids       map[string]int `json:"pids"`
}

// fixture is a cluster that runs.
type fixture struct {
	parts    []component
	children []*child
	client   *http.Client
}

// up runs a cluster until it is told to end or a component ends.
//
// A component that ends takes the rest with it, so a test that wants one to be silent stops it with SIGSTOP.
func up(args []string) error {
	flags := flag.NewFlagSet("up", flag.ExitOnError)
	dir := flags.String("dir", "", "the folder of data, keys, kubeconfigs and logs; no earlier fixture may have used it")
	all := strings.Join([]string{etcdName, apiServerName, controllerManagerName, schedulerName}, ",")
	names := flags.String("components", all, "what is started")
	within := flags.Duration("ready-timeout", 60*time.Second, "how long it may take until all are ready")
	if err := parse(flags, args, "dir"); err != nil {
		return err
	}
	// The components die with the thread that starts them, so this one must last.
	runtime.LockOSThread()
	at, err := prepare(*dir)
	if err != nil {
		return err
	}
	parts, err := at.components(list(*names))
	if err != nil {
		return err
	}
	client, err := newClient(at)
	if err != nil {
		return err
	}
	ctx, cancel := untilTold()
	running := &fixture{parts: parts, client: client}
	// Nothing is worth a slow end: the store is whole after a kill, and the others keep nothing.
	defer running.kill()
	if err := running.start(ctx, cancel, at.dir, *within); err != nil {
		return unlessTold(err)
	}
	if err := running.announce(at); err != nil {
		return err
	}
	<-ctx.Done()
	return unlessTold(context.Cause(ctx))
}

// parse reads flags; nothing may follow them, and `needed` must be among them.
func parse(flags *flag.FlagSet, args []string, needed string) error {
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument `%s`", flags.Arg(0))
	}
	if flags.Lookup(needed).Value.String() == "" {
		return fmt.Errorf("`--%s` is missing", needed)
	}
	return nil
}

// prepare makes the folder and chooses the ports.
func prepare(dir string) (places, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return places{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return places{}, err
	}
	// Data of an earlier one would trust keys that are no more.
	if _, err := os.Stat(filepath.Join(dir, etcdName)); !errors.Is(err, fs.ErrNotExist) {
		return places{}, fmt.Errorf("`%s` holds the data of an earlier fixture", dir)
	}
	return newPlaces(dir)
}

// newClient writes the keys and returns an administrator's client.
func newClient(at places) (*http.Client, error) {
	authority, admin, err := at.writeKeys()
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(admin.public, admin.private)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.certificate)
	config := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: askTimeout}, nil
}

// start starts the components in their order and waits until all are ready.
func (f *fixture) start(ctx context.Context, gone context.CancelCauseFunc, dir string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, part := range f.parts {
		started, err := start(part, dir, gone)
		if err != nil {
			return err
		}
		f.children = append(f.children, started)
		if !part.first {
			continue
		}
		if err := f.await(ctx, part, started); err != nil {
			return err
		}
	}
	for place, part := range f.parts {
		if err := f.await(ctx, part, f.children[place]); err != nil {
			return err
		}
	}
	return nil
}

// await waits until a component is ready.
func (f *fixture) await(ctx context.Context, part component, started *child) error {
	for !f.answers(ctx, part.ready) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			cause := context.Cause(ctx)
			if errors.Is(cause, context.DeadlineExceeded) {
				return fmt.Errorf("`%s` is not ready in time; %s", part.name, started.lastWords())
			}
			return cause
		}
	}
	return nil
}

// answers is whether an address answers that all is well.
func (f *fixture) answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := f.client.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// announce says in one line that all is ready.
func (f *fixture) announce(at places) error {
	pids := map[string]int{}
	for _, one := range f.children {
		pids[one.name] = one.command.Process.Pid
	}
	said := announcement{Version: version.Get().GitVersion, Pids: pids}
	said.Kubeconfig, said.Audit = at.kubeconfig(adminName), at.audit()
	return json.NewEncoder(os.Stdout).Encode(said)
}

// kill ends the components, those first that use the others.
func (f *fixture) kill() {
	for _, one := range slices.Backward(f.children) {
		one.kill()
	}
}
