// Command kube-fixture is a real Kubernetes API for tests: the components of Kubernetes itself in one program that
// starts itself once for each.
//
//	kube-fixture etcd|kube-apiserver|kube-controller-manager|kube-scheduler FLAGS   runs a component
//	kube-fixture up --dir DIR [--components LIST] [--ready-timeout 60s]             runs a cluster without nodes
//	kube-fixture play --kubeconfig PATH [--nodes 1] ...                             plays nodes and what runs on them
//
// It is built, once for a machine, in this folder into another one with
//
//	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w
//	  -X k8s.io/component-base/version.gitVersion=v1.36.3
//	  -X k8s.io/component-base/version.gitMajor=1
//	  -X k8s.io/component-base/version.gitMinor=36
//	  -X k8s.io/component-base/version.gitCommit=fixture
//	  -X k8s.io/component-base/version.gitTreeState=clean
//	  -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3
//	  -X k8s.io/client-go/pkg/version.gitMajor=1
//	  -X k8s.io/client-go/pkg/version.gitMinor=36
//	  -X k8s.io/client-go/pkg/version.gitCommit=fixture
//	  -X k8s.io/client-go/pkg/version.gitTreeState=clean" -o FOLDER/kube-fixture .
//
// Without the versions, which are those of go.mod, the API calls itself v0.0.0 and clients that read it stumble.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // Time zones of CronJobs.

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // The JSON format of logs.
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // Metrics of clients, as in the real binaries.
	_ "k8s.io/component-base/metrics/prometheus/version"  // The metric of the version.
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// The components, as their real binaries are called.
const (
	etcdName              = "etcd"
	apiServerName         = "kube-apiserver"
	controllerManagerName = "kube-controller-manager"
	schedulerName         = "kube-scheduler"
)

const usage = "usage: kube-fixture etcd|kube-apiserver|kube-controller-manager|kube-scheduler|up|play FLAGS"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	name, args := os.Args[1], os.Args[2:]
	switch name {
	case etcdName:
		etcdmain.Main(os.Args[1:])
	case apiServerName:
		run(apiserver.NewAPIServerCommand(), args)
	case controllerManagerName:
		run(controllermanager.NewControllerManagerCommand(), args)
	case schedulerName:
		run(scheduler.NewSchedulerCommand(), args)
	case "up":
		exit(name, up(args))
	case "play":
		exit(name, play(args))
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
}

// run runs a component to its end, as its real binary does.
func run(command *cobra.Command, args []string) {
	command.SetArgs(args)
	os.Exit(cli.Run(command))
}

// exit ends the program, with 1 if there is an error.
func exit(name string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "kube-fixture %s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}
