package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

// workers is how many pods are moved at a time.
const workers = 4

// player plays the kubelets of nodes that are not there: no container is run, no image is pulled.
type player struct {
	client *kubernetes.Clientset
	nodes  map[string]bool
	has    v1.ResourceList
	pods   corelisters.PodLister
	queue  workqueue.TypedRateLimitingInterface[cache.ObjectName]
	step   time.Duration
}

// play plays nodes until it is told to end.
//
// The nodes stay when it ends, or while it is stopped with SIGSTOP, like those whose kubelets are gone.
func play(args []string) error {
	flags := flag.NewFlagSet("play", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "an administrator's kubeconfig")
	nodes := flags.Int("nodes", 1, "how many nodes there are")
	cpu := flags.String("cpu", "64", "what a node has of CPU")
	memory := flags.String("memory", "256Gi", "what a node has of memory")
	pods := flags.String("pods", "250", "how many pods a node takes")
	step := flags.Duration("step", 50*time.Millisecond, "how long a pod stays at each step")
	if err := parse(flags, args, "kubeconfig"); err != nil {
		return err
	}
	has, err := resources(*cpu, *memory, *pods)
	if err != nil {
		return err
	}
	plays, err := newPlayer(*kubeconfig, *nodes, has, *step)
	if err != nil {
		return err
	}
	ctx, _ := untilTold()
	if err := plays.register(ctx); err != nil {
		return unlessTold(err)
	}
	if err := plays.follow(ctx); err != nil {
		return unlessTold(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string][]string{"nodes": plays.names()}); err != nil {
		return err
	}
	plays.keepAlive(ctx)
	return nil
}

// newPlayer makes a player of so many nodes.
func newPlayer(kubeconfig string, nodes int, has v1.ResourceList, step time.Duration) (*player, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	// A test waits for what is played, so nothing holds it back.
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for place := range nodes {
		names[fmt.Sprintf("fixture-%d", place+1)] = true
	}
	limiter := workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]()
	queue := workqueue.NewTypedRateLimitingQueue(limiter)
	return &player{client: client, nodes: names, has: has, queue: queue, step: step}, nil
}

// names returns the names of the nodes.
func (p *player) names() []string {
	return slices.Sorted(maps.Keys(p.nodes))
}

// resources reads what a node has.
func resources(cpu, memory, pods string) (v1.ResourceList, error) {
	has := v1.ResourceList{}
	for name, text := range map[v1.ResourceName]string{
		v1.ResourceCPU: cpu, v1.ResourceMemory: memory, v1.ResourcePods: pods, v1.ResourceEphemeralStorage: "1Ti",
	} {
		quantity, err := resource.ParseQuantity(text)
		if err != nil {
			return nil, fmt.Errorf("`%s` is no quantity of %s: %w", text, name, err)
		}
		has[name] = quantity
	}
	return has, nil
}

// follow begins to move the pods of the nodes.
func (p *player) follow(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(p.client, 0)
	pods := factory.Core().V1().Pods()
	p.pods = pods.Lister()
	changed := func(object any) {
		if pod, ok := object.(*v1.Pod); ok && p.nodes[pod.Spec.NodeName] {
			p.queue.AddAfter(cache.MetaObjectToName(pod), p.step)
		}
	}
	_, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    changed,
		UpdateFunc: func(_, object any) { changed(object) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), pods.Informer().HasSynced) {
		return context.Cause(ctx)
	}
	for range workers {
		go p.work(ctx)
	}
	return nil
}

// work moves pods, one after the other.
func (p *player) work(ctx context.Context) {
	for {
		name, end := p.queue.Get()
		if end {
			return
		}
		if err := p.advance(ctx, name); err != nil {
			fmt.Fprintf(os.Stderr, "kube-fixture play: pod `%s`: %v\n", name, err)
			p.queue.AddRateLimited(name)
		} else {
			p.queue.Forget(name)
		}
		p.queue.Done(name)
	}
}

// advance moves a pod by one step; the change comes back as an event, and that is the next step.
func (p *player) advance(ctx context.Context, name cache.ObjectName) error {
	pod, err := p.pods.Pods(name.Namespace).Get(name.Name)
	if err != nil {
		return unlessOutdated(err)
	}
	api := p.client.CoreV1().Pods(pod.Namespace)
	if pod.DeletionTimestamp != nil {
		if period := pod.DeletionGracePeriodSeconds; period != nil && *period == 0 {
			return nil
		}
		options := metav1.NewDeleteOptions(0)
		options.Preconditions = metav1.NewUIDPreconditions(string(pod.UID))
		return unlessOutdated(api.Delete(ctx, pod.Name, *options))
	}
	next := nextStatus(pod, metav1.Now().Rfc3339Copy())
	if equality.Semantic.DeepEqual(next, pod.Status) {
		return nil
	}
	changed := pod.DeepCopy()
	changed.Status = next
	_, err = api.UpdateStatus(ctx, changed, metav1.UpdateOptions{})
	return unlessOutdated(err)
}

// unlessOutdated drops errors of a pod that has changed or gone since: an event tells of that, or nothing need be done.
func unlessOutdated(err error) error {
	if errors.IsNotFound(err) || errors.IsConflict(err) {
		return nil
	}
	return err
}
