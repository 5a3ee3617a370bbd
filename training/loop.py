"""The one loop: a run folder in, a trained run folder out, for every method."""

import math
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from training import checkpoint, control, disk, optim
from training.feed import Feed, stage_at
from training.knobs import check_stages, live_fields, of_stage, turn
from training.monitors import Clock, Probe, look_steps
from training.progress import Progress as Bar
from training.provenance import provenance
from training.recorder import Recorder
from training.setup import open_data, trained_names
from training.step import Divergence, Stepper
from training.watch import Watch
from workbench.batches import Rows, fixed_batches, to_device
from workbench.errors import UserError
from workbench.interop.weights import initialise_from
from workbench.method import capabilities
from workbench.models import build_method, load_weights, method_config
from workbench.randomness import torch_stream
from workbench.run import Run, RunConfig, Stage, write_json

RECENT = 50  # steps whose loss and gradient norm a black box holds


class Trainer:
    """The state of one training process. `train(run)` makes one and runs it."""

    def __init__(self, run: Run, shared: bool = False, resume: bool = False, root: str | None = None) -> None:
        from accelerate import Accelerator
        from accelerate.utils import DistributedDataParallelKwargs

        self.run, self.shared = run, shared
        self.config = config = RunConfig.parse(run.config, str(run.path / "config.yaml"))
        device = "cpu" if config.device == "cpu" or not torch.cuda.is_available() else "cuda"
        if config.device == "cuda" and device == "cpu":
            raise UserError(f"{run.id}: device: cuda asked for and none found; set device: cpu or start it on a GPU machine")
        self.precision = config.precision or ("bf16" if device == "cuda" else "float32")
        chosen, parsed = method_config(config.method)
        self.data = open_data(config, chosen)
        self.method = build_method(config.method, config.seed, run.id)
        self.init_report = initialise_from(self.method, config.init_from, root or run.path.parent)
        self.trained = [trained_names(self.method, stage.trainable, stage.top_layers) for stage in config.stages]
        every = {name for name, _ in self.method.named_parameters()}
        some = any(set(names) != every for names in self.trained)
        unused = len(self.method.phases) > 1 or self.method.unused_parameters or some
        handler = DistributedDataParallelKwargs(find_unused_parameters=unused, broadcast_buffers=False)
        precision = "bf16" if self.precision == "bf16" else "no"
        accelerator = Accelerator(mixed_precision=precision, cpu=device == "cpu", kwargs_handlers=[handler])
        self.rank, self.world, self.device = accelerator.process_index, accelerator.num_processes, accelerator.device
        self.dtype = torch.float64 if self.precision == "float64" else None
        self.method.to(self.device, self.dtype)
        self.ever = sorted({name for names in self.trained for name in names})
        self.frozen = every - set(self.ever)
        self.base_weights = {name: float(value) for name, value in self.method.weight.named_buffers()}
        self.base_method = self.method.config
        check_stages(config.stages, self.base_method)
        self.optimizers = optim.build(self.method, config.optimizers, self.ever)
        self.model = accelerator.prepare_model(self.method) if self.world > 1 or precision == "bf16" else self.method
        self.stepper = Stepper(config, self.method, self.model, accelerator, self.optimizers, self.dtype)
        self.separate = any(need.startswith("source:") for need in chosen.needs)
        self.feed = Feed(config, self.data, Rows(chosen, parsed, self.data.datasets, config.seed), self.separate, self.rank, self.world)
        self.fixed_rows = Rows(chosen, parsed, self.data.datasets, 0, "fixed", augment=False)
        self.recorder, self.clock = Recorder(run, silent=self.rank > 0), Clock()
        self.step = 0
        self.knobs: dict[str, float] = {}
        self.best: dict[str, Any] | None = None
        self.stopping: str | None = None
        self.keys: list[str] = []
        self.recent: deque[dict[str, float]] = deque(maxlen=RECENT)
        self.resumed_from = self.restore() if resume else None

    # -- stages ----------------------------------------------------------------------------------------------------------

    def enter_stage(self, index: int, first: int) -> None:
        """Freeze and unfreeze, set the loss weights and optimizer fields of a stage; what was turned live stays turned."""
        stage = self.config.stages[index]
        self.stage_index, self.stage = index, stage
        for name, buffer in self.method.weight.named_buffers():
            buffer.fill_(stage.weights.get(name, self.base_weights[name]))
        rates = {
            name: type(config).parse(config.to_dict() | stage.optimizers.get(name, {}), f"stage {stage.name}: optimizers.{name}")
            for name, config in self.config.optimizers.items()
        }
        self.stepper.enter(stage, first, self.trained[index], rates)
        self.method.config = of_stage(stage, self.base_method)
        for path, value in self.knobs.items():
            turn(self.method, self.optimizers, rates, path, value)
        self.feed.follow(self.method.config, self.step)
        self.set_modes()

    def set_modes(self) -> None:
        """Training mode, but eval for parts that are frozen whole: their batch statistics stand still too."""
        self.model.train()
        for module in self.method.modules():
            every = list(module.parameters())
            if every and not any(parameter.requires_grad for parameter in every):
                module.eval()

    def train_step(self, batches: list[Any]) -> dict[str, Any]:
        return self.stepper.run(self.step, batches)

    # -- the run ---------------------------------------------------------------------------------------------------------

    def train(self) -> str:
        """Run to the end, a stop, or an error; returns the final state."""
        self.announce()
        try:
            with self.listening(), disk.reserve(self.run.path), self.recorder.open(self.resumed_from):
                self.prepare()
                return self.steps()
        except BaseException as error:
            if disk.is_full(error):
                told = disk.sentence(self.run.id, self.run.path, error)
                self.recorder.write_status(state="failed", error=told)
                raise UserError(told) from error
            known = isinstance(error, UserError | Divergence | OSError)
            self.recorder.write_status(state="failed", error=str(error) if known else f"{type(error).__name__}: {error}")
            raise

    def prepare(self) -> None:
        """Probe set, validation batches and references."""
        config = self.config
        self.snapshot_steps = set(checkpoint.snapshot_steps(config.snapshots, config.steps, 4 * self.parameters()[0])[0])
        self.look_steps = look_steps(config.steps, config.monitors.every)
        size = min(config.batch, len(self.data.validation))
        chosen = self.data.validation[: size * config.validation.batches]
        batches = [] if self.separate or not size else fixed_batches(self.fixed_rows, self.data.main, chosen, size)
        self.val_batches = [batch for batch in batches if len(batch["key"]) == size]
        if self.rank == 0:
            self.probe = Probe(config, self.method, self.data, self.fixed_rows, self.device, self.dtype)
            self.watch = Watch(self.run, self.step)
            path = self.run.path / "artifacts/references.json"
            if not path.is_file():
                levels = getattr(self.method, "levels", None)
                self.probe.references(path, dict(levels(config.batch)) if levels else {})
        self.clock.lap("setup")

    def steps(self) -> str:
        config = self.config
        self.enter_stage(*stage_at(config.stages, self.step))
        if self.step == 0:  # a resumed run has this moment on disk
            self.moment()
        self.feed.start(self.step)
        bar = Bar(config.steps, self.step, self.run.title, enabled=self.rank == 0 and not self.shared)
        while self.step < config.steps:
            index, first = stage_at(config.stages, self.step)
            if index != self.stage_index:
                self.enter_stage(index, first)
                self.recorder.event("stage", stage=self.stage.name)
            self.obey()
            if self.stopping:
                return self.halt()
            self.clock.lap("rest")
            batches = self.feed.batches(self.step)
            data_seconds = self.clock.lap("data")
            record = self.attempt(batches)
            step_seconds = self.clock.lap("step")
            self.step = self.recorder.step = self.step + 1
            if record is not None and (self.step % config.log_every == 0 or self.step == config.steps):
                timing = {"step_seconds": step_seconds, "data_seconds": data_seconds}
                head = {"kind": "train", "step": self.step, "stage": self.stage.name}
                self.recorder.log({**head, **record, "time": time.time(), "timing": timing})
            bar.update(self.step, record["loss"] if record else math.nan, step_seconds + data_seconds)
            self.moment()
            self.recorder.progress(record, step_seconds + data_seconds, config.steps - self.step, self.stage.name)
        self.save_checkpoint()
        self.recorder.event("finished")
        self.recorder.write_status(state="finished", eta_seconds=0)
        bar.close()
        return "finished"

    def attempt(self, batches: list[Any]) -> dict[str, Any] | None:
        """One step; after a number that is not finite a black box, then the end or, under `on_nan: skip`, no record."""
        skip = self.config.on_nan == "skip"
        before = {name: buffer.clone() for name, buffer in self.method.named_buffers()} if skip else {}
        self.keys = [key for batch in batches for key in batch["key"]]
        try:
            record = self.train_step(batches)
            self.recent.append({"step": self.step + 1, "loss": record["loss"], "grad_norm": record["grad_norm"]})
            return record
        except Divergence as error:
            self.recorder.black_box(str(error), self.keys, self.method, self.stepper.ring.summary(), list(self.recent))
            self.recorder.event("nan", error=str(error), policy=self.config.on_nan)
            self.stepper.forget()
            if not skip:
                raise
            for name, buffer in self.method.named_buffers():
                buffer.copy_(before[name])  # the forward has put its NaN into the batch statistics
            return None

    def moment(self) -> None:
        """What happens between steps: snapshot, look, validation, checkpoint."""
        step, config = self.step, self.config
        self.clock.lap("rest")
        if self.rank == 0 and step in self.snapshot_steps:
            checkpoint.write_folder(self.run.path / f"snapshots/step-{step}", checkpoint.own_state(self.method, self.frozen))
            self.recorder.event("snapshot")
        self.clock.lap("snapshot")
        read: dict[str, dict[str, float]] = {}
        if self.rank == 0 and step in self.look_steps and self.probe.features:
            read = self.probe.look(self.run.path / f"artifacts/step-{step}", step, interval=step in (0, config.steps))
            self.recorder.event("look")
            ring = self.stepper.ring.summary()
            if ring:
                self.recorder.log({"kind": "ring", "step": step, "features": ring, "time": time.time()})
            verdict = self.watch.see(step) if len(self.probe.studies) else None
            if verdict:
                self.recorder.black_box(verdict.evidence, self.keys, self.method, ring, list(self.recent))
                self.recorder.event("sentinel", kind=verdict.kind, feature=verdict.feature, said=verdict.evidence)
        self.clock.lap("look")
        if step % config.validation.every == 0 or step == config.steps or step in self.look_steps:
            self.validate(read)
        self.clock.lap("validation")
        if step and step % config.checkpoint_every == 0 and step < config.steps:
            self.save_checkpoint()
        self.clock.lap("checkpoint")

    @torch.no_grad()
    def validate(self, read: Mapping[str, Mapping[str, float]]) -> None:
        """All terms on fixed batches in eval mode, beside what the look of this step read."""
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
        record = {"kind": "val", "step": self.step, "loss": loss, "terms": sums} | {name: dict(values) for name, values in read.items()}
        self.recorder.log(record | {"time": time.time()})
        self.keep_best(record)
        self.set_modes()

    def keep_best(self, record: dict[str, Any]) -> None:
        """Keep the weights of the step whose validation metric is best, under checkpoints/best."""
        name = self.config.validation.best
        flat = {"loss": record["loss"], **{f"terms.{key}": value for key, value in record["terms"].items()}}
        flat |= {f"{group}.{key}": value for group in ("probe", "zeroshot") for key, value in record.get(group, {}).items()}
        if name not in flat:
            if name.partition(".")[0] in ("probe", "zeroshot") and not record.get(name.partition(".")[0]):
                return  # no look at this step
            raise UserError(f"validation.best: no metric {name!r}; the metrics are {sorted(flat)}")
        sign = 1 if self.config.validation.mode == "max" else -1
        if self.step and (self.best is None or sign * flat[name] > sign * self.best["value"]):
            self.best = {"step": self.step, "metric": name, "value": flat[name]}
            checkpoint.write_folder(self.run.path / "checkpoints/best", checkpoint.own_state(self.method, self.frozen))
            write_json(self.run.path / "checkpoints/best.json", self.best)

    # -- commands --------------------------------------------------------------------------------------------------------

    @contextmanager
    def listening(self) -> Iterator[None]:
        """SIGTERM asks for a stop; a run that shares its process leaves the signal alone."""
        if self.shared or threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", self.stopping or "SIGTERM"))
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, previous)

    def obey(self) -> None:
        """Carry out what the inbox asks; rank 0 reads, all ranks follow."""
        commands = control.pending(self.run.path / "control") if self.rank == 0 else []
        plain = [command for _, command in commands]
        if self.world > 1:
            from accelerate.utils import broadcast_object_list

            plain, self.stopping = broadcast_object_list([plain, self.stopping])
        for place, command in enumerate(plain):
            outcome, reason = self.carry_out(command)
            if self.rank == 0:
                path = commands[place][0]
                control.refuse(path, command, reason) if reason else control.acknowledge(path, command, step=self.step, **outcome)

    def carry_out(self, command: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """What a command did, and the reason where it was refused."""
        name = command["command"]
        if name == "stop":
            self.stopping = self.stopping or "asked"
        elif name == "checkpoint":
            self.save_checkpoint()
        elif name == "set":
            path, value = str(command.get("name")), command.get("value")
            try:
                before = turn(self.method, self.optimizers, self.stepper.rates, path, value)
            except UserError as error:
                return {}, str(error)
            self.feed.follow(self.method.config, self.step)
            self.knobs[path] = float(command["value"])
            self.recorder.event("knob", name=path, **{"from": before, "to": self.knobs[path]})
            return {"from": before}, None
        else:
            return {}, f"unknown command {name!r}; known: stop, checkpoint, set"
        return {}, None

    def halt(self) -> str:
        """A stop that was asked for: checkpoint, say so, end."""
        self.save_checkpoint()
        self.recorder.event("stop", reason=self.stopping)
        self.recorder.write_status(state="stopped")
        return "stopped"

    # -- state on disk ---------------------------------------------------------------------------------------------------

    def save_checkpoint(self) -> None:
        if self.rank:
            return
        folder = self.run.path / "checkpoints"
        private = {
            "step": self.step,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "ring": self.stepper.ring.parts,
            "knobs": self.knobs,
            "best": self.best,
            "world": self.world,
        }
        checkpoint.write_folder(folder / f"step-{self.step}", checkpoint.own_state(self.method, self.frozen), private)
        checkpoint.prune(folder, keep=2)
        self.recorder.event("checkpoint")

    def restore(self) -> dict[str, int]:
        """Continue from the newest whole checkpoint, from the start weights where there is none; what the `resumed` event says."""
        steps, path = self.run.steps_of("checkpoints"), self.run.path
        if steps:
            folder = path / f"checkpoints/step-{steps[-1]}"
            state = checkpoint.read_state(folder)
            if state["world"] != self.world:
                raise UserError(f"{self.run.id}: was trained by {state['world']} processes, resumed by {self.world}; start as many")
            load_weights(self.method, folder, path)
            for name, optimizer in self.optimizers.items():
                optimizer.load_state_dict(state["optimizers"][name])
            self.step, self.knobs, self.best = state["step"], state["knobs"], state["best"]
            self.recorder.step = self.step
            self.stepper.ring.parts = dict(state["ring"])
        metrics = path / "metrics.jsonl"
        for log in (metrics, path / "events.jsonl"):
            disk.end_torn_line(log)
        return {"step": self.step if steps else -1, "metrics_bytes": metrics.stat().st_size if metrics.is_file() else 0}

    def parameters(self) -> tuple[int, int]:
        """How many parameters there are, and how many some stage trains."""
        sizes = {name: parameter.numel() for name, parameter in self.method.named_parameters()}
        return sum(sizes.values()), sum(sizes[name] for name in self.ever)

    def announce(self) -> None:
        """Status and provenance before the first step."""
        if self.rank:
            return
        total, trainable = self.parameters()
        notes = ["batch statistics are per process"] if self.world > 1 and self.device.type == "cpu" else []
        if self.config.accumulate > 1:
            notes.append("accumulation does not enlarge the negatives of a contrastive loss")
        frozen = checkpoint.keep_frozen(self.run.path, self.method, self.frozen)
        facts = provenance({name: dataset.data_hash for name, dataset in self.data.datasets.items()}, self.device)
        facts |= {"init_from": self.init_report, "frozen": frozen, "precision": self.precision, "world": self.world, "notes": notes}
        write_json(self.run.path / "provenance.json", facts)
        first = self.data.first
        self.recorder.begin(
            phases=[phase._asdict() for phase in self.method.phases],
            terms={phase: list(names) for phase, names in self.method.terms.items()},
            features=dict(self.method.features),
            capabilities=capabilities(self.method),
            live=live_fields(self.base_weights, self.optimizers, self.method.config),
            label_names=list(first.label_names),
            terms_of_use=first.terms,
            data_hash=first.data_hash,
            parameters={"total": total, "trainable": trainable},
            weights=self.base_weights,
            process="shared" if self.shared else "own",
            notes=notes,
        )


def train(run: Run, resume: bool = False, shared: bool = False) -> str:
    """Train a run folder to its end; `resume` continues from the newest checkpoint, bit for bit. Returns the final state."""
    return Trainer(run, shared, resume).train()


__all__ = ["Divergence", "Stage", "Trainer", "train"]
