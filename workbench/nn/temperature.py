"""The temperature of a softmax over cosines."""

import math

import torch
from torch import Tensor, nn

LARGEST_SCALE = 100.0


class Temperature(nn.Module):
    """Inverse temperature, kept as its logarithm. Radford et al., CLIP, ICML 2021."""

    def __init__(self, start: float, trainable: bool) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / start)), requires_grad=trainable)

    def forward(self) -> Tensor:
        return (-self.log_scale).exp()

    @torch.no_grad()
    def clamp(self) -> None:
        """Keep the inverse at or below 100, after a step."""
        self.log_scale.clamp_(max=math.log(LARGEST_SCALE))
