"""Nova's libvirt driver for LXC guests that keep every capability of the host, so that Docker runs in them."""
import os
import time

import libvirt
import libvirt_lxc
from nova import exception
from nova.virt.libvirt import driver
from oslo_log import log

LOG = log.getLogger(__name__)


class LabDriver(driver.LibvirtDriver):
    def _get_guest_xml(self, *args, **kwargs):
        xml = super()._get_guest_xml(*args, **kwargs)
        allow = '<capabilities policy="allow"/>'
        if "<features>" in xml:
            return xml.replace("<features>", "<features>" + allow, 1)
        return xml.replace("<devices>", f"<features>{allow}</features><devices>", 1)

    def _create_guest(self, context, xml, instance, **kwargs):
        # Where several guests start at once libvirt loses the message that names one's first process, of one in about
        # twenty. Such a guest runs, but no interface can be attached to it.
        guest = super()._create_guest(context, xml, instance, **kwargs)
        for _ in range(3):
            if not guest.is_active() or first_process_is_known(guest):
                break
            LOG.warning("libvirt does not know the guest's first process: starts it anew", instance=instance)
            guest.poweroff()
            guest.launch()
        return guest

    def _destroy(self, instance):
        # On a busy machine a guest's processes take longer to die than libvirt waits. It keeps such a guest as running,
        # and Nova would wait for ever for it to end.
        for _ in range(30):
            try:
                self._host.get_guest(instance).poweroff()
            except libvirt.libvirtError as error:
                if "refused to die" in error.get_error_message():
                    time.sleep(1)
                    continue
            except exception.InstanceNotFound:
                pass
            break
        super()._destroy(instance)


def first_process_is_known(guest):
    for _ in range(5):
        try:
            for namespace in libvirt_lxc.lxcOpenNamespace(guest._domain, 0):
                os.close(namespace)
            return True
        except libvirt.libvirtError:
            time.sleep(1)
    return False
