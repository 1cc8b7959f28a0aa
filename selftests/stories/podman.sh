#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limits of a container of podman: see container.sh.
engine=podman
. "$(dirname "$0")/container.sh"
