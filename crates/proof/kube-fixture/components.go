package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Ports are taken from below those that Linux hands out by itself, so that no connection gets one in between.
const (
	firstPort = 20_000
	portRange = 10_000
	portTries = 1_000
)

// auditPolicy has every request written down that an account of a pod makes; the controllers of the fixture are such too,
// and of no interest.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    userGroups: ["system:serviceaccounts:kube-system"]
  - level: Metadata
    userGroups: ["system:serviceaccounts"]
`

// adminName is how the kubeconfig of who may do everything is called.
const adminName = "admin"

// component is a part of a fixture, which is a process.
type component struct {
	name string
	args []string
	// ready is what answers 200 once the component does its work.
	ready string
	// first says that those after it cannot start before it is ready.
	first bool
}

// places says where the files and ports of a fixture are.
type places struct {
	dir                        string
	etcd, peer, api, scheduler int
}

// newPlaces chooses free ports.
func newPlaces(dir string) (places, error) {
	ports, err := freePorts(4)
	if err != nil {
		return places{}, err
	}
	return places{dir: dir, etcd: ports[0], peer: ports[1], api: ports[2], scheduler: ports[3]}, nil
}

// file is the path of a file of the fixture.
func (p places) file(name string) string {
	return filepath.Join(p.dir, name)
}

// kubeconfig is the path of the kubeconfig of a user.
func (p places) kubeconfig(user string) string {
	return p.file(user + ".kubeconfig")
}

// audit is the path of what is written down of requests, a line each once it is answered.
func (p places) audit() string {
	return p.file("audit.log")
}

// auditPolicyFile is the path of what says which requests are.
func (p places) auditPolicyFile() string {
	return p.file("audit-policy.yaml")
}

// apiURL is where the API server answers.
func (p places) apiURL() string {
	return fmt.Sprintf("https://127.0.0.1:%d", p.api)
}

// components returns the named parts in the order of their start.
func (p places) components(names []string) ([]component, error) {
	all := []component{p.etcdComponent(), p.apiServer(names), p.controllerManager(), p.schedulerComponent()}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(one component) bool { return one.name == name }) {
			return nil, fmt.Errorf("no component `%s`", name)
		}
	}
	for _, needed := range []string{etcdName, apiServerName} {
		if !slices.Contains(names, needed) {
			return nil, fmt.Errorf("nothing works without `%s`", needed)
		}
	}
	return slices.DeleteFunc(all, func(one component) bool { return !slices.Contains(names, one.name) }), nil
}

func (p places) etcdComponent() component {
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", p.etcd), fmt.Sprintf("http://127.0.0.1:%d", p.peer)
	return component{name: etcdName, ready: client + "/readyz", first: true, args: []string{
		"--name=fixture",
		"--data-dir=" + p.file("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=fixture=" + peer,
		// What is stored need not outlive the machine, and a slow disk must not slow the tests.
		"--unsafe-no-fsync",
	}}
}

func (p places) apiServer(names []string) component {
	args := []string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", p.etcd),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.api),
		// Else it looks for the address of a default route, which a machine need not have.
		"--advertise-address=127.0.0.1",
		// The endpoints of the service `kubernetes` may not be loopback addresses, so there are none.
		"--endpoint-reconciler-type=none",
		"--tls-cert-file=" + p.file("server.crt"),
		"--tls-private-key-file=" + p.file("server.key"),
		"--client-ca-file=" + p.file("ca.crt"),
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + p.file("sa.pub"),
		"--service-account-signing-key-file=" + p.file("sa.key"),
		// No proxy of services runs, so webhooks are called at the addresses of their pods.
		"--enable-aggregator-routing=true",
		"--audit-policy-file=" + p.auditPolicyFile(),
		"--audit-log-path=" + p.audit(),
		// Whoever has its answer finds it in the file.
		"--audit-log-mode=blocking",
		// Nothing is moved away: 4 GiB are more than any run writes.
		"--audit-log-maxsize=4096",
	}
	if !slices.Contains(names, controllerManagerName) {
		// Nobody makes the service account `default` of a namespace, which this plugin wants for every pod.
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	return component{name: apiServerName, ready: p.apiURL() + "/readyz", first: true, args: args}
}

func (p places) controllerManager() component {
	// It is at work once it has made the first service account, and before that no pod can be created.
	ready := p.apiURL() + "/api/v1/namespaces/default/serviceaccounts/default"
	return component{name: controllerManagerName, ready: ready, args: []string{
		"--kubeconfig=" + p.kubeconfig(controllerManagerName),
		"--leader-elect=false",
		"--secure-port=0",
		// The roles of the single controllers are bound to their own accounts, and to nobody else.
		"--use-service-account-credentials=true",
		"--service-account-private-key-file=" + p.file("sa.key"),
		"--root-ca-file=" + p.file("ca.crt"),
		// It creates this folder, whose default is in `/usr`.
		"--flex-volume-plugin-dir=" + p.file("flexvolume"),
		// The defaults hold it back by seconds while its controllers start.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
	}}
}

func (p places) schedulerComponent() component {
	ready := fmt.Sprintf("https://127.0.0.1:%d/readyz", p.scheduler)
	return component{name: schedulerName, ready: ready, args: []string{
		"--kubeconfig=" + p.kubeconfig(schedulerName),
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", p.scheduler),
		"--tls-cert-file=" + p.file("server.crt"),
		"--tls-private-key-file=" + p.file("server.key"),
	}}
}

// writeKeys makes all certificates, keys, kubeconfigs and what else the components read; it returns the authority and what
// the administrator has.
func (p places) writeKeys() (*authority, pair, error) {
	authority, err := newAuthority()
	if err != nil {
		return nil, pair{}, err
	}
	server, serverErr := authority.server()
	tokens, tokensErr := newTokenKeys()
	admin, adminErr := p.writeUser(authority, adminName, "admin", "system:masters")
	_, managerErr := p.writeUser(authority, controllerManagerName, "system:kube-controller-manager")
	_, schedulerErr := p.writeUser(authority, schedulerName, "system:kube-scheduler")
	if err := errors.Join(serverErr, tokensErr, adminErr, managerErr, schedulerErr); err != nil {
		return nil, pair{}, err
	}
	return authority, admin, errors.Join(
		os.WriteFile(p.file("ca.crt"), authority.pem(), 0o600),
		server.write(p.file("server.crt"), p.file("server.key")),
		tokens.write(p.file("sa.pub"), p.file("sa.key")),
		os.WriteFile(p.auditPolicyFile(), []byte(auditPolicy), 0o600),
	)
}

// writeUser makes a user with a kubeconfig of that name.
func (p places) writeUser(authority *authority, name, user string, groups ...string) (pair, error) {
	credentials, err := authority.client(user, groups...)
	if err != nil {
		return pair{}, err
	}
	return credentials, authority.writeKubeconfig(p.kubeconfig(name), p.apiURL(), user, credentials)
}

// freePorts returns ports on which nothing listens now; they are held until all are found, so that they differ.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range portTries {
		port := firstPort + rand.IntN(portRange)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer listener.Close()
		if ports = append(ports, port); len(ports) == count {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("fewer than %d free ports from %d on", count, firstPort)
}

// list reads names that are separated by commas.
func list(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' })
}
