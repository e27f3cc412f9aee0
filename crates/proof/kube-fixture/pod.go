package main

import (
	"fmt"
	"hash/fnv"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Annotations of a pod by which a test says what becomes of it.
const (
	// phaseAnnotation ends a pod: its value is `Failed` or `Succeeded`.
	phaseAnnotation = "kube-fixture/phase"
	// waitingAnnotation holds the containers of a pod; its value is the reason, such as `ImagePullBackOff`.
	waitingAnnotation = "kube-fixture/waiting"
	// answersAnnotation has the containers of a pod pass their probes, which nobody answers else; its value is `true`.
	answersAnnotation = "kube-fixture/answers"
	// addressAnnotation is the address of a pod, at which a test answers for it.
	addressAnnotation = "kube-fixture/address"
)

// stepper makes the next status of a pod.
type stepper struct {
	pod    *v1.Pod
	status v1.PodStatus
	now    metav1.Time
}

// nextStatus is what a kubelet would report of a pod after what it has reported; nothing changes at the end of its way.
//
// A pod is taken over, its init containers run; they complete and its containers start; all are ready but for those that
// are asked whether they are, since no container is run that could answer.
func nextStatus(pod *v1.Pod, now metav1.Time) v1.PodStatus {
	step := &stepper{pod: pod, status: *pod.Status.DeepCopy(), now: now}
	if over(pod.Status.Phase) {
		return step.status
	}
	step.status.ObservedGeneration = pod.Generation
	step.condition(v1.PodScheduled, true, "")
	ending := v1.PodPhase(pod.Annotations[phaseAnnotation])
	reason, held := pod.Annotations[waitingAnnotation]
	switch {
	case pod.Status.StartTime == nil:
		step.takeOver()
	case over(ending):
		step.finish(ending)
	case held:
		step.hold(reason)
	case !isRunning(pod.Status):
		step.start()
	default:
		step.makeReady()
	}
	return step.status
}

// over is whether a pod in a phase has ended for good.
func over(phase v1.PodPhase) bool {
	return phase == v1.PodFailed || phase == v1.PodSucceeded
}

// isRunning is whether the containers of a pod were started.
func isRunning(status v1.PodStatus) bool {
	for _, one := range status.ContainerStatuses {
		if one.State.Running == nil {
			return false
		}
	}
	return len(status.ContainerStatuses) > 0
}

// takeOver gives the pod its addresses, and runs its init containers.
func (s *stepper) takeOver() {
	ip, given := s.pod.Annotations[addressAnnotation]
	if !given {
		ip = podIP(s.pod.UID)
	}
	s.status.StartTime = &s.now
	s.status.HostIP, s.status.HostIPs = nodeIP, []v1.HostIP{{IP: nodeIP}}
	s.status.PodIP, s.status.PodIPs = ip, []v1.PodIP{{IP: ip}}
	s.status.Phase = v1.PodPending
	reason := "ContainerCreating"
	if len(s.pod.Spec.InitContainers) > 0 {
		reason = "PodInitializing"
	}
	s.initContainers(func(v1.Container, v1.ContainerState) v1.ContainerState { return s.running(v1.ContainerState{}) })
	s.containers(false, waiting(reason))
	s.condition(v1.PodReadyToStartContainers, true, "")
	s.condition(v1.PodInitialized, len(s.pod.Spec.InitContainers) == 0, "ContainersNotInitialized")
	s.unready("ContainersNotReady")
}

// start ends the init containers and runs the others.
func (s *stepper) start() {
	s.initialize()
	s.status.Phase = v1.PodRunning
	s.containers(false, s.running)
	s.unready("ContainersNotReady")
}

// makeReady says that the containers are ready of which nobody asks whether they are.
func (s *stepper) makeReady() {
	s.containers(true, s.running)
	for _, container := range s.pod.Spec.Containers {
		if !s.answers(container) {
			s.unready("ContainersNotReady")
			return
		}
	}
	s.condition(v1.ContainersReady, true, "")
	s.condition(v1.PodReady, true, "")
}

// answers is whether a container passes its probes.
func (s *stepper) answers(container v1.Container) bool {
	isAsked := container.StartupProbe != nil || container.ReadinessProbe != nil
	return !isAsked || s.pod.Annotations[answersAnnotation] == "true"
}

// hold lets the containers wait; the pod stays in its phase, as one does whose container cannot start again.
func (s *stepper) hold(reason string) {
	s.initialize()
	s.containers(false, waiting(reason))
	s.unready("ContainersNotReady")
}

// finish ends all containers.
func (s *stepper) finish(phase v1.PodPhase) {
	code, reason, why := int32(0), "Completed", "PodCompleted"
	if phase == v1.PodFailed {
		code, reason, why = 1, "Error", "PodFailed"
	}
	s.initContainers(func(_ v1.Container, old v1.ContainerState) v1.ContainerState {
		return s.terminated(old, 0, "Completed")
	})
	s.status.Phase = phase
	s.containers(false, func(old v1.ContainerState) v1.ContainerState { return s.terminated(old, code, reason) })
	s.condition(v1.PodInitialized, true, "")
	s.unready(why)
}

// initialize ends the init containers, except for those that run beside the others.
func (s *stepper) initialize() {
	s.initContainers(func(container v1.Container, old v1.ContainerState) v1.ContainerState {
		if staysBeside(container) {
			return s.running(old)
		}
		return s.terminated(old, 0, "Completed")
	})
	s.condition(v1.PodInitialized, true, "")
}

// staysBeside is whether an init container runs on beside the containers of its pod.
func staysBeside(container v1.Container) bool {
	return container.RestartPolicy != nil && *container.RestartPolicy == v1.ContainerRestartPolicyAlways
}

// initContainers puts every init container into a state.
func (s *stepper) initContainers(state func(v1.Container, v1.ContainerState) v1.ContainerState) {
	old := s.status.InitContainerStatuses
	s.status.InitContainerStatuses = nil
	for _, container := range s.pod.Spec.InitContainers {
		before := find(old, container.Name)
		after := report(container, before, state(container, before.State))
		// One that has completed counts as ready.
		after.Ready = after.State.Terminated != nil || staysBeside(container)
		s.status.InitContainerStatuses = append(s.status.InitContainerStatuses, after)
	}
}

// containers puts every container into a state.
func (s *stepper) containers(ready bool, state func(v1.ContainerState) v1.ContainerState) {
	old := s.status.ContainerStatuses
	s.status.ContainerStatuses = nil
	for _, container := range s.pod.Spec.Containers {
		before := find(old, container.Name)
		after := report(container, before, state(before.State))
		after.Ready = ready && s.answers(container)
		if container.StartupProbe != nil && !s.answers(container) {
			after.Started = new(bool)
		}
		s.status.ContainerStatuses = append(s.status.ContainerStatuses, after)
	}
}

// report is what is said of a container that is in a state now.
func report(container v1.Container, old v1.ContainerStatus, state v1.ContainerState) v1.ContainerStatus {
	started := state.Running != nil
	status := v1.ContainerStatus{
		Name: container.Name, Image: container.Image, State: state, Started: &started,
		LastTerminationState: old.LastTerminationState, RestartCount: old.RestartCount,
	}
	if state.Waiting == nil {
		status.ImageID = "fixture://" + container.Image
		status.ContainerID = "fixture://" + container.Name
	}
	return status
}

// find returns what was said of a container, or nothing.
func find(statuses []v1.ContainerStatus, name string) v1.ContainerStatus {
	for _, one := range statuses {
		if one.Name == name {
			return one
		}
	}
	return v1.ContainerStatus{}
}

// waiting is the state of a container that waits.
func waiting(reason string) func(v1.ContainerState) v1.ContainerState {
	return func(v1.ContainerState) v1.ContainerState {
		return v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: reason}}
	}
}

// running is the state of a container that runs, and since when.
func (s *stepper) running(old v1.ContainerState) v1.ContainerState {
	if old.Running != nil {
		return old
	}
	return v1.ContainerState{Running: &v1.ContainerStateRunning{StartedAt: s.now}}
}

// terminated is the state of a container that has ended; one that had ended before stays as it is.
func (s *stepper) terminated(old v1.ContainerState, code int32, reason string) v1.ContainerState {
	if old.Terminated != nil {
		return old
	}
	since := s.now
	if old.Running != nil {
		since = old.Running.StartedAt
	}
	ended := &v1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: since, FinishedAt: s.now}
	return v1.ContainerState{Terminated: ended}
}

// unready says that neither the containers nor the pod are ready.
func (s *stepper) unready(reason string) {
	s.condition(v1.ContainersReady, false, reason)
	s.condition(v1.PodReady, false, reason)
}

// condition says whether a condition holds, and why if it does not.
func (s *stepper) condition(kind v1.PodConditionType, holds bool, reason string) {
	next := v1.PodCondition{Type: kind, Status: v1.ConditionTrue, LastTransitionTime: s.now}
	next.ObservedGeneration = s.pod.Generation
	if !holds {
		next.Status, next.Reason = v1.ConditionFalse, reason
	}
	for place, old := range s.status.Conditions {
		if old.Type != kind {
			continue
		}
		if old.Status == next.Status {
			next.LastTransitionTime = old.LastTransitionTime
		}
		s.status.Conditions[place] = next
		return
	}
	s.status.Conditions = append(s.status.Conditions, next)
}

// podIP is an address for a pod that no machine answers at; loopback addresses cannot be those of endpoints.
func podIP(uid types.UID) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(uid))
	sum := hash.Sum32()
	return fmt.Sprintf("10.244.%d.%d", sum>>8&0xff, 1+sum%254)
}
