"""One step of any method: its active phases, their terms divided by global counts, an update per optimizer."""

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from training import optim
from training.monitors import Ring, vector_features
from workbench.batches import to_device
from workbench.errors import UserError
from workbench.method import Batch, Mean, Method, Phase, Progress
from workbench.randomness import torch_stream
from workbench.run import Optimizer, RunConfig, Stage


class Divergence(Exception):
    """A loss or gradient that is not finite."""


class Stepper:
    """Holds a method, its optimizers and the stage it is in."""

    def __init__(
        self,
        config: RunConfig,
        method: Method,
        model: nn.Module,
        accelerator: Any,
        optimizers: dict[str, torch.optim.Optimizer],
        dtype: torch.dtype | None,
    ) -> None:
        self.config, self.method, self.model, self.accelerator, self.optimizers, self.dtype = (
            config,
            method,
            model,
            accelerator,
            optimizers,
            dtype,
        )
        self.device, self.rank, self.world = accelerator.device, accelerator.process_index, accelerator.num_processes
        self.several = len({phase.optimizer for phase in method.phases}) > 1
        self.ring = Ring()

    def enter(self, stage: Stage, first: int, trainable: Sequence[str], optimizers: dict[str, Optimizer]) -> None:
        """Begin a stage: what trains, from which step on, at which rates."""
        self.stage, self.first, self.trainable, self.rates = stage, first, set(trainable), optimizers
        for name, parameter in self.method.named_parameters():
            parameter.requires_grad_(name in self.trainable)

    def run(self, step: int, batches: list[Batch]) -> dict[str, Any]:
        """All active phases of one step; returns loss, terms, scalars, rates and gradient norm."""
        self.step = step
        active = [phase for phase in self.method.phases if step % phase.every == 0]
        last = {phase.optimizer: phase.name for phase in active}
        logged: dict[str, Any] = {"terms": {}, "scalars": {}, "lr": {}}
        total, norms = 0.0, []
        batches = [to_device(batch, self.device, self.dtype) for batch in batches]
        for phase in active:
            final = last[phase.optimizer] == phase.name
            self._differentiate(phase)
            for name, (value, weight) in self._backward(phase, batches, logged, hold=not final).items():
                logged["terms"][name] = value
                total += weight * value
            if final:
                norms.append(self._update(phase.optimizer, logged))
        if self.several:
            for name, parameter in self.method.named_parameters():
                parameter.requires_grad_(name in self.trainable)
        self.method.after_step(Progress(step + 1, self.config.steps, self.stage.name))
        return {"loss": total, **logged, "grad_norm": math.sqrt(sum(norm**2 for norm in norms))}

    def forget(self) -> None:
        """Drop the gradients of a step that failed."""
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)

    def _differentiate(self, phase: Phase) -> None:
        """Only the parameters of this phase's optimizer are differentiated."""
        if self.several:
            own = {id(parameter) for group in self.optimizers[phase.optimizer].param_groups for parameter in group["params"]}
            for name, parameter in self.method.named_parameters():
                parameter.requires_grad_(name in self.trainable and id(parameter) in own)

    def _backward(self, phase: Phase, batches: list[Batch], logged: dict[str, Any], hold: bool) -> dict[str, tuple[float, float]]:
        """Forward and backward of one phase over its micro-batches; term values and weights."""
        weights = {name: float(getattr(self.method.weight, name)) for name in self.method.terms[phase.name]}
        declared = [self.method.counts(batch, phase.name) for batch in batches] if len(batches) > 1 else [None]
        totals: dict[str, Tensor] = {}
        values: dict[str, Tensor] = {}
        first_counts: dict[str, float] = {}
        for micro, batch in enumerate(batches):
            final = micro == len(batches) - 1 and not hold
            with nullcontext() if final or self.world == 1 else self.accelerator.no_sync(self.model):
                with torch_stream(self.config.seed, "forward", self.step, f"{phase.name}/{micro}/{self.rank}"):
                    output = self.model(batch, phase.name)
                self._check(output.terms, phase, weights)
                if micro == 0:
                    totals = self._global_counts(output.terms, declared, len(batches))
                    first_counts = {name: float(term.count) for name, term in output.terms.items()}
                elif declared[0] is None:
                    for name, term in output.terms.items():
                        if float(term.count) != first_counts[name]:
                            raise UserError(
                                f"term {name} counts {first_counts[name]:g} then {float(term.count):g} in one step; "
                                "the method must declare counts() to be accumulated; set accumulate: 1"
                            )
                loss = torch.zeros((), device=self.device)
                for name, term in output.terms.items():
                    if weights[name] != 0:
                        loss = loss + getattr(self.method.weight, name) * term.sum * self.world / totals[name]
                    values[name] = values.get(name, torch.zeros((), device=self.device)) + term.sum.detach() / totals[name]
                if loss.requires_grad:
                    self.accelerator.backward(loss)
                if micro == 0:
                    logged["scalars"] |= {name: float(value) for name, value in output.scalars.items()}
                    self.ring.add(dict(output.tensors), vector_features(self.method))
        if self.world > 1:
            values = {name: self.accelerator.reduce(value, "sum") for name, value in values.items()}
        found = {name: (float(value), weights[name]) for name, value in values.items()}
        broken = [name for name, (value, _) in found.items() if not math.isfinite(value)]
        if broken:
            raise Divergence(f"term {broken[0]} of phase {phase.name} is {found[broken[0]][0]} at step {self.step}")
        return found

    def _check(self, terms: Mapping[str, Mean], phase: Phase, weights: Mapping[str, float]) -> None:
        declared = set(self.method.terms[phase.name])
        if set(terms) - declared or any(weights[name] != 0 for name in declared - set(terms)):
            name = self.config.method["name"]
            raise UserError(f"method {name}: phase {phase.name} returned terms {sorted(terms)}, declared {sorted(declared)}")

    def _global_counts(self, terms: Mapping[str, Mean], declared: list[Any], micro: int) -> dict[str, Tensor]:
        """Divisor of every term over micro-batches and ranks: at least 1."""
        names = list(terms)
        own = [sum(counts[name] for counts in declared) if declared[0] is not None else float(terms[name].count) * micro for name in names]
        counts = torch.tensor(own, dtype=torch.float64 if self.device.type == "cpu" else torch.float32, device=self.device)
        if self.world > 1:
            counts = self.accelerator.reduce(counts, "sum")
        return {name: counts[place].clamp(min=1) for place, name in enumerate(names)}

    def _update(self, name: str, logged: dict[str, Any]) -> float:
        """One optimizer step; returns its gradient norm."""
        optimizer, config = self.optimizers[name], self.rates[name]
        optim.drop_held_gradients(optimizer)
        norm = float(optim.gradient_norm(optimizer, config.clip))
        if not math.isfinite(norm):
            raise Divergence(f"the gradient norm of optimizer {name} is {norm} at step {self.step}")
        logged["lr"][name] = optim.apply_rates(optimizer, config, self.step - self.first, self.stage.steps)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return norm
