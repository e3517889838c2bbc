"""Nova's libvirt driver for LXC guests that keep every capability of the host, so that Docker runs in them."""
from nova.virt.libvirt import driver


class LabDriver(driver.LibvirtDriver):
    def _get_guest_xml(self, *args, **kwargs):
        xml = super()._get_guest_xml(*args, **kwargs)
        allow = '<capabilities policy="allow"/>'
        if "<features>" in xml:
            return xml.replace("<features>", "<features>" + allow, 1)
        return xml.replace("<devices>", f"<features>{allow}</features><devices>", 1)
