"""Training of ESRGAN and its relatives: recipes, data, losses put together, checkpoints.

from esrgan_torch.train.recipe import read_recipe
from esrgan_torch.train.loop import train

train(read_recipe("smoke"), Path("runs/smoke"))
"""
