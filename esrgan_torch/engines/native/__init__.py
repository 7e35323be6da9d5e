"""A CPU engine of the project's own: Winograd's convolutions in C, run from a description of the network.

`source/` is the C library, `build` compiles it, `library` calls it, `program` describes networks to it,
`engine` makes it an `esrgan_torch.engines.base.Engine`.
"""
