#!/usr/bin/env python3
"""Training steps of the compared models in PyTorch: eager, as one CUDA graph, and compiled; f32 with and without TF32.

    python3 bench/pytorch/step.py [--models mlp,conv,conv64] [--batch 32,128] [--device cuda] [--against node-x.json]

Needs only torch. In PyTorch's favour, the batch is on the GPU as floats and is not gathered in each step, and no loss
is read back within a repetition. Prints a table and stores bench/results/pytorch-<gpu>.json, whose rows have the same
keys as bench:node's.
"""

import datetime
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from models import SPECS, build
from options import arguments

PROJECT = Path(__file__).resolve().parents[2]
MOST_STEPS = 20_000


def peer_name(way, precision):
    return f"pytorch-{way}" + ("-tf32" if precision == "tf32" else "")


class Variant:
    """One way of running one model's step, with its own weights and optimizer."""

    def __init__(self, torch, options, name, batch, way, precision):
        self.torch, self.options = torch, options
        self.name, self.batch, self.way, self.precision = name, batch, way, precision
        self.times = []
        self.first_step_ms = None
        self.loss = None
        self.error = None

    def attempt(self, work):
        """If a variant fails, its row has an error, and the others continue."""
        if self.error is not None:
            return
        try:
            self.set_precision()
            work()
        except Exception as error:  # anything a compiler or driver may throw
            self.error = (str(error).strip() or type(error).__name__).splitlines()[0]

    def set_precision(self):
        # Read when a product is launched, captured or compiled.
        allowed = self.precision == "tf32"
        self.torch.backends.cuda.matmul.allow_tf32 = allowed
        self.torch.backends.cudnn.allow_tf32 = allowed

    def synchronize(self):
        if self.options.device == "cuda":
            self.torch.cuda.synchronize()

    def start(self):
        """Runs until the first step's loss is on the host, including all building, capturing and compiling."""
        began = time.perf_counter()
        self.prepare()
        self.loss = self.run_step().item()
        self.synchronize()
        self.first_step_ms = 1000 * (time.perf_counter() - began)

    def prepare(self):
        torch, options = self.torch, self.options
        device = torch.device(options.device)
        torch.manual_seed(1)
        spec = SPECS[self.name]
        height, width, channels = spec["input"]
        layout = torch.channels_last if options.channels_last else torch.contiguous_format
        model = build(spec).to(device=device, memory_format=layout)
        images = torch.rand(self.batch, channels, height, width, device=device).to(memory_format=layout)
        noise = torch.empty(self.batch, spec["latent"], device=device)
        # Otherwise a graph would read the step counter from the host.
        capturable = options.device == "cuda" and self.way != "eager"
        fused = {"fused": True} if options.fused else {}
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, capturable=capturable, **fused)
        loss_of, update = model, optimizer.step
        if self.way == "compiled":
            compiled = {"mode": options.compile_mode, "dynamic": False}
            loss_of = torch.compile(model, **compiled)
            update = torch.compile(lambda: optimizer.step(), **compiled)

        def step():
            noise.normal_()
            loss = loss_of(images, noise)
            loss.backward()
            update()
            return loss

        def whole_step():
            optimizer.zero_grad(set_to_none=True)
            return step()

        self.run_step = self.captured(step, optimizer) if self.way == "graph" else whole_step

    def captured(self, step, optimizer):
        """The step as one CUDA graph. Its gradients are in the graph's own memory, and each replay overwrites them."""
        torch = self.torch
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            # Library setup and Adam's moments must exist before the capture.
            for _ in range(3):
                optimizer.zero_grad(set_to_none=True)
                step()
        torch.cuda.current_stream().wait_stream(side)
        optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = step().detach()

        def replay():
            graph.replay()
            return loss

        # Captured objects are used in every replay, so they must live as long.
        replay.keeps = step, optimizer
        return replay

    def warm_up(self):
        """Runs a few steps to find how many make up a repetition."""
        self.chunk(3)
        ms = self.chunk(10)
        self.steps = max(1, min(MOST_STEPS, round(1000 * self.options.seconds / ms)))

    def chunk(self, steps):
        """Milliseconds per step over `steps` steps, with one wait at the end."""
        self.synchronize()
        began = time.perf_counter()
        for _ in range(steps):
            loss = self.run_step()
        self.synchronize()
        ms = 1000 * (time.perf_counter() - began) / steps
        self.loss = loss.item()
        if self.loss != self.loss:
            raise ArithmeticError("the loss is not a number")
        return ms

    def row(self, webvae):
        times = self.times if self.error is None else []
        median = statistics.median(times) if times else None
        reference = webvae.get((self.name, self.batch))
        return {
            "model": self.name,
            "batch": self.batch,
            "peer": peer_name(self.way, self.precision),
            "medianMs": median,
            "spreadMs": max(times) - min(times) if times else None,
            "fastestMs": min(times, default=None),
            "slowestMs": max(times, default=None),
            "repetitions": len(times),
            "firstStepMs": self.first_step_ms,
            "kernels": None,
            "submits": None,
            "speedup": median / reference if median and reference else None,
            "loss": self.loss,
            "error": self.error,
        }


def measure_case(torch, options, name, batch, webvae):
    # All models are of one class; after a few compilations of its code, the compiler would run it eagerly.
    torch.compiler.reset()
    variants = [Variant(torch, options, name, batch, way, precision) for way, precision in options.variants]
    for variant in variants:
        variant.attempt(variant.start)
        variant.attempt(variant.warm_up)
    # Interleaved, so that falling clock rates or a busy host affect all variants.
    for _ in range(options.repeats):
        for variant in variants:
            variant.attempt(lambda: variant.times.append(variant.chunk(variant.steps)))
    rows = [variant.row(webvae) for variant in variants]
    if options.device == "cuda":
        variants.clear()
        torch.cuda.empty_cache()
    return rows


def line(row):
    label = f"{row['model']} {row['batch']} {row['peer']}".ljust(36)
    if row["medianMs"] is None:
        return f"{label} {row['error'] or 'not measured'}"
    times = f"{row['medianMs']:9.3f} ms ({row['fastestMs']:.3f} to {row['slowestMs']:.3f})"
    factor = f", {row['speedup']:.2f} x webvae" if row["speedup"] else ""
    return f"{label} {times}, first step {row['firstStepMs'] / 1000:.1f} s{factor}"


def webvae_times(path):
    """webvae's medians in f32 by model and batch."""
    if path is None:
        return {}
    rows = json.loads(path.read_text())["results"]
    return {(row["model"], row["batch"]): row["medianMs"] for row in rows if row["peer"] == "webvae"}


def commit():
    if os.environ.get("WEBVAE_COMMIT"):
        return os.environ["WEBVAE_COMMIT"]
    try:
        command = ["git", "-C", str(PROJECT), "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def slug(name):
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def main():
    options = arguments()
    webvae = webvae_times(options.against)
    try:
        import torch
    except ImportError as error:
        sys.exit(f"PyTorch is not installed for {sys.executable}: {error}")
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch found no CUDA device; try --device cpu, which is slow")
    if options.device == "cuda":
        torch.backends.cudnn.benchmark = True  # shapes never change: let it choose the fastest convolutions
        torch.zeros(1, device="cuda")  # creates the context, so that no variant's first step includes it
        gpu = torch.cuda.get_device_name()
    else:
        gpu = f"CPU {platform.machine()}"
    print(f"{gpu}, torch {torch.__version__}, CUDA {torch.version.cuda}", flush=True)
    rows = []
    for name, batch in options.cases:
        for row in measure_case(torch, options, name, batch, webvae):
            rows.append(row)
            print(line(row), flush=True)
    report = {
        "adapter": gpu,
        "commit": commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        },
        "processors": os.cpu_count(),
        "repeats": options.repeats,
        "seconds": options.seconds,
        "fused": options.fused,
        "channelsLast": options.channels_last,
        "compileMode": options.compile_mode,
        "results": rows,
    }
    # A partial run does not replace the stored complete one.
    folder = options.out or PROJECT / ("bench/results" if options.whole else "out")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"pytorch-{slug(gpu)}.json"
    file.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {file}")
    if options.json:
        print(json.dumps(report))
    # If one way fails, that is a result; if none could be measured, that is an error.
    if all(row["medianMs"] is None for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
