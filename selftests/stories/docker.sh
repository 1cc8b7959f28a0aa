#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Limits of a container of docker: see container.sh.
engine=docker
. "$(dirname "$0")/container.sh"
