"""The guest's side of the wire: these files run inside the WebAssembly runner, never in the host.

They lie in the host's package so that the same linters, types and tests cover them; `_build` bakes them into the
runner together with the authoring layer.
"""
