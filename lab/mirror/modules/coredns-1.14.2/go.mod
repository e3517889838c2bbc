module openstack-kubernetes/lab/mirror/coredns-1.14.2

go 1.26.0

require github.com/coredns/coredns v1.14.2
