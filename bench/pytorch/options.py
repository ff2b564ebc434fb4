"""The arguments of step.py, checked before torch is loaded."""

import argparse
from pathlib import Path

from models import BATCHES, SPECS

WAYS = ("eager", "graph", "compiled")
PRECISIONS = ("f32", "tf32")


def some_of(known, what):
    def parse(text):
        names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise argparse.ArgumentTypeError(
                f'there is no {what} "{", ".join(unknown)}"; the choices are {", ".join(known)}'
            )
        return names

    return parse


def whole(least, most):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f"it must be a whole number from {least} to {most}, not {text}")
        return value

    return parse


def sizes(text):
    return list(dict.fromkeys(whole(1, 4096)(part) for part in text.split(",")))


def seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 600:
        raise argparse.ArgumentTypeError(f"it must be a number above 0 and at most 600, not {text}")
    return value


def arguments(given=None):
    parser = argparse.ArgumentParser(
        description="Measures training steps in PyTorch, for the models and batch sizes that webvae is measured on."
    )
    add = parser.add_argument
    add("--models", type=some_of(SPECS, "model"), help=f"some of {', '.join(SPECS)} (default: all)")
    add("--batch", type=sizes, help="batch sizes, each with every model (default: those of each model)")
    add("--ways", type=some_of(WAYS, "way"), help=f"some of {', '.join(WAYS)} (default: all)")
    add("--precision", type=some_of(PRECISIONS, "precision"), help=f"some of {', '.join(PRECISIONS)} (default: all)")
    add("--repeats", type=whole(1, 100), default=5, help="repetitions; the median is reported")
    add("--seconds", type=seconds, default=1.5, help="length of a repetition")
    add("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: slow, only to check that it runs")
    add("--fused", action="store_true", help="Adam's fused kernel instead of its default")
    add("--channels-last", action="store_true", help="images and convolutions in NHWC")
    add("--compile-mode", default="default", help="mode of torch.compile")
    add("--against", type=Path, help="results of bench:node, to report how many times faster webvae is")
    add("--out", type=Path, help="folder for the results (default: bench/results, or out if not all is measured)")
    add("--json", action="store_true", help="end stdout with the results as one JSON object")
    options = parser.parse_args(given)
    asked = (options.models, options.batch, options.ways, options.precision)
    options.whole = (
        all(one is None for one in asked)
        and options.device == "cuda"
        and not options.fused
        and not options.channels_last
        and options.compile_mode == "default"
    )
    options.cases = [
        (name, batch) for name in options.models or SPECS for batch in options.batch or BATCHES[name]
    ]
    ways = [way for way in options.ways or WAYS if options.device == "cuda" or way != "graph"]
    precisions = [one for one in options.precision or PRECISIONS if options.device == "cuda" or one == "f32"]
    if not ways or not precisions:
        parser.error("a CPU has neither CUDA graphs nor TF32")
    options.variants = [(way, precision) for precision in precisions for way in ways]
    return options
