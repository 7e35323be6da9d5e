"""ncnn: its graphs of the networks, as files hold them and as its Vulkan code computes them."""
