#!/usr/bin/python3
"""What the lab does as OpenStack's administrator, by Debian's own openstacksdk:

accounts   the services' account and endpoints
ready SINCE   waits until every agent and compute service has reported since SINCE (seconds of the epoch)
networks   the external network and the flavors
image KIND FOLDER NAME   the image of a kind of compute, tagged with its name
octavia NETWORK ADDRESS FILE   Octavia's endpoint and the network of its amphorae; their ids go to the file
"""
import pathlib
import sys
import time
from datetime import datetime, timezone

import openstack

ADDRESS = "http://172.24.4.1"


def accounts(cloud):
    identity = cloud.identity
    domain = identity.find_domain("default").id
    project = identity.find_project("service") or identity.create_project(name="service", domain_id=domain)
    user = identity.find_user("service") or identity.create_user(name="service", password="lab", domain_id=domain)
    for name in ("admin", "service"):
        role = identity.find_role(name) or identity.create_role(name=name)
        identity.assign_project_role_to_user(project, user, role)
    for name, kind, port in (
        ("glance", "image", "9292"),
        ("placement", "placement", "8778"),
        ("nova", "compute", "8774/v2.1"),
        ("neutron", "network", "9696"),
    ):
        endpoints(identity, name, kind, port)


def endpoints(identity, name, kind, port):
    service = identity.find_service(name) or identity.create_service(name=name, type=kind)
    there = {endpoint.interface for endpoint in identity.endpoints(service_id=service.id)}
    for interface in {"public", "internal", "admin"} - there:
        identity.create_endpoint(
            service_id=service.id, interface=interface, url=f"{ADDRESS}:{port}", region_id="RegionOne"
        )


def reported(time_text, since):
    if not time_text:
        return False
    moment = datetime.fromisoformat(str(time_text).replace(" ", "T").split(".")[0].rstrip("Z"))
    return moment.replace(tzinfo=timezone.utc).timestamp() >= since


def ready(cloud, since):
    """An old heartbeat looks alive for a minute, and what is asked of a service before it listens is lost."""
    wanted = {
        *("neutron-linuxbridge-agent", "neutron-l3-agent", "neutron-dhcp-agent", "neutron-metadata-agent"),
        *("nova-conductor", "nova-scheduler", "nova-compute"),
    }
    end = time.monotonic() + 180
    missing = wanted
    while missing and time.monotonic() < end:
        time.sleep(0.5)
        alive = {a.binary for a in cloud.network.agents() if reported(a.last_heartbeat_at, float(since))}
        alive |= {s.binary for s in cloud.compute.services() if s.state == "up" and reported(s.updated_at, float(since))}
        missing = wanted - alive
    if missing:
        sys.exit(f"no sign of life from {', '.join(sorted(missing))}")


def networks(cloud):
    network = cloud.network
    public = network.find_network("public") or network.create_network(
        name="public", is_router_external=True, provider_network_type="flat", provider_physical_network="provider"
    )
    if not network.find_subnet("public"):
        network.create_subnet(
            name="public",
            network_id=public.id,
            cidr="172.24.4.0/24",
            ip_version=4,
            is_dhcp_enabled=False,
            gateway_ip="172.24.4.1",
            allocation_pools=[{"start": "172.24.4.100", "end": "172.24.4.200"}],
        )
    for name, memory in (("node.small", 2048), ("node.medium", 3072)):
        if not cloud.compute.find_flavor(name):
            cloud.compute.create_flavor(name=name, ram=memory, vcpus=2, disk=10)


def image(cloud, kind, folder, image_name):
    folder = pathlib.Path(folder)

    def upload(name, file, disk_format, container_format, **properties):
        # An upload that was cut off is left in another state.
        for found in cloud.image.images(name=name):
            if found.status == "active":
                return found.id
            cloud.image.delete_image(found.id)
        return cloud.create_image(
            name,
            filename=str(folder / file),
            disk_format=disk_format,
            container_format=container_format,
            visibility="public",
            validate_checksum=False,
            wait=True,
            tags=[name],
            **properties,
        ).id

    if kind == "lxc":
        upload(image_name, "disk.raw", "raw", "bare")
        return
    # Without it the kernel distrusts the emulated processors' counters and reads the time from an emulated HPET, which
    # takes half of a guest's time.
    clock = " tsc=reliable" if kind == "qemu" else ""
    upload(
        image_name,
        "disk.qcow2",
        "qcow2",
        "bare",
        kernel_id=upload(f"{image_name}-kernel", "vmlinuz", "aki", "aki"),
        ramdisk_id=upload(f"{image_name}-initrd", "initrd", "ari", "ari"),
        os_command_line=f"root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off audit=0 quiet{clock}",
        hw_rng_model="virtio",
    )


def octavia(cloud, cidr, address, file):
    """Amphorae talk to Octavia by a router that leads out without address translation."""
    network, compute = cloud.network, cloud.compute
    owner = {"name": "lb-mgmt", "project_id": cloud.identity.find_project("service").id}
    private = network.find_network("lb-mgmt") or network.create_network(**owner)
    subnet = network.find_subnet("lb-mgmt") or network.create_subnet(
        network_id=private.id, cidr=cidr, ip_version=4, **owner
    )
    router = network.find_router("lb-mgmt") or network.create_router(
        external_gateway_info={
            "network_id": network.find_network("public").id,
            "enable_snat": False,
            "external_fixed_ips": [{"ip_address": address}],
        },
        **owner,
    )
    if not any(network.ports(device_id=router.id, network_id=private.id)):
        network.add_interface_to_router(router, subnet_id=subnet.id)
    group = network.find_security_group("lb-mgmt") or network.create_security_group(**owner)
    if not any(network.security_group_rules(security_group_id=group.id, direction="ingress")):
        network.create_security_group_rule(
            security_group_id=group.id,
            project_id=owner["project_id"],
            direction="ingress",
            protocol="tcp",
            port_range_min=9443,
            port_range_max=9443,
            remote_ip_prefix="172.24.4.1/32",
        )
    if not compute.find_flavor("amphora"):
        compute.create_flavor(name="amphora", id="amphora", ram=1024, vcpus=1, disk=5)
    endpoints(cloud.identity, "octavia", "load-balancer", "9876")
    pathlib.Path(file).write_text(
        f"[controller_worker]\namp_boot_network_list = {private.id}\namp_secgroup_list = {group.id}\n"
    )


commands = {"accounts": accounts, "ready": ready, "networks": networks, "image": image, "octavia": octavia}
commands[sys.argv[1]](openstack.connect(), *sys.argv[2:])
