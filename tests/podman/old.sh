#!/bin/sh
# A podman that is too old.
echo podman version 3.4.4
