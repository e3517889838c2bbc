#!/usr/bin/python3
"""Neutron's DHCP agent, with a comparison mended that ends its work on a network.

Updates of ports that wait at the same time are put in order by the ports' addresses, which the news of a deleted port
does not have: KeyError 'fixed_ips', after which the agent of this release serves the network no more. A run that takes
away a killed run's ports and makes its own has both at once.
"""
# First of all: it makes Python's own modules cooperative.
from neutron.cmd.eventlet.agents.dhcp import main

from neutron.agent.dhcp.agent import DHCPResourceUpdate

by_addresses = DHCPResourceUpdate.__lt__


def is_before(self, other):
    try:
        return by_addresses(self, other)
    except KeyError:
        return super(DHCPResourceUpdate, self).__lt__(other)


DHCPResourceUpdate.__lt__ = is_before

if __name__ == "__main__":
    main()
