#!/usr/bin/python3
"""PID 1 of the lab: init.py LAB. Reaps orphans; its end is the end of everything in the lab."""
import os
import time

while True:
    try:
        os.wait()
    except ChildProcessError:
        time.sleep(0.5)
