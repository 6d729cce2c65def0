"""The chart on a real kube-apiserver: `make test-k8s`."""
