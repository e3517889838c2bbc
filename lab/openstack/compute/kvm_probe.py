#!/usr/bin/python3
"""Runs one instruction in a virtual machine by KVM. Ends in 0 when this machine can do it, else says why not.

/dev/kvm alone proves nothing: it is there too where the processor's virtualisation is not handed on.
"""
import ctypes
import fcntl
import mmap
import os
import struct
import sys

KVM_GET_API_VERSION, KVM_CREATE_VM, KVM_GET_VCPU_MMAP_SIZE = 0xAE00, 0xAE01, 0xAE04
KVM_CREATE_VCPU, KVM_SET_USER_MEMORY_REGION, KVM_RUN = 0xAE41, 0x4020AE46, 0xAE80
KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS = 0x8090AE81, 0x4090AE82, 0x8138AE83, 0x4138AE84
KVM_EXIT_HLT = 5
HLT = b"\xf4"

try:
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    if fcntl.ioctl(kvm, KVM_GET_API_VERSION, 0) != 12:
        sys.exit("/dev/kvm speaks another version")
    machine = fcntl.ioctl(kvm, KVM_CREATE_VM, 0)

    memory = mmap.mmap(-1, 4096)
    memory[:1] = HLT
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    fcntl.ioctl(machine, KVM_SET_USER_MEMORY_REGION, struct.pack("IIQQQ", 0, 0, 0x1000, 4096, address))

    processor = fcntl.ioctl(machine, KVM_CREATE_VCPU, 0)
    state = mmap.mmap(processor, fcntl.ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0))

    # Code segment at 0, the program counter at the page with the instruction (rip follows 16 other registers).
    sregs = bytearray(0x138)
    fcntl.ioctl(processor, KVM_GET_SREGS, sregs)
    struct.pack_into("QIH", sregs, 0, 0, 0xFFFF, 0)
    fcntl.ioctl(processor, KVM_SET_SREGS, sregs)
    fcntl.ioctl(processor, KVM_SET_REGS, struct.pack("18Q", *[0] * 16, 0x1000, 2))
    fcntl.ioctl(processor, KVM_RUN, 0)
    exit_reason = struct.unpack_from("I", state, 8)[0]
except OSError as error:
    sys.exit(f"KVM: {error.strerror}")
if exit_reason != KVM_EXIT_HLT:
    sys.exit(f"KVM ran no guest: exit reason {exit_reason}")
