package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-base/version"
)

const (
	// beat is how often a node says that it is alive; a kubelet does so as often.
	beat = 10 * time.Second
	// leaseSeconds is how long it is believed.
	leaseSeconds = 40
	// nodeIP is where a node seems to be.
	nodeIP = "127.0.0.1"
)

// register makes the nodes, and waits for the namespace of their leases if the cluster has only begun.
func (p *player) register(ctx context.Context) error {
	for name := range p.nodes {
		for {
			err := p.sayAlive(ctx, name)
			if err == nil {
				break
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			fmt.Fprintf(os.Stderr, "kube-fixture play: node `%s`: %v\n", name, err)
		}
	}
	return nil
}

// keepAlive says until the end that the nodes are alive.
func (p *player) keepAlive(ctx context.Context) {
	ticks := time.NewTicker(beat)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		for name := range p.nodes {
			if err := p.sayAlive(ctx, name); err != nil {
				fmt.Fprintf(os.Stderr, "kube-fixture play: node `%s`: %v\n", name, err)
			}
		}
	}
}

// sayAlive makes a node and its lease if they are not there, and renews them.
func (p *player) sayAlive(ctx context.Context, name string) error {
	node, err := p.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if errors.IsNotFound(err) {
		node, err = p.makeNode(ctx, name)
	}
	if err != nil {
		return err
	}
	// Whoever found it silent has written so, and the node alone takes it back.
	node.Status = p.nodeStatus(node.Status)
	if _, err := p.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return p.renewLease(ctx, node)
}

// makeNode makes a node that takes pods at once.
func (p *player) makeNode(ctx context.Context, name string) (*v1.Node, error) {
	api := p.client.CoreV1().Nodes()
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
		v1.LabelHostname:   name,
		v1.LabelOSStable:   "linux",
		v1.LabelArchStable: runtime.GOARCH,
	}}}
	node.Status = p.nodeStatus(node.Status)
	if _, err := api.Create(ctx, node, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	// Every node begins with a taint that only the controller manager takes away, and there may be none.
	patch := []byte(`{"spec":{"taints":null}}`)
	return api.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
}

// renewLease makes or renews what the controller manager looks at to see whether a node is alive.
func (p *player) renewLease(ctx context.Context, node *v1.Node) error {
	api := p.client.CoordinationV1().Leases(v1.NamespaceNodeLease)
	holder, seconds, now := node.Name, int32(leaseSeconds), metav1.NowMicro()
	spec := coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now}
	lease, err := api.Get(ctx, node.Name, metav1.GetOptions{})
	if err == nil {
		lease.Spec = spec
		_, err = api.Update(ctx, lease, metav1.UpdateOptions{})
		return err
	}
	if !errors.IsNotFound(err) {
		return err
	}
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}
	meta := metav1.ObjectMeta{Name: node.Name, OwnerReferences: []metav1.OwnerReference{owner}}
	_, err = api.Create(ctx, &coordinationv1.Lease{ObjectMeta: meta, Spec: spec}, metav1.CreateOptions{})
	return err
}

// nodeStatus is what a node that is well says of itself.
func (p *player) nodeStatus(old v1.NodeStatus) v1.NodeStatus {
	status := *old.DeepCopy()
	status.Capacity, status.Allocatable = p.has, p.has
	status.Addresses = []v1.NodeAddress{{Type: v1.NodeInternalIP, Address: nodeIP}}
	status.NodeInfo = v1.NodeSystemInfo{
		Architecture:            runtime.GOARCH,
		OperatingSystem:         runtime.GOOS,
		KubeletVersion:          version.Get().GitVersion,
		ContainerRuntimeVersion: "fixture://1",
	}
	was := map[v1.NodeConditionType]v1.NodeCondition{}
	for _, one := range old.Conditions {
		was[one.Type] = one
	}
	now := metav1.Now().Rfc3339Copy()
	condition := func(kind v1.NodeConditionType, is v1.ConditionStatus, reason string) v1.NodeCondition {
		since := now
		if before := was[kind]; before.Status == is {
			since = before.LastTransitionTime
		}
		return v1.NodeCondition{
			Type: kind, Status: is, Reason: reason, LastHeartbeatTime: now, LastTransitionTime: since,
		}
	}
	status.Conditions = []v1.NodeCondition{
		condition(v1.NodeMemoryPressure, v1.ConditionFalse, "KubeletHasSufficientMemory"),
		condition(v1.NodeDiskPressure, v1.ConditionFalse, "KubeletHasNoDiskPressure"),
		condition(v1.NodePIDPressure, v1.ConditionFalse, "KubeletHasSufficientPID"),
		condition(v1.NodeReady, v1.ConditionTrue, "KubeletReady"),
	}
	return status
}
