"""The dense blocks in CUDA C++ for Hopper: one tile with its halo in shared memory serves all nine taps.

Triton cannot say that a matrix product shall read shared memory one pixel further along, so its kernels load
each tile three times. Here a tap is a start address. Off until a run on such a device has shown it right and
at least 1.3 times as fast, see `tuning.HALO_CAPABILITIES`; docs/kernels.md has the analysis.
"""
