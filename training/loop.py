"""The one loop: a run folder in, a trained run folder out, for every method."""

import math
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training import checkpoint, control, optim
from training.monitors import Clock, Probe, Ring, look_steps, vector_features
from training.order import Order, apportion, slice_for
from training.progress import Progress as Bar
from training.provenance import provenance
from training.setup import build_method, initialise_from, method_config, open_data, trained_names
from workbench.batches import Rows, collate, fixed_batches, to_device
from workbench.errors import UserError
from workbench.method import Batch, Mean, Phase, Progress, capabilities
from workbench.randomness import torch_stream
from workbench.run import Run, RunConfig, Stage, process_started, write_json

DTYPES = {"float32": None, "bf16": None, "float64": torch.float64}


class Divergence(Exception):
    """A loss that is not finite."""


class Trainer:
    """The state of one training process. `train(run)` makes one and runs it."""

    def __init__(self, run: Run, shared: bool = False, resume: bool = False) -> None:
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs

        self.run, self.shared = run, shared
        self.config = RunConfig.parse(run.config, str(run.path / "config.yaml"))
        self.device_type = "cpu" if self.config.device == "cpu" or not torch.cuda.is_available() else "cuda"
        if self.config.device == "cuda" and self.device_type == "cpu":
            raise UserError(f"{run.id}: device: cuda asked for and none found; set device: cpu or start it on a GPU machine")
        self.precision = self.config.precision or ("bf16" if self.device_type == "cuda" else "float32")
        chosen, parsed = method_config(self.config.method)
        self.data = open_data(self.config, chosen)
        self.method = build_method(self.config)
        self.init_report = initialise_from(self.method, self.config.init_from)
        unused = len(self.method.phases) > 1 or self.method.unused_parameters
        handler = DistributedDataParallelKwargs(find_unused_parameters=unused, broadcast_buffers=False)
        self.accelerator = Accelerator(
            mixed_precision="bf16" if self.precision == "bf16" else "no", cpu=self.device_type == "cpu", kwargs_handlers=[handler]
        )
        self.dtype = DTYPES[self.precision]
        if self.dtype is not None:
            self.method.to(self.dtype)
        self.device, self.rank, self.world = self.accelerator.device, self.accelerator.process_index, self.accelerator.num_processes
        self.stages = list(self.config.stages)
        trained = [trained_names(self.method, stage.trainable) for stage in self.stages]
        self.trained, self.ever = trained, sorted({name for names in trained for name in names})
        self.frozen = {name for name, _ in self.method.named_parameters()} - set(self.ever)
        self.method.to(self.device)
        self.base_weights = {name: float(value) for name, value in self.method.weight.named_buffers()}
        self.optimizers = optim.build(self.method, self.config.optimizers, self.ever)
        self.model = self.accelerator.prepare_model(self.method) if self.world > 1 or self.precision == "bf16" else self.method
        self.rows = Rows(chosen, parsed, self.data.datasets, self.config.seed)
        self.fixed_rows = Rows(chosen, parsed, self.data.datasets, 0, "fixed", augment=False)
        self.separate = any(need.startswith("source:") for need in chosen.needs)
        self.order = Order(self.config.seed, self.data.train, self.config.batch * self.config.accumulate * self.world, self.separate)
        self.ring, self.clock = Ring(), Clock()
        self.step, self.knobs, self.best = 0, {}, None
        self.status: dict[str, Any] = {}
        self.stopping: str | None = None
        if resume:
            self.restore()

    # -- where we are ----------------------------------------------------------------------------------------------------

    def stage_at(self, step: int) -> tuple[int, int]:
        """Index of the stage of 0-based `step` and its first step."""
        first = 0
        for index, stage in enumerate(self.stages):
            if step < first + stage.steps:
                return index, first
            first += stage.steps
        return len(self.stages) - 1, first - self.stages[-1].steps

    def shares(self, index: int) -> list[tuple[int, dict[str, int]]]:
        """First step and rows per source of every stage up to `index`."""
        found, first = [], 0
        for stage in self.stages[: index + 1]:
            weights = {
                name: stage.data.get(name, source.weight) if stage.data else source.weight for name, source in self.config.data.items()
            }
            rows = dict.fromkeys(weights, self.order.rows) if self.separate else apportion(weights, self.order.rows)
            found.append((first, rows))
            first += stage.steps
        return found

    def enter_stage(self, index: int) -> None:
        """Freeze and unfreeze, set loss weights and optimizer fields of a stage."""
        stage = self.stages[index]
        names = set(self.trained[index])
        self.stage_index, self.stage = index, stage
        self.trainable = {name: parameter for name, parameter in self.method.named_parameters() if name in names}
        for name, parameter in self.method.named_parameters():
            parameter.requires_grad_(name in names)
        for name, buffer in self.method.weight.named_buffers():
            buffer.fill_(self.knobs.get(f"method.weights.{name}", stage.weights.get(name, self.base_weights[name])))
        self.optimizer_configs = {
            name: type(config).parse(config.to_dict() | stage.optimizers.get(name, {}), f"stage {stage.name}: optimizers.{name}")
            for name, config in self.config.optimizers.items()
        }
        for path, value in self.knobs.items():
            self.turn(path, value)
        self.set_modes()

    def set_modes(self) -> None:
        """Training mode, but eval for parts that are frozen whole: their batch statistics stand still too."""
        self.model.train()
        for module in self.method.modules():
            own = list(module.parameters(recurse=False))
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()

    # -- one step --------------------------------------------------------------------------------------------------------

    def batches(self, step: int) -> list[Batch]:
        """This rank's micro-batches of a step."""
        return next(self.loader) if self.config.workers else self.make_batches(step)

    def make_batches(self, step: int) -> list[Batch]:
        rows = self.order.step(step, self.shares(self.stage_at(step)[0]))
        if self.separate:
            return [self.separated(rows, micro) for micro in range(self.config.accumulate)]
        wanted = [slice_for(rows, micro, self.rank, self.config.batch, self.world) for micro in range(self.config.accumulate)]
        return [collate([self.rows[address] for address in part]) for part in wanted]

    def separated(self, rows: list[Any], micro: int) -> Batch:
        """One batch per source under `sources`; the first source's fields stand at the top too."""
        parts = {}
        for name in self.config.data:
            own = [address for address in rows if address.source == name]
            parts[name] = collate([self.rows[address] for address in slice_for(own, micro, self.rank, self.config.batch, self.world)])
        return parts[self.data.main] | {"sources": parts}  # type: ignore[operator]

    def batch_stream(self, start: int) -> Iterator[list[Batch]]:
        """Batches from data workers, in step order."""
        steps = range(start, self.config.steps)
        loader = torch.utils.data.DataLoader(
            _Steps(self, steps), batch_size=None, num_workers=self.config.workers, persistent_workers=False, prefetch_factor=2
        )
        yield from loader

    def train_step(self, batches: list[Batch]) -> dict[str, Any]:
        """All active phases of one step; returns the metrics record's values."""
        active = [phase for phase in self.method.phases if self.step % phase.every == 0]
        last = {phase.optimizer: phase.name for phase in active}
        logged: dict[str, Any] = {"terms": {}, "scalars": {}, "lr": {}}
        total, norms = 0.0, []
        batches = [to_device(batch, self.device, self.dtype) for batch in batches]
        for phase in active:
            self.require_gradients(phase)
            sums = self.backward(phase, batches, logged, hold=last[phase.optimizer] != phase.name)
            for name, (value, weight) in sums.items():
                logged["terms"][name] = value
                total += weight * value
            if last[phase.optimizer] == phase.name:
                norms.append(self.update(phase.optimizer, logged))
        if len({phase.optimizer for phase in self.method.phases}) > 1:
            for name, parameter in self.method.named_parameters():
                parameter.requires_grad_(name in self.trainable)
        index, first = self.stage_index, self.stage_first
        self.method.after_step(Progress(self.step + 1, self.config.steps, self.stages[index].name))
        del first
        return {"loss": total, **logged, "grad_norm": math.sqrt(sum(norm**2 for norm in norms))}

    def require_gradients(self, phase: Phase) -> None:
        """Only the parameters of this phase's optimizer are differentiated."""
        if len({each.optimizer for each in self.method.phases}) == 1:
            return
        own = {id(parameter) for group in self.optimizers[phase.optimizer].param_groups for parameter in group["params"]}
        for name, parameter in self.method.named_parameters():
            parameter.requires_grad_(name in self.trainable and id(parameter) in own)

    def backward(self, phase: Phase, batches: list[Batch], logged: dict[str, Any], hold: bool) -> dict[str, tuple[float, float]]:
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
                self.check_terms(output.terms, phase, weights)
                if micro == 0:
                    totals = self.global_counts(output.terms, declared, len(batches))
                    first_counts = {name: float(term.count) for name, term in output.terms.items()}
                elif declared[0] is None:
                    for name, term in output.terms.items():
                        if float(term.count) != first_counts[name]:
                            raise UserError(
                                f"{self.run.id}: term {name} counts {first_counts[name]:g} then {float(term.count):g} in one step; "
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
            self.bad_batch = [key for batch in batches for key in batch["key"]]
            raise Divergence(f"term {broken[0]} of phase {phase.name} is {found[broken[0]][0]} at step {self.step}")
        return found

    def check_terms(self, terms: Mapping[str, Mean], phase: Phase, weights: Mapping[str, float]) -> None:
        declared = set(self.method.terms[phase.name])
        if set(terms) - declared or any(weights[name] != 0 for name in declared - set(terms)):
            raise UserError(
                f"method {self.config.method['name']}: phase {phase.name} returned terms {sorted(terms)}, declared {sorted(declared)}"
            )

    def global_counts(self, terms: Mapping[str, Mean], declared: list[Any], micro: int) -> dict[str, Tensor]:
        """Divisor of every term over micro-batches and ranks: at least 1."""
        names = list(terms)
        own = [sum(counts[name] for counts in declared) if declared[0] is not None else float(terms[name].count) * micro for name in names]
        counts = torch.tensor(own, dtype=torch.float64 if self.device.type == "cpu" else torch.float32, device=self.device)
        if self.world > 1:
            counts = self.accelerator.reduce(counts, "sum")
        return {name: counts[place].clamp(min=1) for place, name in enumerate(names)}

    def update(self, name: str, logged: dict[str, Any]) -> float:
        """One optimizer step; returns its gradient norm."""
        optimizer, config = self.optimizers[name], self.optimizer_configs[name]
        optim.drop_held_gradients(optimizer)
        norm = float(optim.gradient_norm(optimizer, config.clip))
        if not math.isfinite(norm):
            optimizer.zero_grad(set_to_none=True)
            raise Divergence(f"the gradient norm of optimizer {name} is {norm} at step {self.step}")
        logged["lr"][name] = optim.apply_rates(optimizer, config, self.step - self.stage_first, self.stage.steps)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return norm

    # -- the run ---------------------------------------------------------------------------------------------------------

    def train(self) -> str:
        """Run to the end, a stop, or an error; returns the final state."""
        self.announce()
        previous = signal.getsignal(signal.SIGTERM)
        if threading.current_thread() is threading.main_thread() and not self.shared:
            signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", self.stopping or "SIGTERM"))
        beat = Heartbeat(self.run.path / "heartbeat") if self.rank == 0 else nullcontext()
        try:
            with beat, self.open_logs():
                return self.steps()
        except BaseException as error:
            sentence = str(error) if isinstance(error, UserError | Divergence | OSError) else f"{type(error).__name__}: {error}"
            self.write_status(state="failed", error=sentence)
            raise
        finally:
            if threading.current_thread() is threading.main_thread() and not self.shared:
                signal.signal(signal.SIGTERM, previous)

    def steps(self) -> str:
        steps, batch_bytes = self.config.steps, 4 * sum(parameter.numel() for parameter in self.method.parameters())
        snapshots = set(checkpoint.snapshot_steps(self.config.snapshots, steps, batch_bytes)[0])
        looks = look_steps(steps, self.config.monitors.every)
        self.probe = Probe(self.config, self.method, self.data, self.fixed_rows, self.device, self.dtype) if self.rank == 0 else None
        size = min(self.config.batch, len(self.data.validation))
        chosen = self.data.validation[: size * self.config.validation.batches]
        self.val_batches = [] if self.separate or not size else fixed_batches(self.fixed_rows, self.data.main, chosen, size)
        self.val_batches = [batch for batch in self.val_batches if len(batch["key"]) == size]
        if self.rank == 0 and not (self.run.path / "artifacts/references.json").is_file():
            self.probe.references(
                self.run.path / "artifacts/references.json", dict(getattr(self.method, "levels", lambda batch: {})(self.config.batch))
            )
        self.clock.lap("setup")
        self.moment(self.step, snapshots, looks, fresh=True)
        index, self.stage_first = self.stage_at(self.step)
        self.enter_stage(index)
        self.loader = self.batch_stream(self.step) if self.config.workers else None
        bar = Bar(steps, self.step, self.run.title, enabled=self.rank == 0 and not self.shared)
        while self.step < steps:
            index, self.stage_first = self.stage_at(self.step)
            if index != self.stage_index:
                self.enter_stage(index)
                self.event("stage", stage=self.stage.name)
            self.obey()
            if self.stopping:
                return self.halt()
            self.clock.lap("rest")
            batches = self.batches(self.step)
            data_seconds = self.clock.lap("data")
            try:
                record = self.train_step(batches)
            except Divergence as error:
                self.black_box(error)
                if self.config.on_nan == "stop":
                    raise
                record = None
            step_seconds = self.clock.lap("step")
            self.step += 1
            if record is not None and (self.step % self.config.log_every == 0 or self.step == steps):
                timing = {"step_seconds": step_seconds, "data_seconds": data_seconds}
                self.log({"kind": "train", "step": self.step, "stage": self.stage.name, **record, "time": time.time(), "timing": timing})
            bar.update(self.step, record["loss"] if record else math.nan, step_seconds + data_seconds)
            self.moment(self.step, snapshots, looks)
            self.progress_status(record, step_seconds + data_seconds)
        self.save_checkpoint()
        self.event("finished")
        self.write_status(state="finished", eta_seconds=0)
        bar.close()
        return "finished"

    def moment(self, step: int, snapshots: set[int], looks: set[int], fresh: bool = False) -> None:
        """What happens between steps: snapshot, look, validation, checkpoint."""
        if fresh and step > 0:
            return  # resumed: this moment is already on disk
        self.clock.lap("rest")
        if self.rank == 0 and step in snapshots:
            path = self.run.path / f"snapshots/step-{step}"
            checkpoint.write_folder(path, checkpoint.own_state(self.method, self.frozen))
            self.event("snapshot")
        self.clock.lap("snapshot")
        read = {}
        if self.rank == 0 and step in looks and self.probe.features:
            read = self.probe.look(self.run.path / f"artifacts/step-{step}", step, interval=step in (0, self.config.steps))
            self.event("look")
            ring = self.ring.summary()
            if ring:
                self.log({"kind": "ring", "step": step, "features": ring, "time": time.time()})
        self.clock.lap("look")
        if step == 0 or step % self.config.validation.every == 0 or step == self.config.steps or step in looks:
            self.validate(step, read)
        self.clock.lap("validation")
        if step and step % self.config.checkpoint_every == 0 and step < self.config.steps:
            self.save_checkpoint()
        self.clock.lap("checkpoint")

    @torch.no_grad()
    def validate(self, step: int, read: Mapping[str, float]) -> None:
        """All terms on fixed batches, in eval mode."""
        if not self.val_batches or self.rank:
            return
        self.method.eval()
        sums: dict[str, float] = {}
        for number, batch in enumerate(self.val_batches):
            batch = to_device(batch, self.device, self.dtype)
            for phase in self.method.phases:
                with torch_stream(0, "validation", 0, f"{phase.name}/{number}"):
                    output = self.method(batch, phase.name)
                for name, term in output.terms.items():
                    sums[name] = sums.get(name, 0.0) + float(term.sum) / max(float(term.count), 1.0) / len(self.val_batches)
        loss = sum(float(getattr(self.method.weight, name)) * value for name, value in sums.items())
        record = {"kind": "val", "step": step, "loss": loss, "terms": sums} | ({"probe": dict(read)} if read else {})
        self.log(record | {"time": time.time()})
        self.keep_best(step, record)
        if hasattr(self, "stage_index"):
            self.set_modes()
        else:
            self.method.train()

    def keep_best(self, step: int, record: dict[str, Any]) -> None:
        """Remember the step whose validation metric is best; the next checkpoint keeps it."""
        name = self.config.validation.best
        flat = {"loss": record["loss"], **{f"terms.{key}": value for key, value in record["terms"].items()}}
        flat |= {f"probe.{key}": value for key, value in record.get("probe", {}).items()}
        if name not in flat:
            if name.startswith("probe.") and not record.get("probe"):
                return  # no look at this step
            raise UserError(f"validation.best: no metric {name!r}; the metrics are {sorted(flat)}")
        sign = 1 if self.config.validation.mode == "max" else -1
        if step and (self.best is None or sign * flat[name] > sign * self.best["value"]):
            self.best = {"step": step, "metric": name, "value": flat[name]}
            folder = self.run.path / "checkpoints"
            if step % self.config.checkpoint_every == 0 or step == self.config.steps:
                return  # a checkpoint of this step follows anyway
            checkpoint.write_folder(folder / "best", checkpoint.own_state(self.method, self.frozen))

    # -- commands, files -------------------------------------------------------------------------------------------------

    def obey(self) -> None:
        """Carry out what the inbox asks; rank 0 reads, all ranks follow."""
        commands = [(path, command) for path, command in control.pending(self.run.path / "control")] if self.rank == 0 else []
        plain = [command for _, command in commands]
        if self.world > 1:
            from accelerate.utils import broadcast_object_list

            holder = [plain, self.stopping]
            broadcast_object_list(holder)
            plain, self.stopping = holder
        for place, command in enumerate(plain):
            outcome, reason = self.carry_out(command)
            if self.rank == 0:
                path = commands[place][0]
                control.refuse(path, command, reason) if reason else control.acknowledge(path, command, step=self.step, **outcome)

    def carry_out(self, command: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        name = command["command"]
        if name == "stop":
            self.stopping = self.stopping or "asked"
            return {}, None
        if name == "checkpoint":
            self.save_checkpoint()
            return {}, None
        if name == "set":
            try:
                before = self.turn(str(command.get("name")), command.get("value"))
            except UserError as error:
                return {}, str(error)
            self.knobs[str(command["name"])] = float(command["value"])
            self.event("knob", name=command["name"], **{"from": before, "to": float(command["value"])})
            return {"from": before}, None
        return {}, f"unknown command {name!r}; known: stop, checkpoint, set"

    def turn(self, path: str, value: Any) -> float:
        """Set a live field; returns its value before. Raises UserError for what is not live."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise UserError(f"{path}: expected a finite number, got {value!r}")
        part, _, rest = path.partition(".")
        if part == "method" and rest.startswith("weights.") and rest[8:] in self.base_weights:
            buffer = getattr(self.method.weight, rest[8:])
            before = float(buffer)
            buffer.fill_(float(value))
            return before
        name, _, field = rest.rpartition(".")
        if part == "optimizers" and field == "lr" and name in self.optimizer_configs:
            before = self.optimizer_configs[name].lr
            self.optimizer_configs[name] = type(self.optimizer_configs[name]).parse(
                self.optimizer_configs[name].to_dict() | {"lr": value}, f"optimizers.{name}"
            )
            return before
        if part == "groups" and field == "lr_scale":
            for optimizer in self.optimizers.values():
                group = optim.groups_by_label(optimizer).get(name)
                if group is not None and value >= 0:
                    before = group["lr_scale"]
                    group["lr_scale"] = float(value)
                    return before
        live = [f"method.weights.{key}" for key in self.base_weights] + [f"optimizers.{key}.lr" for key in self.optimizers]
        live += [f"groups.{label}.lr_scale" for each in self.optimizers.values() for label in optim.groups_by_label(each)]
        raise UserError(f"{path}: not a live field of this run; live are {', '.join(live)}")

    def halt(self) -> str:
        """A stop that was asked for: checkpoint, say so, end."""
        self.save_checkpoint()
        self.event("stop", reason=self.stopping)
        self.write_status(state="stopped")
        return "stopped"

    def save_checkpoint(self) -> None:
        if self.rank:
            return
        folder = self.run.path / "checkpoints"
        private = {
            "step": self.step,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "ring": self.ring.parts,
            "knobs": self.knobs,
            "best": self.best,
            "world": self.world,
        }
        checkpoint.write_folder(folder / f"step-{self.step}", checkpoint.own_state(self.method, self.frozen), private)
        checkpoint.prune(folder, keep=2, best=self.best["step"] if self.best else None)
        self.event("checkpoint")

    def restore(self) -> None:
        """Continue from the newest whole checkpoint; from the start weights where there is none."""
        steps = self.run.steps_of("checkpoints")
        path = self.run.path
        if steps:
            folder = path / f"checkpoints/step-{steps[-1]}"
            state = checkpoint.read_state(folder)
            if state["world"] != self.world:
                raise UserError(f"{self.run.id}: was trained by {state['world']} processes, resumed by {self.world}; start as many")
            checkpoint.load_weights(self.method, folder, path)
            for name, optimizer in self.optimizers.items():
                optimizer.load_state_dict(state["optimizers"][name])
            self.step, self.knobs, self.best = state["step"], state["knobs"], state["best"]
            self.ring.parts = dict(state["ring"])
        metrics = path / "metrics.jsonl"
        if metrics.is_file() and not metrics.read_bytes().endswith(b"\n") and metrics.stat().st_size:
            with open(metrics, "ab") as file:
                file.write(b"\n")  # ends the line that the crash tore
        size = metrics.stat().st_size if metrics.is_file() else 0
        self.resumed_from = {"step": self.step if steps else -1, "metrics_bytes": size}

    @contextmanager
    def open_logs(self) -> Iterator[None]:
        path = self.run.path
        with open(path / "metrics.jsonl", "a", buffering=1) as self.metrics, open(path / "events.jsonl", "a", buffering=1) as self.events:
            resumed = getattr(self, "resumed_from", None)
            if self.rank == 0:
                (self.event("resumed", **resumed)) if resumed else self.event("launched")
            yield

    def log(self, record: dict[str, Any]) -> None:
        if self.rank == 0:
            self.metrics.write(_line(record))

    def event(self, name: str, **more: Any) -> None:
        if self.rank == 0:
            self.events.write(_line({"event": name, "step": self.step, "time": time.time()} | more))

    def announce(self) -> None:
        """Status and provenance before the first step."""
        if self.rank:
            return
        frozen = checkpoint.keep_frozen(self.run.path, self.method, self.frozen)
        more = {"init_from": self.init_report, "frozen": frozen, "precision": self.precision, "world": self.world}
        hashes = {name: dataset.data_hash for name, dataset in self.data.datasets.items()}
        parameters = sum(parameter.numel() for parameter in self.method.parameters())
        trainable = sum(parameter.numel() for name, parameter in self.method.named_parameters() if name in set(self.ever))
        notes = ["batch statistics are per process"] if self.world > 1 and self.device.type == "cpu" else []
        if self.config.accumulate > 1:
            notes.append("accumulation does not enlarge the negatives of a contrastive loss")
        write_json(self.run.path / "provenance.json", provenance(hashes, self.device) | more | {"notes": notes})
        first = self.data.first
        self.status = dict(self.run.status) | {
            "phases": [phase._asdict() for phase in self.method.phases],
            "terms": {phase: list(names) for phase, names in self.method.terms.items()},
            "features": dict(self.method.features),
            "capabilities": capabilities(self.method),
            "label_names": list(first.label_names),
            "terms_of_use": first.terms,
            "data_hash": first.data_hash,
            "parameters": {"total": parameters, "trainable": trainable},
            "weights": self.base_weights,
            "process": "shared" if self.shared else "own",
            "error": None,
        }
        self.write_status(
            state="running", host=socket.gethostname(), pid=os.getpid(), started=process_started(os.getpid()), step=self.step, notes=notes
        )

    def write_status(self, **changes: Any) -> None:
        if self.rank == 0:
            self.status |= {"step": self.step, "updated": time.time()} | changes
            write_json(self.run.path / "status.json", self.status)
            self.last_status = time.monotonic()

    def progress_status(self, record: dict[str, Any] | None, seconds: float) -> None:
        """Status at most twice a second: a list of runs need not be newer."""
        self.rate = 0.9 * getattr(self, "rate", seconds) + 0.1 * seconds
        if time.monotonic() - self.last_status > 0.5:
            metrics = {"loss": record["loss"], **record["terms"]} if record else {}
            self.write_status(
                stage=self.stage.name, metrics=metrics, eta_seconds=self.rate * (self.config.steps - self.step), rate=1 / self.rate
            )

    def black_box(self, error: Divergence) -> None:
        """What led to a loss that is not finite: keys, gradients, last spectra."""
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        finite = {name: bool(torch.isfinite(value).all()) for name, value in self.method.named_parameters()}
        norms = {name: float(value.detach().norm()) for name, value in self.method.named_parameters()}
        box = {"error": str(error), "step": self.step, "keys": getattr(self, "bad_batch", []), "finite": finite, "parameter_norms": norms}
        folder = self.run.path / f"artifacts/step-{self.step}"
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "black-box.json", box | {"ring": self.ring.summary()})
        self.event("nan", error=str(error), policy=self.config.on_nan)


class _Steps(torch.utils.data.Dataset):
    """Data workers' view of a run: item = all micro-batches of one step."""

    def __init__(self, trainer: Trainer, steps: range) -> None:
        self.make, self.steps = trainer.make_batches, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, place: int) -> list[Batch]:
        return self.make(self.steps[place])


class Heartbeat:
    """Touches a file every ten seconds from a thread, so that a long step does not look like death."""

    def __init__(self, path: Path, seconds: float = 10.0) -> None:
        self.path, self.seconds, self.done = path, seconds, threading.Event()

    def __enter__(self) -> None:
        self.path.touch()
        self.thread = threading.Thread(target=self.beat, daemon=True)
        self.thread.start()

    def beat(self) -> None:
        while not self.done.wait(self.seconds):
            self.path.touch()

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()


def _line(record: dict[str, Any]) -> str:
    import json

    return json.dumps(record) + "\n"


def train(run: Run, resume: bool = False, shared: bool = False) -> str:
    """Train a run folder to its end; `resume` continues from the newest checkpoint, bit for bit. Returns the final state."""
    return Trainer(run, shared, resume).train()


__all__ = ["Divergence", "Stage", "Trainer", "train"]
