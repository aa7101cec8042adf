"""The whole chain as processes on one machine: mesh, forwarder, gateway, region. Used by script/demo and tests/e2e."""
