module openstack-kubernetes/lab/mirror/coredns-1.13.1

go 1.26.0

require github.com/coredns/coredns v1.13.1
