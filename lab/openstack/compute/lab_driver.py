"""Nova's libvirt driver for LXC guests that keep every capability of the host, so that Docker runs in them."""
import time

import libvirt
from nova import exception
from nova.virt.libvirt import driver


class LabDriver(driver.LibvirtDriver):
    def _get_guest_xml(self, *args, **kwargs):
        xml = super()._get_guest_xml(*args, **kwargs)
        allow = '<capabilities policy="allow"/>'
        if "<features>" in xml:
            return xml.replace("<features>", "<features>" + allow, 1)
        return xml.replace("<devices>", f"<features>{allow}</features><devices>", 1)

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
