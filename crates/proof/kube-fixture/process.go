package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Of a log that stands in an error: how much is read of its end, and how many lines are shown.
const (
	tailBytes = 16_384
	tailLines = 20
)

// errTold is why a program ends that was told to.
var errTold = errors.New("told to end")

// child is a component that was started.
type child struct {
	name    string
	command *exec.Cmd
	log     string
	ended   chan struct{}
}

// start starts a component; `gone` is told how it ended, whenever that is.
//
// The kernel kills it when the thread that started it ends, so the caller must be locked to its thread.
func start(part component, dir string, gone context.CancelCauseFunc) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, part.name+".log")
	log, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	// The child has its own copy.
	defer log.Close()
	command := exec.Command(self, append([]string{part.name}, part.args...)...)
	command.Stdout, command.Stderr = log, log
	// Inside of a pod, the cluster of that pod would be asked who may look at a component.
	// And nothing that is called lies behind a proxy of the environment.
	command.Env = append(os.Environ(), "KUBERNETES_SERVICE_HOST=", "NO_PROXY=*")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start `%s`: %w", part.name, err)
	}
	started := &child{name: part.name, command: command, log: path, ended: make(chan struct{})}
	go started.watch(gone)
	return started, nil
}

// watch waits for the end of the component.
func (c *child) watch(gone context.CancelCauseFunc) {
	_ = c.command.Wait()
	gone(fmt.Errorf("`%s` ended with %s; %s", c.name, c.command.ProcessState, c.lastWords()))
	close(c.ended)
}

// kill ends the component and waits until it is gone.
func (c *child) kill() {
	_ = c.command.Process.Kill()
	<-c.ended
}

// lastWords is how the log ends, for an error.
func (c *child) lastWords() string {
	text, err := tail(c.log)
	if err != nil {
		return fmt.Sprintf("its log cannot be read: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	return fmt.Sprintf("`%s` ends with\n%s", c.log, strings.Join(lines, "\n"))
}

// tail reads the end of a file.
func tail(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if _, err := file.Seek(max(0, info.Size()-tailBytes), io.SeekStart); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(file, tailBytes))
	return string(text), err
}

// untilTold returns what is cancelled once this program is told to end, by a signal or by the end of its input.
//
// Only a pipe or a socket tells anything by its end: `/dev/null` has ended before it begins.
func untilTold() (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		<-signals
		cancel(errTold)
	}()
	input, err := os.Stdin.Stat()
	if err == nil && input.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel(errTold)
		}()
	}
	return ctx, cancel
}

// unlessTold returns why something ended, which is no error if it was told to.
func unlessTold(err error) error {
	if errors.Is(err, errTold) {
		return nil
	}
	return err
}
